/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * What happens when the program hands in a pointer that is no block: one line that says what is
 * wrong, then the end. See acre_malloc_on_misuse() for how a program takes the line itself.
 */
#ifndef ACRE_HOSTED_MALLOC_MISUSE_H
#define ACRE_HOSTED_MALLOC_MISUSE_H

#include <acre/types.h>

/**
 * Reports a pointer that is not the start of a live block. The lock is held, and is released before
 * the line is written.
 * @param call the function that the program called.
 */
_Noreturn void acre_misuse_pointer(const char *call, const void *ptr);

/** Reports a live block whose layout is not the one the program gave. Lock as above. */
_Noreturn void acre_misuse_layout(const char *call, const void *ptr, struct acre_layout layout);

/** Reports that a thread entered the allocator while it was inside. The lock stays as it is. */
_Noreturn void acre_misuse_reentered(void);

#endif
