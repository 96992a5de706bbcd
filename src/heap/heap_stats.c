/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The heap's statistics, as a byte allocator and as a page allocator.
 */
#include "heap/heap_private.h"

/* The largest block that a chunk of so many pages is sure to serve: the inverse of region_size,
 * bit by bit from the top. */
static size_t heap_largest_block_in(const struct acre_heap *heap, size_t pages)
{
    size_t size = 0;
    size_t bytes =
        pages > acre_divide(HEAP_TAIL, heap_page_size(heap)) ? heap_chunk_bytes(heap, pages) : 0;
    for (size_t bit = bytes != 0 ? (size_t)1 << acre_bits_highest(bytes) : 0; bit != 0; bit >>= 1) {
        size_t region = heap_region_size(heap, acre_layout(size | bit, 1));
        if (region != 0 && region <= bytes)
            size |= bit;
    }
    return size;
}

static size_t heap_larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t heap_lesser(size_t a, size_t b)
{
    return a < b ? a : b;
}

struct acre_stats acre_heap_stats(const struct acre_heap *heap)
{
    acre_locker_lock(&heap->bytes_lock);
    struct acre_stats bytes = acre_bytes_stats(heap_bytes(heap));
    size_t failed = heap->is_called ? bytes.failed : heap->failed;
    acre_locker_unlock(&heap->bytes_lock);
    acre_locker_lock(&heap->pages_lock);
    struct acre_stats pages = acre_pages_stats(heap_pages(heap));
    size_t whole = pages.used - acre_multiply(heap->chunk_pages, heap_page_size(heap));
    size_t longest = acre_heap_longest_run(heap, &pages, 0);
    size_t combined_peak = heap->combined_peak;
    size_t total = pages.total + heap->table_bytes;
    acre_locker_unlock(&heap->pages_lock);
    /* The two are read one after the other: a chunk that another thread returns in between is in
     * both. */
    size_t used = heap_lesser(bytes.used + whole, pages.total);
    size_t available = heap_lesser(bytes.available + pages.available, pages.total - used);
    return (struct acre_stats){
        .total = total,
        .metadata = total - used - available,
        .used = used,
        .available = available,
        .peak = heap_larger(heap_larger(bytes.peak, combined_peak), used),
        .largest_free = heap_larger(bytes.largest_free, heap_largest_block_in(heap, longest)),
        .live_blocks = bytes.live_blocks + acre_divide(whole, heap_page_size(heap)),
        .failed = failed,
    };
}

void acre_heap_reset_peak(struct acre_heap *heap)
{
    acre_locker_lock(&heap->bytes_lock);
    acre_bytes_reset_peak(heap_bytes(heap));
    acre_locker_unlock(&heap->bytes_lock);
    acre_locker_lock(&heap->pages_lock);
    acre_pages_reset_peak(heap_pages(heap));
    heap->combined_peak = 0;
    acre_locker_unlock(&heap->pages_lock);
}

struct acre_stats acre_heap_page_stats(const struct acre_heap *heap)
{
    acre_locker_lock(&heap->pages_lock);
    struct acre_stats stats = acre_pages_stats(heap_pages(heap));
    stats.largest_free =
        acre_multiply(acre_heap_longest_run(heap, &stats, 0), heap_page_size(heap));
    stats.failed = heap->failed_pages;
    stats.total += heap->table_bytes;
    stats.metadata += heap->table_bytes;
    acre_locker_unlock(&heap->pages_lock);
    return stats;
}
