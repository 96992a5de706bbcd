/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What the suites use of <stdlib.h>: their memory comes from the kernel's heap. */
#ifndef ACRE_TESTS_METAL_STDLIB_H
#define ACRE_TESTS_METAL_STDLIB_H

#include <stddef.h>

enum { EXIT_SUCCESS, EXIT_FAILURE };

void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void free(void *ptr);
char *getenv(const char *name); /* always null */
_Noreturn void abort(void);
_Noreturn void exit(int status);

#endif
