/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A kernel's global heap: objects and whole pages from the memory that the boot loader reported,
 * with a lock around each half, some pages that only the paths which free memory may use, and a
 * shrinker that is asked when memory runs out.
 */
#include <acre/heap.h>

#include <stdio.h>
#include <stdlib.h>

enum { PAGE = ACRE_BITMAP_PAGE_SIZE, BANK = 256 * PAGE };

static struct acre_heap_tlsf kernel;
static struct acre_heap *const heap = &kernel.heap;
static _Alignas(PAGE) unsigned char bank[2][BANK]; /* stands for what the firmware reports */

/* On the machine itself: mask interrupts and spin. Here: prove that it is never taken twice. */
static int bytes_lock;
static int pages_lock;

static void require(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "heap: %s\n", what);
        exit(EXIT_FAILURE);
    }
}

static void lock(void *arg)
{
    require((*(int *)arg)++ == 0, "locked twice");
}

static void unlock(void *arg)
{
    --*(int *)arg;
}

static uintptr_t cached[64]; /* pages that hold what could be read again from a disk */
static size_t cached_count;

static bool shrink_cache(void *arg, struct acre_layout layout)
{
    (void)arg, (void)layout;
    if (cached_count == 0)
        return false;
    return acre_heap_dealloc_pages(heap, cached[--cached_count], 4) == ACRE_OK;
}

int main(void)
{
    require(acre_heap_tlsf_setup(&kernel, PAGE) == ACRE_OK, "setup");
    acre_heap_set_locks(heap, (struct acre_locker){ lock, unlock, &bytes_lock },
        (struct acre_locker){ lock, unlock, &pages_lock });
    acre_heap_set_on_exhausted(heap, shrink_cache, NULL);
    require(acre_heap_init(heap, bank[0], BANK) == ACRE_OK, "the first bank");
    require(acre_heap_add_memory(heap, bank[1], BANK) == ACRE_OK, "the second bank");
    acre_heap_set_reserve(heap, 8);

    struct acre_num table = acre_heap_alloc_pages(heap, 1, PAGE, 0);     /* a page table */
    struct acre_num stack = acre_heap_alloc_pages(heap, 4, 4 * PAGE, 0); /* a thread's stack */
    require(table.status == ACRE_OK && stack.num % (4 * PAGE) == 0, "pages");
    for (; cached_count < 64; cached_count++)
        cached[cached_count] = acre_heap_alloc_pages(heap, 4, PAGE, 0).num;

    size_t objects = 0; /* until memory is out and the cache is empty */
    while (acre_heap_alloc(heap, acre_layout(600, 64)).status == ACRE_OK)
        objects++;
    require(cached_count == 0, "the cache was not asked");
    require(acre_heap_alloc_pages(heap, 1, PAGE, ACRE_HEAP_RESERVE).status == ACRE_OK, "reserve");
    require(acre_heap_dealloc_pages(heap, stack.num, 4) == ACRE_OK, "the stack goes back");
    require(acre_heap_dealloc_pages(heap, stack.num, 4) == ACRE_NOT_ALLOCATED, "twice");
    struct acre_stats stats = acre_heap_stats(heap);
    printf("%zu objects; %zu bytes = %zu metadata + %zu used + %zu available\n", objects,
        stats.total, stats.metadata, stats.used, stats.available);
    return 0;
}
