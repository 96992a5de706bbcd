/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pages_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uintptr_t address(const struct pages_model *model, size_t index)
{
    return (model->first + index) * model->page_size;
}

static void add_range(struct pages_model *model, size_t at, size_t pages)
{
    size_t size = acre_bitmap_metadata_size(pages);
    void *meta = malloc(size);

    assert_non_null(meta);
    assert_true(size <= ACRE_BITMAP_METADATA_BYTES(pages));
    memset(meta, 0xa5, size);
    assert_int_equal(ACRE_OK, acre_bitmap_add_memory_apart(&model->bitmap, address(model, at),
                                  pages * model->page_size, meta, size));
    memset(model->state + at, PAGE_FREE, pages);
    model->meta[model->ranges] = meta;
    model->meta_size[model->ranges++] = size;
    model->pages += pages;
}

void pages_model_start(struct pages_model *model, struct rng *rng)
{
    size_t ranges = 1 + rng_below(rng, PAGES_MODEL_RANGES);

    memset(model, 0, sizeof *model);
    memset(model->state, PAGE_FOREIGN, sizeof model->state);
    model->page_size = (size_t)1 << rng_below(rng, 14);
    model->first = rng_below(rng, 3) != 0 ? rng_below(rng, 100000) : 0;
    assert_int_equal(ACRE_OK, acre_bitmap_setup(&model->bitmap, model->page_size));
    while (model->ranges < ranges) {
        size_t gap = rng_below(rng, 2) != 0 ? rng_below(rng, 50) : 0;
        size_t pages = 1 + rng_below(rng, rng_below(rng, 2) != 0 ? 1800 : 100);

        add_range(model, model->span + gap, pages);
        model->span += gap + pages;
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
    size_t index;

    for (index = 0; index + count <= model->span; index++)
        if ((model->first + index) % align == 0 && all(model, index, count, PAGE_FREE))
            return index;
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

static void mark(struct pages_model *model, size_t index, size_t count, enum page_state state)
{
    memset(model->state + index, (int)state, count);
    model->used += state == PAGE_USED ? count : 0 - count;
}

static size_t some_count(struct rng *rng)
{
    static const size_t most[] = { 1, 1, 1, 3, 10, 70, 900 };

    return 1 + rng_below(rng, most[rng_below(rng, sizeof most / sizeof *most)]);
}

static void step_alloc(struct pages_model *model, struct rng *rng)
{
    size_t count = some_count(rng);
    size_t align = (size_t)1 << (rng_below(rng, 3) != 0 ? 0 : rng_below(rng, 9));
    size_t expected = first_fit(model, count, align);
    struct acre_num got = acre_bitmap_alloc_pages(&model->bitmap, count, align * model->page_size);

    if (expected == model->span) {
        assert_int_equal(ACRE_NO_MEMORY, got.status);
        return;
    }
    assert_int_equal(ACRE_OK, got.status);
    assert_int_equal(address(model, expected), got.num);
    mark(model, expected, count, PAGE_USED);
}

static void step_alloc_at(struct pages_model *model, struct rng *rng)
{
    size_t index = rng_below(rng, model->span);
    size_t count = 1 + rng_below(rng, 20);
    bool fits = all(model, index, count, PAGE_FREE);
    struct acre_num got =
        acre_bitmap_alloc_pages_at(&model->bitmap, address(model, index), count, model->page_size);

    assert_int_equal(fits ? ACRE_OK : ACRE_NO_MEMORY, got.status);
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
    assert_non_null(copy);
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

    assert_int_equal(good ? ACRE_OK : ACRE_NOT_ALLOCATED, status);
    if (good) {
        mark(model, index, count, PAGE_FREE);
    } else {
        unsigned char *after = copy_metadata(model, &size);

        assert_memory_equal(copy, after, size);
        assert_memory_equal(&before, &model->bitmap, sizeof before);
        free(after);
    }
    free(copy);
}

static void step_dealloc(struct pages_model *model, struct rng *rng)
{
    size_t index = rng_below(rng, model->span);
    size_t count = some_count(rng);
    size_t have = 0;

    if (rng_below(rng, 4) == 0) {
        dealloc(model, index, count);
        return;
    }
    while (index < model->span && model->state[index] != PAGE_USED)
        index++;
    while (have < count && all(model, index, have + 1, PAGE_USED))
        have++;
    if (have != 0)
        dealloc(model, index, have);
}

/** What must hold after every operation. */
static void audit(const struct pages_model *model)
{
    struct acre_stats stats = acre_bitmap_stats(&model->bitmap);
    struct acre_check_result check = acre_bitmap_check(&model->bitmap);

    assert_string_equal("", check.invariant == NULL ? "" : check.invariant);
    assert_int_equal(stats.total, stats.metadata + stats.used + stats.available);
    assert_int_equal(model->used * model->page_size, stats.used);
    assert_int_equal((model->pages - model->used) * model->page_size, stats.available);
    assert_int_equal(longest_free(model) * model->page_size, stats.largest_free);
    assert_int_equal(model->used, stats.live_blocks);
}

void pages_model_step(struct pages_model *model, struct rng *rng)
{
    size_t kind = rng_below(rng, 10);

    if (kind < 5)
        step_alloc(model, rng);
    else if (kind < 9)
        step_dealloc(model, rng);
    else
        step_alloc_at(model, rng);
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
    assert_int_equal(0, acre_bitmap_stats(&model->bitmap).used);
    for (i = 0; i < model->ranges; i++)
        free(model->meta[i]);
}
