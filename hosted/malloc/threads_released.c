/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Pages that heaps gave back, and whose memory the system has not got back yet: a queue, so that
 * pages that are soon needed again cost no fault, and others do not stay. Everything here runs
 * under the lock.
 *
 * The queue holds at most a quarter of the bytes in use, or LEAST. Each release adds to its end and
 * takes from its front what is above that, so the work of a free is bounded by what it and a few
 * before it released. Pages of a queued run that are in use again are left alone, and pages that
 * come back a second time stand at the end of the queue only.
 */
#include "malloc/threads.h"
#include "os/os.h"

enum {
    RUNS = 512,       /* in the queue */
    LEAST = 16 << 20, /* bytes that may always be queued */
    PART_OF_USED = 4  /* beyond that, the queue holds one part in so many of the bytes in use */
};

struct released_run {
    uintptr_t start;
    size_t bytes;
};

static struct released_run queue[RUNS];
static size_t first, count;
static size_t queued; /* bytes */

static void threads_discard_unused(uintptr_t start, uintptr_t end)
{
    if (start < end)
        (void)acre_os_discard((void *)start, end - start);
}

/* Discards the pages of a run that no heap has taken again. */
static void threads_discard_run(struct released_run run)
{
    uintptr_t unused = run.start;
    uintptr_t end = run.start + run.bytes;
    for (uintptr_t page = run.start; page < end; page += ACRE_THREADED_PAGE)
        if (acre_bitmap_is_allocated(&acre_threads.pages, page, 1)) {
            threads_discard_unused(unused, page);
            unused = page + ACRE_THREADED_PAGE;
        }
    threads_discard_unused(unused, end);
}

static void threads_discard_oldest(void)
{
    struct released_run run = queue[first];
    first = (first + 1) % RUNS;
    count--;
    queued -= run.bytes;
    threads_discard_run(run);
}

static size_t threads_most_queued(void)
{
    size_t used = acre_used_pages(acre_bitmap_pages(&acre_threads.pages)) * ACRE_THREADED_PAGE;
    return used / PART_OF_USED > LEAST ? used / PART_OF_USED : LEAST;
}

/* Takes pages that come back again out of the runs that have them from before; of a run with such pages in
 * its middle, the larger part stays. O(RUNS). */
static void threads_leave_queue(uintptr_t start, uintptr_t end)
{
    for (size_t i = 0; i < count; i++) {
        struct released_run *run = &queue[(first + i) % RUNS];
        uintptr_t run_end = run->start + run->bytes;
        if (run_end <= start || end <= run->start)
            continue;
        size_t below = run->start < start ? start - run->start : 0;
        size_t above = end < run_end ? run_end - end : 0;
        queued -= run->bytes;
        run->start = below >= above ? run->start : end;
        run->bytes = below >= above ? below : above;
        queued += run->bytes;
    }
}

/* Adjoining runs, as the slabs of a heap that shrinks are, become one. */
static void threads_add_run(uintptr_t start, size_t bytes)
{
    struct released_run *last = &queue[(first + count + RUNS - 1) % RUNS];
    threads_leave_queue(start, start + bytes);
    queued += bytes;
    if (count != 0 && last->start + last->bytes == start) {
        last->bytes += bytes;
        return;
    }
    if (count == RUNS)
        threads_discard_oldest();
    queue[(first + count) % RUNS] = (struct released_run){ .start = start, .bytes = bytes };
    count++;
}

void acre_threads_released(void *arg, void *start, size_t bytes)
{
    (void)arg;
    threads_add_run((uintptr_t)start, bytes);
    size_t most =
        queued > LEAST ? threads_most_queued() : LEAST; /* the used bytes take some counting */
    while (count != 0 && queued > most)
        threads_discard_oldest();
}

void acre_threads_forget_released(void)
{
    first = count = queued = 0;
}
