/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The kernel's heap: a page allocator owns the memory, TLSF takes pages from it when it needs more.
 */
#ifndef ACRE_PORTS_KERNEL_HEAP_H
#define ACRE_PORTS_KERNEL_HEAP_H

#include "kernel/ranges.h"

#include <acre/bitmap.h>
#include <acre/tlsf.h>

struct heap {
    struct acre_bitmap pages;
    struct acre_tlsf bytes;
    struct acre_bytes_ops ops; /* TLSF's table, but for the verbs that may ask for more pages */
};

/* Makes an empty heap. */
void heap_setup(struct heap *heap);

/* Gives the heap a range of memory; status as acre_add_memory. */
enum acre_status heap_add(struct heap *heap, struct range range);

struct acre_pages heap_pages(struct heap *heap);
struct acre_bytes heap_bytes(struct heap *heap);

#endif
