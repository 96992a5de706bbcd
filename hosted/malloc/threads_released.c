/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Free pages whose memory the system has not got back yet (dirty): pages that are soon needed again
 * cost no fault, and others do not stay. Everything here runs under the lock.
 *
 * Each region has a bit per page: it is free and dirty. What heaps use and what is dirty together
 * stay below what they used at their highest, or a little above what they use now. What is above
 * goes back, from the highest addresses down, for the page allocator takes the lowest pages first.
 * The highest is forgotten as memory is used that stays below it.
 */
#include "malloc/threads.h"
#include "os/os.h"

enum {
    WORD_BITS = 8 * sizeof(size_t),
    MIB_PAGES = (1 << 20) / ACRE_THREADED_PAGE,
    SLACK = 2 * MIB_PAGES,      /* pages that may always be dirty */
    MOST_BELOW = 8 * MIB_PAGES, /* and those below the highest use, at most */
    PART_OF_USED = 16,          /* one part in so many of the pages in use may be dirty, too */
    FORGET =
        8 * MIB_PAGES, /* after so many pages came back, an eighth of the difference is forgotten */
    MOST_WORDS = 1024, /* that one call looks at */
};

static size_t dirty_pages, used_pages, highest_used;
static size_t forget_countdown = FORGET;

size_t acre_threads_region_size(size_t bytes)
{
    size_t pages = bytes / ACRE_THREADED_PAGE + 2;
    return sizeof(struct acre_threads_region) + (pages / WORD_BITS + 1) * sizeof(size_t);
}

static size_t threads_page_index(const struct acre_threads_region *region, uintptr_t address)
{
    return (address >> ACRE_THREADED_PAGE_LOG2) - (region->region.start >> ACRE_THREADED_PAGE_LOG2);
}

static uintptr_t threads_page_address(const struct acre_threads_region *region, size_t index)
{
    return ((region->region.start >> ACRE_THREADED_PAGE_LOG2) + index) << ACRE_THREADED_PAGE_LOG2;
}

/* So many bits of a word from one on. */
static size_t threads_word_bits(size_t from, size_t many)
{
    return (many == WORD_BITS ? ~(size_t)0 : ((size_t)1 << many) - 1) << from;
}

static void threads_mark_word(size_t *word, size_t bits, bool dirty)
{
    size_t changed = dirty ? bits & ~*word : bits & *word;
    *word ^= changed;
    dirty_pages =
        dirty ? dirty_pages + acre_bits_count(changed) : dirty_pages - acre_bits_count(changed);
}

static void threads_mark_pages(
    struct acre_threads_region *region, size_t first, size_t pages, bool dirty)
{
    size_t words = (first + pages - 1) / WORD_BITS + 1;
    while (pages != 0) {
        size_t from = first % WORD_BITS;
        size_t many = pages < WORD_BITS - from ? pages : WORD_BITS - from;
        threads_mark_word(&region->dirty[first / WORD_BITS], threads_word_bits(from, many), dirty);
        first += many;
        pages -= many;
    }
    if (dirty && region->words < words)
        region->words = words;
}

/* A run may span regions that adjoin. */
static void threads_mark(uintptr_t start, size_t bytes, bool dirty)
{
    while (bytes != 0) {
        const struct acre_pool_region *found = acre_pool_find(&acre_serve.pool, start);
        if (found == NULL)
            return;
        size_t here = found->size - (start - found->start);
        here = here < bytes ? (size_t)acre_align_up(here, ACRE_THREADED_PAGE) : bytes;
        struct acre_threads_region *region = (struct acre_threads_region *)(uintptr_t)found;
        threads_mark_pages(
            region, threads_page_index(region, start), here / ACRE_THREADED_PAGE, dirty);
        start += here;
        bytes -= here;
    }
}

static void threads_discard_pages(const struct acre_threads_region *region, size_t word)
{
    size_t bits = region->dirty[word];
    while (bits != 0) {
        size_t first = acre_bits_lowest(bits);
        size_t above = ~(bits >> first);
        size_t many = above != 0 ? acre_bits_lowest(above) : WORD_BITS;
        bits &= ~threads_word_bits(first, many);
        uintptr_t start = threads_page_address(region, word * WORD_BITS + first);
        (void)acre_os_discard((void *)start, many * ACRE_THREADED_PAGE);
    }
}

/* The highest words of the newest region that may have dirty pages. False: there is none. */
static bool threads_sweep_word(void)
{
    struct acre_pool_region *found = acre_serve.pool.regions;
    while (found != NULL && ((struct acre_threads_region *)found)->words == 0)
        found = found->next;
    if (found == NULL)
        return false;
    struct acre_threads_region *region = (struct acre_threads_region *)found;
    size_t word = --region->words;
    threads_discard_pages(region, word);
    threads_mark_word(&region->dirty[word], ~(size_t)0, false);
    return true;
}

static size_t threads_most_dirty(void)
{
    size_t below = highest_used - used_pages;
    size_t part = used_pages / PART_OF_USED;
    below = below < MOST_BELOW ? below : MOST_BELOW;
    return SLACK + (below > part ? below : part);
}

static void threads_sweep_dirty(void)
{
    for (size_t i = 0; i < MOST_WORDS && dirty_pages > SLACK; i++)
        if (dirty_pages <= threads_most_dirty() || !threads_sweep_word())
            return;
}

void acre_threads_taken(void *arg, void *start, size_t bytes)
{
    (void)arg;
    used_pages += bytes / ACRE_THREADED_PAGE;
    if (highest_used < used_pages)
        highest_used = used_pages;
    threads_mark((uintptr_t)start, bytes, false);
    threads_sweep_dirty();
}

void acre_threads_released(void *arg, void *start, size_t bytes)
{
    size_t pages = bytes / ACRE_THREADED_PAGE;
    (void)arg;
    used_pages -= pages;
    threads_mark((uintptr_t)start, bytes, true);
    threads_sweep_dirty();
    if (forget_countdown > pages) {
        forget_countdown -= pages;
        return;
    }
    highest_used -= (highest_used - used_pages) / 8;
    forget_countdown = FORGET;
}

void acre_threads_forget_released(void)
{
    struct acre_pool_region *found = acre_serve.pool.regions;
    for (; found != NULL; found = found->next) {
        struct acre_threads_region *region = (struct acre_threads_region *)found;
        while (region->words != 0)
            region->dirty[--region->words] = 0;
    }
    dirty_pages = 0;
}
