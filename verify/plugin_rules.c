/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What acre/plugin.h promises and the suites over the handle do not ask, since they ask more. */
#include "verify/kit.h"

#include "support/expect.h"

enum { MOST = 8192, GUARD = 4096 };

static void *blocks[MOST];

static size_t fill_all(struct fixture *fixture, size_t size)
{
    size_t count = 0;
    for (; count < MOST; count++) {
        struct acre_ptr got = acre_alloc(fixture->bytes, acre_layout(size, 1));
        if (got.status != ACRE_OK)
            break;
        memset(got.ptr, (int)count, size);
        blocks[count] = got.ptr;
    }
    assert_sound(fixture);
    return count;
}

static void a_pool_may_hold_anything(struct fixture *fixture)
{
    static const int bytes[] = { 0x00, 0xff, 0x55, 0x80, 0x01 };
    for (size_t i = 0; i < sizeof bytes / sizeof bytes[0]; i++) {
        memset(fixture->arena.base, bytes[i], fixture->arena.size);
        begin(fixture, 0, fixture->arena.size);
        void *first = take(fixture, 100, 1);
        void *second = take(fixture, 300, 1);
        give(fixture, first);
        give(fixture, second);
    }
}

static void try_alignment(struct fixture *fixture, size_t size, size_t align)
{
    struct acre_ptr got = acre_alloc(fixture->bytes, acre_layout(size, align));
    assert_sound(fixture);
    if (got.status != ACRE_OK)
        return;
    assert_int_equal((uintptr_t)got.ptr & (align - 1), 0);
    memset(got.ptr, 7, size);
    give(fixture, got.ptr);
}

static void alignments_are_honoured_or_refused(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    for (size_t align = 1; align <= fixture->arena.size; align *= 2) {
        for (size_t size = 1; size <= 300; size += 1 + size / 2)
            try_alignment(fixture, size, align);
    }
}

/* No byte around the pool is written to. */
static void blocks_keep_to_the_pool(struct fixture *fixture)
{
    unsigned char *base = fixture->arena.base;
    size_t size = fixture->arena.size / 2;
    memset(base, 0x5a, fixture->arena.size);
    begin(fixture, GUARD, size);
    size_t count = fill_all(fixture, 48);
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++)
        give(fixture, blocks[i]);
    for (size_t at = 0; at < fixture->arena.size; at++) {
        if (at < GUARD || at >= GUARD + size)
            assert_int_equal(base[at], 0x5a);
    }
}

/* The i-th of `count` blocks to give back: in order, backwards, or from both halves in turn. */
static size_t order_of(size_t order, size_t i, size_t count)
{
    if (order == 0)
        return i;
    return order == 1 ? count - 1 - i : i / 2 + i % 2 * ((count + 1) / 2);
}

static void give_back(struct fixture *fixture, size_t count, size_t order)
{
    for (size_t i = 0; i < count; i++) {
        void *block = blocks[order_of(order, i, count)];
        assert_int_equal(acre_dealloc(fixture->bytes, block), ACRE_OK);
    }
}

/* As many blocks of a size fit as did before, in whatever order they were given back. */
static void memory_given_back_is_served_again(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    size_t first = fill_all(fixture, 200);
    assert_true(first > 0);
    for (size_t order = 0; order < 3; order++) {
        give_back(fixture, first, order);
        assert_int_equal(fill_all(fixture, 200), first);
    }
}

static void no_room_is_null(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    refuse_alloc(fixture, fixture->arena.size + 1, 1, ACRE_NO_MEMORY);
    refuse_alloc(fixture, fixture->arena.size * 2, 1, ACRE_NO_MEMORY);
    assert_true(fill_all(fixture, 1000) < MOST);
    refuse_alloc(fixture, fixture->arena.size / 2, 1, ACRE_NO_MEMORY);
}

static void an_instance_can_be_made_again(struct fixture *fixture)
{
    for (size_t i = 0; i < 100; i++) {
        begin(fixture, 0, fixture->arena.size);
        void *ptr = take(fixture, 1 + i, 1);
        if (i % 2 == 0)
            give(fixture, ptr);
    }
}

const struct test_case kit_plugin_cases[] = {
    { "a pool may hold any bytes", a_pool_may_hold_anything, 1 << 12, ACRE_SUBJECT_PLAIN, NULL },
    { "an alignment is honoured or refused", alignments_are_honoured_or_refused, 1 << 14,
        ACRE_SUBJECT_PLAIN, NULL },
    { "no byte outside the pool is written", blocks_keep_to_the_pool, 1 << 14, ACRE_SUBJECT_PLAIN,
        NULL },
    { "memory given back is served again", memory_given_back_is_served_again, 1 << 13,
        ACRE_SUBJECT_PLAIN, NULL },
    { "no room is null", no_room_is_null, 1 << 12, ACRE_SUBJECT_PLAIN, NULL },
    { "instances can be made and ended", an_instance_can_be_made_again, 1 << 12, ACRE_SUBJECT_PLAIN,
        NULL },
    { NULL, NULL, 0, 0, NULL },
};
