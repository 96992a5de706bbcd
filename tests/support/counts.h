/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The end of a child process that must run no exit handler of its parent's. A build that counts
 * what is run (scripts/coverage) writes its counts at exit; here they are written first.
 */
#ifndef ACRE_TESTS_SUPPORT_COUNTS_H
#define ACRE_TESTS_SUPPORT_COUNTS_H

#include <unistd.h>

/* Of the compiler's runtime, in a build that counts; null in any other. */
int __llvm_profile_write_file(void) __attribute__((weak));

static inline _Noreturn void exit_counted(int code)
{
    if (__llvm_profile_write_file != NULL)
        (void)__llvm_profile_write_file();
    _exit(code);
}

#endif
