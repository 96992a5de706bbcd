/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * kmalloc and kfree for a kernel: blocks of any size and whole pages from the same memory.
 *
 *     kmalloc_init(bytes_lock, pages_lock);
 *     kmalloc_add_memory(start, size);            once per range of RAM
 *     struct inode *inode = kmalloc(sizeof *inode, KMALLOC_ZERO);
 *     kfree(inode);
 */
#ifndef ACRE_PORTS_KMALLOC_KMALLOC_H
#define ACRE_PORTS_KMALLOC_KMALLOC_H

#include <acre/heap.h>

#ifndef KMALLOC_PAGE
#define KMALLOC_PAGE 4096 /* bytes */
#endif

enum {
    KMALLOC_ZERO = 1,   /* flag: the memory is cleared */
    KMALLOC_RESERVE = 2 /* flag: the request may use the pages kept by kmalloc_set_reserve */
};

/* Before any other call, while one processor runs. Two spin locks that mask interrupts, for
 * instance; the heap never holds both. { NULL, NULL, NULL }: no lock. */
void kmalloc_init(struct acre_locker bytes, struct acre_locker pages);

/* Gives a range of RAM to the heap, at any time; ACRE_INVALID_PARAM: it is too small to be of use;
 * ACRE_MEMORY_OVERLAP: a part of it is the heap's already. */
enum acre_status kmalloc_add_memory(void *start, size_t size);

/* Keeps some pages for requests with KMALLOC_RESERVE, those of the code that frees memory. */
void kmalloc_set_reserve(size_t pages);

/* Null: there is no memory, or count times size overflows; nothing has changed. */
void *kmalloc(size_t size, unsigned flags);
void *kmalloc_aligned(size_t size, size_t align, unsigned flags);
void *kmalloc_array(size_t count, size_t size, unsigned flags);
void *krealloc(void *ptr, size_t size); /* null allocates; size 0 frees and returns null */
void kfree(void *ptr);                  /* null is nothing to do */
size_t ksize(const void *ptr);          /* bytes that the block can hold */

/* A run of pages, at a multiple of `align` bytes; its pages may be freed one by one. */
void *kmalloc_pages(size_t count, size_t align, unsigned flags);
void kfree_pages(void *start, size_t count);

/* For statistics (acre_heap_stats) and checks (acre_heap_check). */
struct acre_heap *kmalloc_heap(void);

/* The kernel provides this; panics, mostly. `ptr` is no live block or run of pages (freed before,
 * inside a block, foreign). No lock is held and nothing has changed, so it may return. */
void kmalloc_misuse(const char *call, const void *ptr, enum acre_status status);

#endif
