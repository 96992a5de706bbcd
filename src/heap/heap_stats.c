/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The heap's accounts, both ways.
 */
#include "heap/heap_private.h"

/* The largest block that a chunk of so many pages is sure to serve: the inverse of region_for, bit
 * by bit from the top. */
static size_t most_in(const struct acre_heap *heap, size_t pages)
{
    size_t size = 0;
    size_t bytes = pages > HEAP_RECORD / heap->page_size ? heap_chunk_bytes(heap, pages) : 0;
    for (size_t bit = bytes != 0 ? (size_t)1 << acre_bits_highest(bytes) : 0; bit != 0; bit >>= 1) {
        size_t region = heap->parts.region_for(acre_layout(size | bit, 1));
        if (region != 0 && region <= bytes)
            size |= bit;
    }
    return size;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t lesser(size_t a, size_t b)
{
    return a < b ? a : b;
}

struct acre_stats acre_heap_stats(const struct acre_heap *heap)
{
    acre_locker_lock(&heap->bytes_lock);
    struct acre_stats bytes = acre_bytes_stats(heap->parts.bytes);
    size_t failed = heap_is_called(heap) ? bytes.failed : heap->failed;
    acre_locker_unlock(&heap->bytes_lock);
    acre_locker_lock(&heap->pages_lock);
    struct acre_stats pages = acre_pages_stats(heap->parts.pages);
    size_t whole = pages.used - heap->held * heap->page_size;
    size_t at_hand = acre_heap_pages_at_hand(heap, &pages, 0);
    size_t mixed_peak = heap->mixed_peak;
    acre_locker_unlock(&heap->pages_lock);
    /* The two are of different moments: a chunk that another thread gives back between them is in
     * both. */
    size_t used = lesser(bytes.used + whole, pages.total);
    size_t available = lesser(bytes.available + pages.available, pages.total - used);
    return (struct acre_stats){
        .total = pages.total,
        .metadata = pages.total - used - available,
        .used = used,
        .available = available,
        .peak = larger(larger(bytes.peak, mixed_peak), used),
        .largest_free = larger(bytes.largest_free, most_in(heap, at_hand)),
        .live_blocks = bytes.live_blocks + whole / heap->page_size,
        .failed = failed,
    };
}

void acre_heap_reset_peak(struct acre_heap *heap)
{
    acre_locker_lock(&heap->bytes_lock);
    acre_bytes_reset_peak(heap->parts.bytes);
    acre_locker_unlock(&heap->bytes_lock);
    acre_locker_lock(&heap->pages_lock);
    acre_pages_reset_peak(heap->parts.pages);
    heap->mixed_peak = 0;
    acre_locker_unlock(&heap->pages_lock);
}

struct acre_stats acre_heap_page_stats(const struct acre_heap *heap)
{
    acre_locker_lock(&heap->pages_lock);
    struct acre_stats stats = acre_pages_stats(heap->parts.pages);
    stats.largest_free = acre_heap_pages_at_hand(heap, &stats, 0) * heap->page_size;
    stats.failed = heap->page_failed;
    acre_locker_unlock(&heap->pages_lock);
    return stats;
}
