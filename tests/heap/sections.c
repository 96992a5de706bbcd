/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "heap/sections.h"

#include "base/memory.h"
#include "heap/heap_private.h"

enum {
    PAGE = SECTIONS_PAGE,
    PAGES = SECTIONS_MEMORY / PAGE,
    RUN = 4,
    BLOCK = 200,
    BLOCKS = PAGES * PAGE / 2 / BLOCK
};

const char *const sections_names[SECTIONS_VERBS] = { "alloc", "alloc, refused", "dealloc",
    "realloc", "alloc_pages", "alloc_pages, refused", "dealloc_pages", "release_empty" };

static const struct sections_counter *with;
static struct acre_heap *heap;
static uintptr_t pages[PAGES];
static void *blocks[BLOCKS];
static size_t page_count, block_count;
static enum sections_verb verb; /* of the call */
static bool counts;             /* whether its sections are counted */
static bool is_counted;         /* the section */
static size_t idle;             /* instructions of an empty section */
static size_t longest[SECTIONS_LOCKS][SECTIONS_VERBS];
static size_t entered[SECTIONS_LOCKS][SECTIONS_VERBS];
static uint64_t seed;

static size_t draw(size_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (size_t)(seed >> 11) % below;
}

/* ---- the locks ---- */

static void enter(void *lock)
{
    size_t *seen = &entered[*(const unsigned char *)lock][verb];
    is_counted = counts && (++*seen <= with->most || verb == SECTIONS_DEALLOC);
    if (is_counted)
        with->start();
}

static void leave(void *lock)
{
    if (!is_counted)
        return;
    size_t steps = with->stop();
    size_t *most = &longest[*(const unsigned char *)lock][verb];
    is_counted = false;
    steps = steps > idle ? steps - idle : 0;
    *most = steps > *most ? steps : *most;
}

static unsigned char locks[SECTIONS_LOCKS] = { SECTIONS_BYTES, SECTIONS_PAGES };

/* ---- the heap ---- */

static const char *fill(void *memory)
{
    struct acre_num got;
    struct acre_ptr block;
    acre_heap_set_locks(heap, (struct acre_locker){ enter, leave, &locks[SECTIONS_BYTES] },
        (struct acre_locker){ enter, leave, &locks[SECTIONS_PAGES] });
    if (acre_heap_init(heap, memory, SECTIONS_MEMORY) != ACRE_OK)
        return "init";
    /* Every other run of RUN pages is handed out; blocks fill the others. */
    while ((got = acre_heap_alloc_pages(heap, 1, 1, 0)).status == ACRE_OK)
        pages[page_count++] = got.num;
    for (size_t i = 0; i < page_count; i++)
        if (i / RUN % 2 != 0 && acre_heap_dealloc_pages(heap, pages[i], 1) != ACRE_OK)
            return "dealloc_pages";
    while ((block = acre_heap_alloc(heap, acre_layout(BLOCK, 8))).status == ACRE_OK)
        blocks[block_count++] = block.ptr;
    return heap->chunks > PAGES / RUN / 2 - 16 ? NULL : "too few chunks";
}

/* ---- the calls ---- */

static void begin(enum sections_verb of, bool are_counted)
{
    verb = of;
    counts = are_counted;
}

static void alloc_in(size_t i)
{
    begin(SECTIONS_ALLOC, true);
    blocks[i] = acre_heap_alloc(heap, acre_layout(BLOCK, 8)).ptr;
}

/* Counted if it may be followed by a scan, or when that is asked for. */
static void free_in(size_t i, bool always)
{
    begin(SECTIONS_DEALLOC, always || heap->countdown <= 2);
    (void)acre_heap_dealloc(heap, blocks[i]);
    blocks[i] = NULL;
}

static void refuse(void)
{
    for (size_t i = 0; i < 300; i++) {
        begin(SECTIONS_REFUSED, i < 8 || i > 290);
        (void)!acre_heap_alloc(heap, acre_layout(RUN * PAGE, 8)).ptr;
        begin(SECTIONS_REFUSED_PAGES, i < 8 || i > 290);
        (void)!acre_heap_alloc_pages(heap, RUN + 1, 1, 0).num;
    }
}

static void churn(void)
{
    for (size_t k = 0; k < 200; k++) {
        size_t i = draw(block_count);
        if (blocks[i] != NULL)
            free_in(i, true);
        else
            alloc_in(i);
    }
}

static void call_realloc(void)
{
    for (size_t k = 0; k < 100; k++) {
        size_t i = draw(block_count);
        begin(SECTIONS_REALLOC, true);
        if (blocks[i] == NULL)
            continue;
        struct acre_ptr got = acre_heap_realloc(heap, blocks[i], acre_layout(1 + draw(400), 8));
        blocks[i] = got.ptr != NULL ? got.ptr : blocks[i];
    }
}

static void toggle_pages(void)
{
    for (size_t k = 0; k < 4; k++) {
        size_t i = draw(page_count / (2 * RUN)) * 2 * RUN;
        begin(SECTIONS_DEALLOC_PAGES, true);
        (void)acre_heap_dealloc_pages(heap, pages[i], 1);
        begin(SECTIONS_ALLOC_PAGES, true);
        pages[i] = acre_heap_alloc_pages(heap, 1, 1, 0).num;
    }
}

static void free_blocks(size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if (blocks[i] != NULL)
            free_in(i, false);
}

static void make_calls(void)
{
    refuse();
    churn();
    refuse();
    call_realloc();
    toggle_pages();
    free_blocks(0, block_count / 8);
    begin(SECTIONS_RELEASE, true);
    (void)acre_heap_release_empty(heap);
    for (size_t i = 0; i < 200; i++)
        alloc_in(i);
    toggle_pages();
}

/* What a lock without anything under it counts. */
static size_t count_idle(void)
{
    struct acre_locker empty = { enter, leave, &locks[SECTIONS_BYTES] };
    memset(longest, 0, sizeof longest);
    begin(SECTIONS_DEALLOC, true);
    acre_locker_lock(&empty);
    acre_locker_unlock(&empty);
    size_t steps = longest[SECTIONS_BYTES][SECTIONS_DEALLOC];
    memset(longest, 0, sizeof longest);
    memset(entered, 0, sizeof entered);
    return steps;
}

struct sections sections_count(
    struct acre_heap *self, void *memory, const struct sections_counter *counter)
{
    struct sections found = { .failed = NULL };
    with = counter;
    heap = self;
    seed = 88172645463325252u;
    page_count = block_count = idle = 0;
    idle = count_idle();
    counts = false;
    found.failed = fill(memory);
    if (found.failed == NULL)
        make_calls();
    counts = false;
    memcpy(found.longest, longest, sizeof longest);
    return found;
}
