/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The four functions that the core needs from outside, declared here because a freestanding
 * compiler brings no <string.h>. Their contracts are those of C11.
 */
#ifndef ACRE_SRC_BASE_MEMORY_H
#define ACRE_SRC_BASE_MEMORY_H

#include "base/compiler.h"

#include <stddef.h>

void *memcpy(void *restrict target, const void *restrict source, size_t size);
void *memmove(void *target, const void *source, size_t size);
void *memset(void *target, int value, size_t size);
int memcmp(const void *left, const void *right, size_t size);

#if ACRE_ANNOTATE
/* The sanitizers replace the C library's functions by ones that report bytes out of bounds. */
void *acre_annotate_copy(void *target, const void *source, size_t size);
void *acre_annotate_fill(void *target, int value, size_t size);
#define memcpy(target, source, size) acre_annotate_copy(target, source, size)
#define memmove(target, source, size) acre_annotate_copy(target, source, size)
#define memset(target, value, size) acre_annotate_fill(target, value, size)
#endif

#endif
