/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* For least_ram.c: a heap of TLSF over bitmap pages that is made like the other allocators, in its
 * pool. */
#ifndef ACRE_TESTS_METAL_LEAST_RAM_HEAP_H
#define ACRE_TESTS_METAL_LEAST_RAM_HEAP_H

#include <acre/heap.h>

/* Puts a heap with pages of PAGE bytes at the start of a pool, which it manages; null: too small. */
static inline struct acre_ptr acre_heap_create(void *pool, size_t size)
{
    struct acre_heap_tlsf *parts = pool;
    if (size <= sizeof *parts)
        return (struct acre_ptr){ NULL, ACRE_INVALID_PARAM };
    *parts = (struct acre_heap_tlsf){ 0 };
    if (acre_heap_tlsf_setup(parts, PAGE) != ACRE_OK ||
        acre_heap_init(acre_heap_over_tlsf(parts), parts + 1, size - sizeof *parts) != ACRE_OK)
        return (struct acre_ptr){ NULL, ACRE_INVALID_PARAM };
    return (struct acre_ptr){ acre_heap_over_tlsf(parts), ACRE_OK };
}

#endif
