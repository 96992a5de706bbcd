/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The functions of the malloc family behind this library.
 */
#ifndef ACRE_RECORD_RECORD_REAL_H
#define ACRE_RECORD_RECORD_REAL_H

#include "record_thread.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct record_real {
    void *(*malloc)(size_t size);
    void *(*calloc)(size_t count, size_t size);
    void *(*realloc)(void *block, size_t size);
    void (*free)(void *block);
    void *(*memalign)(size_t align, size_t size);
    void *(*aligned_alloc)(size_t align, size_t size);
    int (*posix_memalign)(void **block, size_t align, size_t size);
    void *(*valloc)(size_t size);
    void *(*pvalloc)(size_t size);
};

/** The functions behind this library; all null until record_find_real() has run. */
extern struct record_real record_real;

/**
 * Looks the real functions up. False when this thread is doing so already: the dynamic linker is
 * allocating for itself and must be served by record_early_alloc().
 */
bool record_find_real(void);

/** Room for the dynamic linker, zeroed, aligned to 16 bytes, never given back; null when used up.
 */
void *record_early_alloc(size_t size);

/** Whether `block` came from record_early_alloc(). */
bool record_is_early(const void *block);

/** Bytes behind an early block that may be read: those up to the end of the area. */
size_t record_early_room(const void *block);

#endif
