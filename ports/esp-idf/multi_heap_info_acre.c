/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* ESP-IDF: statistics, check and walk of the heaps of multi_heap_acre.c. */
#include "multi_heap_acre.h"

static struct acre_stats read_stats(multi_heap_handle_t heap)
{
    multi_heap_internal_lock(heap);
    struct acre_stats stats = acre_tlsf_stats(&heap->tlsf);
    multi_heap_internal_unlock(heap);
    return stats;
}

static size_t minimum_free(multi_heap_handle_t heap, const struct acre_stats *stats)
{
    size_t lowest = stats->total - stats->metadata - stats->peak;
    return lowest < heap->minimum_free ? lowest : heap->minimum_free;
}

size_t multi_heap_free_size(multi_heap_handle_t heap)
{
    return heap != NULL ? read_stats(heap).available : 0;
}

size_t multi_heap_minimum_free_size(multi_heap_handle_t heap)
{
    if (heap == NULL)
        return 0;
    struct acre_stats stats = read_stats(heap);
    return minimum_free(heap, &stats);
}

size_t multi_heap_reset_minimum_free_bytes(multi_heap_handle_t heap)
{
    multi_heap_internal_lock(heap);
    struct acre_stats stats = acre_tlsf_stats(&heap->tlsf);
    size_t former = minimum_free(heap, &stats);
    acre_tlsf_reset_peak(&heap->tlsf);
    heap->minimum_free = SIZE_MAX;
    multi_heap_internal_unlock(heap);
    return former;
}

void multi_heap_restore_minimum_free_bytes(multi_heap_handle_t heap, const size_t new_minimum)
{
    multi_heap_internal_lock(heap);
    if (new_minimum < heap->minimum_free)
        heap->minimum_free = new_minimum;
    multi_heap_internal_unlock(heap);
}

static bool count_free_block(void *arg, void *start, size_t size, bool live)
{
    multi_heap_info_t *info = arg;
    (void)start;
    (void)size;
    info->free_blocks += !live;
    return true;
}

void multi_heap_get_info(multi_heap_handle_t heap, multi_heap_info_t *info)
{
    *info = (multi_heap_info_t){ 0 };
    if (heap == NULL)
        return;
    multi_heap_internal_lock(heap);
    struct acre_stats stats = acre_tlsf_stats(&heap->tlsf);
    acre_tlsf_walk(&heap->tlsf, count_free_block, info);
    info->minimum_free_bytes = minimum_free(heap, &stats);
    multi_heap_internal_unlock(heap);
    info->total_free_bytes = stats.available;
    info->total_allocated_bytes = stats.used;
    info->largest_free_block = stats.largest_free;
    info->allocated_blocks = stats.live_blocks;
    info->total_blocks = stats.live_blocks + info->free_blocks;
}

bool multi_heap_check(multi_heap_handle_t heap, bool print_errors)
{
    multi_heap_internal_lock(heap);
    struct acre_check_result found = acre_tlsf_check(&heap->tlsf);
    multi_heap_internal_unlock(heap);
    if (found.invariant != NULL && print_errors)
        MULTI_HEAP_STDERR_PRINTF("CORRUPT HEAP: %s at %p\n", found.invariant, found.where);
    return found.invariant == NULL;
}

struct walker {
    multi_heap_walker_cb_t visit;
    void *user_data;
};

static bool call_walker(void *arg, void *start, size_t size, bool live)
{
    const struct walker *walker = arg;
    return walker->visit(start, size, live, walker->user_data);
}

void multi_heap_walk(multi_heap_handle_t heap, multi_heap_walker_cb_t walker_func, void *user_data)
{
    struct walker walker = { walker_func, user_data };
    multi_heap_internal_lock(heap);
    acre_tlsf_walk(&heap->tlsf, call_walker, &walker);
    multi_heap_internal_unlock(heap);
}

static bool print_block(void *block_ptr, size_t block_size, int block_used, void *user_data)
{
    (void)user_data;
    MULTI_HEAP_PRINTF(
        "%p: %lu bytes, %s\n", block_ptr, (unsigned long)block_size, block_used ? "used" : "free");
    return true;
}

void multi_heap_dump(multi_heap_handle_t heap)
{
    MULTI_HEAP_PRINTF("heap at %p\n", (void *)heap);
    multi_heap_walk(heap, print_block, NULL);
}
