/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Pages that heaps gave back, and whose memory the system has not got back yet: pages that are soon
 * needed again cost no fault, and others do not stay. Everything here runs under the lock.
 *
 * Each region has a bit per page: it came back and still has its memory (dirty). There are at most a
 * quarter of the bytes in use of these, or LEAST. What is above goes back, from the highest
 * addresses down, for the page allocator takes the lowest pages first. A page that is in use again
 * keeps its bit, and counts, until the sweep passes it. So a release only sets bits, and the work
 * of a sweep is bounded by what came back before it.
 */
#include "malloc/threads.h"
#include "os/os.h"

enum {
    WORD_BITS = 8 * sizeof(size_t),
    LEAST = 16 << 20,  /* bytes that may always be dirty */
    PART_OF_USED = 4,  /* beyond that, one part in so many of the bytes in use */
    MOST_WORDS = 1024, /* that one release looks at */
};

static size_t dirty_pages;

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

static void threads_mark_pages(struct acre_threads_region *region, size_t first, size_t pages)
{
    while (pages != 0) {
        size_t from = first % WORD_BITS;
        size_t many = pages < WORD_BITS - from ? pages : WORD_BITS - from;
        size_t *word = &region->dirty[first / WORD_BITS];
        size_t bits = threads_word_bits(from, many) & ~*word;
        dirty_pages += acre_bits_count(bits);
        *word |= bits;
        first += many;
        pages -= many;
    }
    size_t words = (first - 1) / WORD_BITS + 1;
    if (region->words < words)
        region->words = words;
}

/* A run may span regions that adjoin. */
static void threads_mark(uintptr_t start, size_t bytes)
{
    while (bytes != 0) {
        const struct acre_pool_region *found = acre_pool_find(&acre_serve.pool, start);
        if (found == NULL)
            return;
        size_t here = found->size - (start - found->start);
        here = here < bytes ? (size_t)acre_align_up(here, ACRE_THREADED_PAGE) : bytes;
        struct acre_threads_region *region = (struct acre_threads_region *)(uintptr_t)found;
        threads_mark_pages(region, threads_page_index(region, start), here / ACRE_THREADED_PAGE);
        start += here;
        bytes -= here;
    }
}

/* Discards those of the pages of a word that no heap has taken again. */
static void threads_discard_pages(const struct acre_threads_region *region, size_t word)
{
    size_t bits = region->dirty[word];
    uintptr_t start = 0, end = 0;
    while (bits != 0) {
        uintptr_t page = threads_page_address(region, word * WORD_BITS + acre_bits_lowest(bits));
        bits &= bits - 1;
        if (acre_bitmap_is_allocated(&acre_threads.pages, page, 1))
            continue;
        if (page != end) {
            if (start != end)
                (void)acre_os_discard((void *)start, end - start);
            start = page;
        }
        end = page + ACRE_THREADED_PAGE;
    }
    if (start != end)
        (void)acre_os_discard((void *)start, end - start);
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
    dirty_pages -= acre_bits_count(region->dirty[word]);
    region->dirty[word] = 0;
    return true;
}

static size_t threads_most_dirty(void)
{
    size_t used = acre_used_pages(acre_bitmap_pages(&acre_threads.pages)) / PART_OF_USED;
    size_t least = LEAST / ACRE_THREADED_PAGE;
    return used > least ? used : least;
}

void acre_threads_released(void *arg, void *start, size_t bytes)
{
    (void)arg;
    threads_mark((uintptr_t)start, bytes);
    if (dirty_pages <= LEAST / ACRE_THREADED_PAGE)
        return;
    size_t most = threads_most_dirty(); /* the used pages take some counting */
    for (size_t i = 0; i < MOST_WORDS && dirty_pages > most; i++)
        if (!threads_sweep_word())
            return;
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
