/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The four functions that the core needs from outside, declared here because a freestanding
 * compiler brings no <string.h>. Their contracts are those of C11.
 */
#ifndef ACRE_SRC_BASE_MEMORY_H
#define ACRE_SRC_BASE_MEMORY_H

#include <stddef.h>

void *memcpy(void *restrict target, const void *restrict source, size_t size);
void *memmove(void *target, const void *source, size_t size);
void *memset(void *target, int value, size_t size);
int memcmp(const void *left, const void *right, size_t size);

#endif
