/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What the suites use of <stdio.h>; every stream is the serial line. */
#ifndef ACRE_TESTS_METAL_STDIO_H
#define ACRE_TESTS_METAL_STDIO_H

#include <stddef.h>

#define stderr 0

__attribute__((format(printf, 2, 3))) int fprintf(int stream, const char *format, ...);
__attribute__((format(printf, 3, 4))) int snprintf(
    char *text, size_t size, const char *format, ...);
void perror(const char *what);

#endif
