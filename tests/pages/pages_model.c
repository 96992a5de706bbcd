/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pages_model.h"

#include "base/arith.h"

#include <stdlib.h>
#include <string.h>

#define REQUIRE(cond) ((cond) ? (void)0 : pages_model_fail(#cond, __LINE__))

size_t choose(struct choices *choices, size_t bound)
{
    size_t value = 0;
    size_t most;

    if (choices->bytes == NULL)
        return rng_below(&choices->rng, bound);
    for (most = bound; most > 1 && choices->left != 0; most >>= 8, choices->left--)
        value = value << 8 | *choices->bytes++;
    return value % bound;
}

static uintptr_t address(const struct pages_model *model, size_t index)
{
    return (model->first + index) * model->page_size;
}

static void add_range(struct pages_model *model, size_t at, size_t pages)
{
    size_t size = acre_bitmap_metadata_size(pages);
    void *meta = malloc(size);

    REQUIRE(meta != NULL);
    REQUIRE(size <= ACRE_BITMAP_METADATA_BYTES(pages));
    memset(meta, 0xa5, size);
    REQUIRE(acre_bitmap_add_memory_apart(&model->bitmap, address(model, at),
                pages * model->page_size, meta, size) == ACRE_OK);
    memset(model->state + at, PAGE_FREE, pages);
    model->meta[model->ranges] = meta;
    model->meta_size[model->ranges++] = size;
    model->pages += pages;
}

static void mark(struct pages_model *model, size_t index, size_t count, enum page_state state)
{
    memset(model->state + index, (int)state, count);
    model->used += state == PAGE_USED ? count : 0 - count;
}

/** An allocator without a range; few or many of its groups may be dirty. */
static void start_empty(struct pages_model *model, struct choices *choices)
{
    static const size_t limits[] = { 0, 1, 2, ACRE_BITMAP_MAX_DIRTY_DEFAULT };

    memset(model, 0, sizeof *model);
    memset(model->state, PAGE_FOREIGN, sizeof model->state);
    model->page_size = (size_t)1 << choose(choices, 14);
    model->first = choose(choices, 3) != 0 ? choose(choices, 100000) : 0;
    model->most = 900;
    REQUIRE(acre_bitmap_setup(&model->bitmap, model->page_size) == ACRE_OK);
    acre_bitmap_set_max_dirty(&model->bitmap, limits[choose(choices, 4)]);
}

void pages_model_start(struct pages_model *model, struct choices *choices)
{
    size_t ranges = 1 + choose(choices, PAGES_MODEL_RANGES);

    start_empty(model, choices);
    while (model->ranges < ranges) {
        size_t gap = choose(choices, 2) != 0 ? choose(choices, 50) : 0;
        size_t pages = 1 + choose(choices, choose(choices, 2) != 0 ? 1800 : 100);

        gap += ACRE_MAX_POOL != 0 && gap == 0; /* where no run crosses into another range */

        add_range(model, model->span + gap, pages);
        model->span += gap + pages;
    }
}

void pages_model_start_large(struct pages_model *model, struct choices *choices)
{
    size_t pages = PAGES_MODEL_SPAN - choose(choices, 3000);

    start_empty(model, choices);
    model->most = 14000;
    add_range(model, 0, pages);
    model->span = pages;
    if (choose(choices, 2) != 0) {
        REQUIRE(acre_bitmap_alloc_pages(&model->bitmap, pages, 1).status == ACRE_OK);
        mark(model, 0, pages, PAGE_USED);
    }
}

/** True when `count` pages from `index` on are all in a state. */
static bool all(const struct pages_model *model, size_t index, size_t count, enum page_state state)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (index + i >= model->span || model->state[index + i] != state)
            return false;
    return true;
}

/** The lowest index where the run fits; model->span when there is none. */
static size_t first_fit(const struct pages_model *model, size_t count, size_t align)
{
    size_t start = 0;
    size_t index;

    for (index = 0; index < model->span; index++) {
        if (model->state[index] != PAGE_FREE)
            start = index + 1;
        start = acre_align_up(model->first + start, align) - model->first;
        if (index + 1 >= start + count)
            return start;
    }
    return model->span;
}

static size_t longest_free(const struct pages_model *model)
{
    size_t longest = 0;
    size_t run = 0;
    size_t index;

    for (index = 0; index < model->span; index++) {
        run = model->state[index] == PAGE_FREE ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest;
}

static size_t some_count(const struct pages_model *model, struct choices *choices)
{
    const size_t most[] = { 1, 1, 1, 3, 10, 70, model->most };

    return 1 + choose(choices, most[choose(choices, sizeof most / sizeof *most)]);
}

static void step_alloc(struct pages_model *model, struct choices *choices)
{
    size_t count = some_count(model, choices);
    size_t align = (size_t)1 << (choose(choices, 3) != 0 ? 0 : choose(choices, 9));
    size_t expected = first_fit(model, count, align);
    struct acre_num got = acre_bitmap_alloc_pages(&model->bitmap, count, align * model->page_size);

    if (expected == model->span) {
        REQUIRE(got.status == ACRE_NO_MEMORY);
        return;
    }
    REQUIRE(got.status == ACRE_OK);
    REQUIRE(got.num == address(model, expected));
    mark(model, expected, count, PAGE_USED);
}

/** True when a run meets the conditions, decided page by page. */
static bool meets(const struct pages_model *model, size_t index, size_t count,
    const struct acre_run_limits *limits)
{
    uintptr_t start = address(model, index);
    uintptr_t last = start + (count * model->page_size - 1);
    size_t align = limits->align != 0 ? limits->align : 1;

    return start >= limits->lowest && (limits->highest == 0 || last <= limits->highest) &&
           start % align == limits->phase % align &&
           (limits->boundary == 0 || start / limits->boundary == last / limits->boundary) &&
           all(model, index, count, PAGE_FREE);
}

/** The index where a run that meets the conditions begins; model->span when there is none. */
static size_t fit_within(
    const struct pages_model *model, size_t count, const struct acre_run_limits *limits)
{
    size_t found = model->span;
    size_t run = 0;
    size_t end;

    for (end = 1; end <= model->span && (found == model->span || limits->top_down); end++) {
        run = model->state[end - 1] == PAGE_FREE ? run + 1 : 0;
        if (run >= count && meets(model, end - count, count, limits))
            found = end - count;
    }
    return found;
}

static void some_limits(
    const struct pages_model *model, struct choices *choices, struct acre_run_limits *limits)
{
    size_t low = choose(choices, model->span);
    size_t high = choose(choices, model->span);

    memset(limits, 0, sizeof *limits);
    limits->top_down = choose(choices, 2) != 0;
    if (choose(choices, 2) != 0)
        limits->lowest = address(model, low) - choose(choices, 2) * (model->first + low != 0);
    if (choose(choices, 2) != 0)
        limits->highest = address(model, high) + choose(choices, model->page_size + 1);
    if (choose(choices, 2) != 0) {
        limits->align = model->page_size << choose(choices, 9);
        limits->phase = choose(choices, limits->align / model->page_size) * model->page_size;
    }
    if (choose(choices, 2) != 0)
        limits->boundary = model->page_size << choose(choices, 11);
}

static void step_alloc_within(struct pages_model *model, struct choices *choices)
{
    struct acre_run_limits limits;
    size_t count = some_count(model, choices);
    size_t expected;
    struct acre_num got;

    some_limits(model, choices, &limits);
    expected = fit_within(model, count, &limits);
    got = acre_bitmap_alloc_pages_within(&model->bitmap, count, &limits);
    if (expected == model->span) {
        REQUIRE(got.status == ACRE_NO_MEMORY);
        return;
    }
    REQUIRE(got.status == ACRE_OK);
    REQUIRE(got.num == address(model, expected));
    mark(model, expected, count, PAGE_USED);
}

static void step_alloc_at(struct pages_model *model, struct choices *choices)
{
    size_t index = choose(choices, model->span);
    size_t count = 1 + choose(choices, 20);
    bool fits = all(model, index, count, PAGE_FREE);
    struct acre_num got =
        acre_bitmap_alloc_pages_at(&model->bitmap, address(model, index), count, model->page_size);

    REQUIRE(got.status == (fits ? ACRE_OK : ACRE_NO_MEMORY));
    if (fits)
        mark(model, index, count, PAGE_USED);
}

/** The metadata of all ranges, copied: what a refused call must not change. */
static unsigned char *copy_metadata(const struct pages_model *model, size_t *size)
{
    unsigned char *copy;
    size_t at = 0;
    size_t i;

    *size = 0;
    for (i = 0; i < model->ranges; i++)
        *size += model->meta_size[i];
    copy = malloc(*size);
    REQUIRE(copy != NULL);
    for (i = 0; i < model->ranges; at += model->meta_size[i++])
        memcpy(copy + at, model->meta[i], model->meta_size[i]);
    return copy;
}

static void dealloc(struct pages_model *model, size_t index, size_t count)
{
    struct acre_bitmap before = model->bitmap;
    size_t size;
    unsigned char *copy = copy_metadata(model, &size);
    bool good = all(model, index, count, PAGE_USED);
    enum acre_status status =
        acre_bitmap_dealloc_pages(&model->bitmap, address(model, index), count);

    REQUIRE(status == (good ? ACRE_OK : ACRE_NOT_ALLOCATED));
    if (good) {
        mark(model, index, count, PAGE_FREE);
    } else {
        unsigned char *after = copy_metadata(model, &size);

        REQUIRE(memcmp(copy, after, size) == 0);
        REQUIRE(memcmp(&before, &model->bitmap, sizeof before) == 0);
        free(after);
    }
    free(copy);
}

static void step_dealloc(struct pages_model *model, struct choices *choices)
{
    size_t index = choose(choices, model->span);
    size_t count = some_count(model, choices);
    size_t have = 0;

    if (choose(choices, 4) == 0) {
        dealloc(model, index, count);
        return;
    }
    while (index < model->span && model->state[index] != PAGE_USED)
        index++;
    while (have < count && all(model, index + have, 1, PAGE_USED))
        have++;
    if (have != 0)
        dealloc(model, index, have);
}

/** What must hold after every operation. */
static void audit(const struct pages_model *model)
{
    struct acre_stats stats = acre_bitmap_stats(&model->bitmap);
    struct acre_check_result check = acre_bitmap_check(&model->bitmap);

    if (check.invariant != NULL)
        pages_model_fail(check.invariant, __LINE__);
    REQUIRE(stats.total == stats.metadata + stats.used + stats.available);
    REQUIRE(stats.used == model->used * model->page_size);
    REQUIRE(stats.available == (model->pages - model->used) * model->page_size);
    REQUIRE(stats.largest_free == longest_free(model) * model->page_size);
    REQUIRE(stats.live_blocks == model->used);
}

void pages_model_step(struct pages_model *model, struct choices *choices)
{
    size_t kind = choose(choices, 12);

    if (kind >= 10)
        step_alloc_within(model, choices);
    else if (kind < 5)
        step_alloc(model, choices);
    else if (kind < 9)
        step_dealloc(model, choices);
    else
        step_alloc_at(model, choices);
    audit(model);
}

void pages_model_end(struct pages_model *model)
{
    size_t index;
    size_t i;

    for (index = 0; index < model->span; index++)
        if (model->state[index] == PAGE_USED)
            dealloc(model, index, 1);
    audit(model);
    REQUIRE(acre_bitmap_stats(&model->bitmap).used == 0);
    for (i = 0; i < model->ranges; i++)
        free(model->meta[i]);
}
