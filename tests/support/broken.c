/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The naive allocator behind a wrapper that breaks one promise. The suites must fail over each of
 * these: they test the tests.
 */
#include "support/backends.h"
#include "support/naive.h"

extern const struct acre_subject backend_naive;

#include <string.h>

struct broken {
    struct naive inner; /* first, so that the counters' offsets are the inner ones */
    size_t calls;
    unsigned char *freed; /* the block freed last */
};

static struct acre_ptr alloc(void *self, struct acre_layout layout)
{
    struct broken *broken = self;
    struct acre_ptr got = naive_ops.alloc(&broken->inner, layout);
    broken->calls += got.status == ACRE_OK;
    return got;
}

/* Every fourth block starts inside the one in front of it. */
static struct acre_ptr alloc_overlapping(void *self, struct acre_layout layout)
{
    struct broken *broken = self;
    struct acre_ptr got = alloc(self, layout);
    if (got.status == ACRE_OK && broken->calls % 4 == 0 && layout.align <= 16)
        got.ptr = (unsigned char *)got.ptr - 64;
    return got;
}

static struct acre_ptr alloc_misaligned(void *self, struct acre_layout layout)
{
    return alloc(self, acre_layout(layout.size, layout.align > 64 ? 64 : layout.align));
}

/* Sizes are rounded before they are checked. */
static struct acre_ptr alloc_wrapping(void *self, struct acre_layout layout)
{
    return alloc(self, acre_layout((layout.size + 31) / 32 * 32, layout.align));
}

/* A second free of the last block passes. */
static enum acre_status dealloc_twice(void *self, void *ptr)
{
    struct broken *broken = self;
    enum acre_status status = naive_ops.dealloc(self, ptr);
    if (status == ACRE_OK)
        broken->freed = ptr;
    return ptr != NULL && ptr == broken->freed ? ACRE_OK : status;
}

/* Pointers into a block pass for its start. */
static enum acre_status dealloc_inside(void *self, void *ptr)
{
    return naive_ops.dealloc(self, (void *)((uintptr_t)ptr & ~(uintptr_t)15));
}

/* A refused free leaves a trace. */
static enum acre_status dealloc_marking(void *self, void *ptr)
{
    struct broken *broken = self;
    enum acre_status status = naive_ops.dealloc(self, ptr);
    broken->calls += status != ACRE_OK;
    return status;
}

static enum acre_status dealloc_sized_blind(void *self, void *ptr, struct acre_layout layout)
{
    (void)layout;
    return naive_ops.dealloc(self, ptr);
}

/* A block that moved lost its last byte. */
static struct acre_ptr realloc_losing(void *self, void *ptr, struct acre_layout layout)
{
    size_t old = naive_ops.usable_size(self, ptr).num;
    struct acre_ptr got = naive_ops.realloc(self, ptr, layout);
    if (got.status == ACRE_OK && got.ptr != ptr && old > 0 && old <= layout.size)
        ((unsigned char *)got.ptr)[old - 1] ^= 1;
    return got;
}

static struct acre_ptr realloc_unaligned(void *self, void *ptr, struct acre_layout layout)
{
    return naive_ops.realloc(self, ptr, acre_layout(layout.size, layout.align ? 1 : 0));
}

/* One refused request too many is counted. */
static enum acre_status resize_counting(void *self, void *ptr, size_t size)
{
    struct broken *broken = self;
    enum acre_status status = naive_ops.resize(self, ptr, size);
    broken->inner.failed += status == ACRE_NO_MEMORY;
    return status;
}

static enum acre_status add_anything(void *self, void *start, size_t size)
{
    enum acre_status status = naive_ops.base.add_memory(self, start, size);
    return status == ACRE_MEMORY_OVERLAP ? ACRE_OK : status;
}

static struct acre_stats stats_off(const void *self)
{
    struct acre_stats stats = naive_ops.base.stats(self);
    stats.available -= stats.live_blocks > 2 ? 16 : 0;
    return stats;
}

static struct acre_stats stats_boasting(const void *self)
{
    struct acre_stats stats = naive_ops.base.stats(self);
    stats.largest_free += stats.live_blocks > 1 && stats.largest_free > 64 ? 16 : 0;
    return stats;
}

/* The header in front of a pointer is believed before the pointer is. */
static struct acre_num usable_believing(const void *self, const void *ptr)
{
    const volatile size_t *header = (const void *)((const char *)ptr - NAIVE_HEADER);
    if (header[1] == 0) /* whether it is live */
        return (struct acre_num){ 0, ACRE_NOT_ALLOCATED };
    return naive_ops.usable_size(self, ptr);
}

struct short_walk {
    acre_walk_fn *visit;
    void *arg;
    size_t seen;
};

static bool visit_some(void *arg, void *start, size_t size, bool live)
{
    struct short_walk *walk = arg;
    return walk->seen++ < 3 && walk->visit(walk->arg, start, size, live);
}

static void walk_short(const void *self, acre_walk_fn *visit, void *arg)
{
    struct short_walk walk = { visit, arg, 0 };
    naive_ops.walk(self, visit_some, &walk);
}

static void normalize(void *self)
{
    struct broken *broken = self;
    broken->inner.peak = broken->inner.used;
    broken->inner.failed = 0;
}

/* The byte after a block counts as part of it. */
static struct acre_block find_past_the_end(const void *self, const void *ptr)
{
    struct acre_block block = naive_ops.find(self, ptr);
    return block.status == ACRE_OK ? block : naive_ops.find(self, (const char *)ptr - 1);
}

static size_t slack(size_t usable)
{
    return backend_naive.slack(usable);
}

/* A backend whose table is the naive one but for one verb. */
#define BROKEN(id, verb, function)                                                                 \
    static struct acre_bytes bind_##id(void *self)                                                 \
    {                                                                                              \
        static struct acre_bytes_ops ops;                                                          \
        ops = naive_ops;                                                                           \
        ops.verb = function;                                                                       \
        return (struct acre_bytes){ &ops, self };                                                  \
    }                                                                                              \
    static const struct acre_subject backend_##id = {                                              \
        .abi = ACRE_SUBJECT_ABI,                                                                   \
        .name = "broken-" #id,                                                                     \
        .caps =                                                                                    \
            ACRE_SUBJECT_CONTENTS | ACRE_SUBJECT_TILES | ACRE_SUBJECT_SCRUB | ACRE_SUBJECT_EXACT,  \
        .self_size = sizeof(struct broken),                                                        \
        .counters = { 1 + offsetof(struct broken, inner.failed) },                                 \
        .header = NAIVE_HEADER,                                                                    \
        .region_enough = 256,                                                                      \
        .arena_most = SIZE_MAX,                                                                    \
        .bind = bind_##id,                                                                         \
        .normalize = normalize,                                                                    \
        .slack = slack,                                                                            \
    }

BROKEN(overlap, alloc, alloc_overlapping);
BROKEN(align, alloc, alloc_misaligned);
BROKEN(wrap, alloc, alloc_wrapping);
BROKEN(twice, dealloc, dealloc_twice);
BROKEN(inside, dealloc, dealloc_inside);
BROKEN(mark, dealloc, dealloc_marking);
BROKEN(sized, dealloc_sized, dealloc_sized_blind);
BROKEN(contents, realloc, realloc_losing);
BROKEN(realign, realloc, realloc_unaligned);
BROKEN(count, resize, resize_counting);
BROKEN(add, base.add_memory, add_anything);
BROKEN(stats, base.stats, stats_off);
BROKEN(boast, base.stats, stats_boasting);
BROKEN(believe, usable_size, usable_believing);
BROKEN(walk, walk, walk_short);
BROKEN(past_end, find, find_past_the_end);

const struct acre_subject *const broken_backends[] = {
    &backend_overlap,
    &backend_align,
    &backend_wrap,
    &backend_twice,
    &backend_inside,
    &backend_mark,
    &backend_sized,
    &backend_contents,
    &backend_realign,
    &backend_count,
    &backend_add,
    &backend_stats,
    &backend_boast,
    &backend_believe,
    &backend_walk,
    &backend_past_end,
    NULL,
};
