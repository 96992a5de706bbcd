/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "misuse/misuse.h"

#include "support/expect.h"
#include "support/naive.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 16 };

static void set_up(struct fixture *fixture, unsigned char *blocks[BLOCKS])
{
    begin(fixture, 0, fixture->arena.size);
    for (size_t i = 0; i < BLOCKS; i++)
        blocks[i] = take(fixture, 50 + 10 * i, 1);
}

static void double_free_at_once(struct fixture *fixture)
{
    unsigned char *blocks[BLOCKS];
    set_up(fixture, blocks);
    for (size_t i = 0; i < BLOCKS; i++) {
        give(fixture, blocks[i]);
        refuse_ptr(fixture, blocks[i]);
    }
}

static void double_free_after_others(struct fixture *fixture)
{
    static void *blocks[1025];
    begin(fixture, 0, fixture->arena.size);
    for (size_t i = 0; i < 1025; i++)
        assert_non_null(blocks[i] = acre_alloc(fixture->bytes, acre_layout(40, 1)).ptr);
    for (size_t i = 0; i < 1025; i++)
        assert_int_equal(acre_dealloc(fixture->bytes, blocks[i]), ACRE_OK);
    assert_sound(fixture);
    refuse_ptr(fixture, blocks[0]);
    refuse_ptr(fixture, blocks[512]);
    refuse_ptr(fixture, blocks[1024]);
}

static void double_free_interleaved(struct fixture *fixture)
{
    unsigned char *blocks[BLOCKS];
    set_up(fixture, blocks);
    for (size_t i = 0; i + 1 < BLOCKS; i += 2) {
        give(fixture, blocks[i]);
        give(fixture, blocks[i + 1]);
        refuse_ptr(fixture, blocks[i]);
        refuse_ptr(fixture, blocks[i + 1]);
    }
}

static void double_free_after_merging(struct fixture *fixture)
{
    static const size_t order[] = { 5, 4, 6, 3, 7, 10, 12, 11 };
    unsigned char *blocks[BLOCKS];
    set_up(fixture, blocks);
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        give(fixture, blocks[order[i]]);
        for (size_t j = 0; j <= i; j++)
            refuse_ptr(fixture, blocks[order[j]]);
    }
}

static void double_free_inside_a_larger_block(struct fixture *fixture)
{
    unsigned char *blocks[BLOCKS];
    set_up(fixture, blocks);
    for (size_t i = 2; i < 8; i++)
        give(fixture, blocks[i]);
    unsigned char *large = take(fixture, 400, 1);
    size_t usable = acre_usable_size(fixture->bytes, large).num;
    memset(large, 0xff, usable);
    for (size_t i = 2; i < 8; i++) {
        if (blocks[i] != large && blocks[i] >= large && blocks[i] < large + usable)
            refuse_ptr(fixture, blocks[i]);
    }
    give(fixture, large);
}

/* The documented limit: the address is that of a live block, and nothing else is known of it. */
static void stale_pointer_to_a_new_block(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    void *stale = take(fixture, stats_of(fixture).largest_free, 1);
    give(fixture, stale);
    void *fresh = take(fixture, stats_of(fixture).largest_free, 1);
    assert_ptr_equal(stale, fresh);
    give(fixture, stale);
    refuse_ptr(fixture, fresh);
}

static void freed_here_and_there(struct fixture *fixture)
{
    struct fixture there;
    begin(fixture, 0, fixture->arena.size);
    fixture_open(&there, fixture->backend, fixture->arena.size, fixture->arena.size);
    begin(&there, 0, there.arena.size);
    void *ptr = take(fixture, 100, 1);
    refuse_ptr(&there, ptr);
    give(fixture, ptr);
    refuse_ptr(&there, ptr);
    refuse_ptr(&there, ptr);
    refuse_ptr(fixture, ptr);
    fixture_close(&there);
}

/* The same size too. */
static void verbs_on_freed_pointers(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    unsigned char *ptr = take(fixture, 100, 1);
    size_t usable = acre_usable_size(fixture->bytes, ptr).num;
    take(fixture, 1, 1);
    give(fixture, ptr);
    for (size_t size = 0; size <= usable + 1; size++)
        refuse_realloc(fixture, ptr, size, 1, ACRE_NOT_ALLOCATED);
    for (size_t size = 0; size <= usable + 1; size++) {
        fixture_save(fixture);
        assert_int_equal(acre_resize(fixture->bytes, ptr, size), ACRE_NOT_ALLOCATED);
        assert_true(fixture_same(fixture));
    }
}

static void refuse_inside(struct fixture *fixture, unsigned char *block, size_t size)
{
    for (size_t at = 1; at < size; at++)
        refuse_ptr(fixture, block + at);
}

/* User data made of what stands in front of real blocks, and of bytes that look like flags. */
static void forged_headers(struct fixture *fixture)
{
    static const unsigned char fills[] = { 0x00, 0x01, 0x02, 0x03, 0x10, 0x80, 0xfe, 0xff };
    begin(fixture, 0, fixture->arena.size);
    unsigned char *block = take(fixture, 320, 1);
    unsigned char *real = take(fixture, 48, 1);
    for (size_t i = 0; i < sizeof fills; i++) {
        memset(block, fills[i], 320);
        refuse_inside(fixture, block, 320);
    }
    for (size_t at = 0; at + 32 <= 288; at += 32)
        memcpy(block + at, real - 32, 32);
    refuse_inside(fixture, block, 320);
    for (size_t at = 0; at + 16 <= 288; at += 16)
        memmove(block + at, real - 16, 16);
    refuse_inside(fixture, block, 320);
    give(fixture, real);
    give(fixture, block);
}

static void near_the_start(struct fixture *fixture)
{
    static const ptrdiff_t off[] = { 1, 2, 4, 8, 16, 32, -1, -2, -4, -8, -16 };
    begin(fixture, 0, fixture->arena.size);
    take(fixture, 100, 1);
    unsigned char *ptr = take(fixture, 100, 1);
    for (size_t i = 0; i < sizeof off / sizeof off[0]; i++)
        refuse_ptr(fixture, ptr + off[i]);
    refuse_ptr(fixture, ptr + acre_usable_size(fixture->bytes, ptr).num);
    give(fixture, ptr);
}

static _Alignas(4096) unsigned char page[8192];

static void foreign_memory(struct fixture *fixture)
{
    unsigned char *forbidden = arena_forbidden(&fixture->arena);
    _Alignas(64) unsigned char stack[64];
    void *heap = malloc(64);
    begin(fixture, 0, fixture->arena.size);
    take(fixture, 100, 1);
    refuse_ptr(fixture, stack);
    refuse_ptr(fixture, stack + 16);
    refuse_ptr(fixture, page);
    refuse_ptr(fixture, page + 4096);
    refuse_ptr(fixture, heap);
    refuse_ptr(fixture, fixture->self);
    refuse_ptr(fixture, (void *)(uintptr_t)&foreign_memory);
    refuse_ptr(fixture, (void *)(uintptr_t)fixture->bytes.ops);
    refuse_ptr(fixture, forbidden);
    refuse_ptr(fixture, fixture->arena.base + fixture->arena.size);
    refuse_ptr(fixture, fixture->arena.base - 16);
    free(heap);
}

/* Addresses that cannot even be mapped: a single read through them would end the test. */
static void wild_addresses(struct fixture *fixture)
{
    static const uintptr_t wild[] = { 0, 1, 2, 8, 15, 16, 4096, UINTPTR_MAX, UINTPTR_MAX - 7,
        UINTPTR_MAX - 15, UINTPTR_MAX - 4095, UINTPTR_MAX / 2 + 1, UINTPTR_MAX / 2,
        (uintptr_t)(UINT64_C(1) << 47), (uintptr_t)(UINT64_C(0xffff800000000000)),
        (uintptr_t)(UINT64_C(0x00008000deadbee0)), (uintptr_t)(UINT64_C(0xdeadbeefdeadbee0)) };
    begin(fixture, 0, fixture->arena.size);
    take(fixture, 100, 1);
    for (size_t i = 0; i < sizeof wild / sizeof wild[0]; i++) {
        refuse_ptr(fixture, (void *)wild[i]);
        fixture_save(fixture);
        assert_int_equal(acre_remove_memory(fixture->base, (void *)wild[i]), ACRE_NOT_ALLOCATED);
        assert_true(fixture_same(fixture));
    }
}

static void another_allocators_block(struct fixture *fixture)
{
    struct naive naive;
    static _Alignas(64) unsigned char pool[4096];
    begin(fixture, 0, fixture->arena.size);
    naive_ops.base.init(&naive, pool, sizeof pool);
    void *theirs = naive_ops.alloc(&naive, acre_layout(100, 1)).ptr;
    refuse_ptr(fixture, theirs);
    void *ours = take(fixture, 100, 1);
    assert_int_equal(naive_ops.dealloc(&naive, ours), ACRE_NOT_ALLOCATED);
    /* A block of a region that is inside one of ours, as when a pool is cut out of a block. */
    unsigned char *large = take(fixture, 2048, 1);
    naive_ops.base.init(&naive, large, 2048);
    void *inner = naive_ops.alloc(&naive, acre_layout(100, 1)).ptr;
    refuse_ptr(fixture, inner);
    give(fixture, large);
}

static void refuse_layout(struct fixture *fixture, void *ptr, size_t size, size_t align)
{
    fixture_save(fixture);
    assert_int_equal(
        acre_dealloc_sized(fixture->bytes, ptr, acre_layout(size, align)), ACRE_INVALID_PARAM);
    assert_true(fixture_same(fixture));
}

static void wrong_layouts(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    for (size_t size = 1; size < 500; size += 1 + size / 4) {
        for (size_t align = 1; align <= 512; align *= 2) {
            void *ptr = take(fixture, size, align);
            size_t usable = acre_usable_size(fixture->bytes, ptr).num;
            refuse_layout(fixture, ptr, usable + 1, align);
            refuse_layout(fixture, ptr, 2 * usable, align);
            refuse_layout(fixture, ptr, SIZE_MAX - 3, align);
            refuse_layout(fixture, ptr, size, 0);
            refuse_layout(fixture, ptr, size, align + (align == 1 ? 2 : 1));
            refuse_layout(fixture, ptr, size, SIZE_MAX / 2 + 1);
            size_t least = usable - fixture->backend->slack(usable);
            bool plain =
                align <= ACRE_NATURAL_ALIGN || (fixture->backend->caps & ACRE_SUBJECT_LARGER) == 0;
            bool small = align < least || (fixture->backend->caps & ACRE_SUBJECT_HEADERS) != 0;
            if (least > 1 && plain && small)
                refuse_layout(fixture, ptr, least - 1, align);
            assert_int_equal(
                acre_dealloc_sized(fixture->bytes, ptr, acre_layout(size, align)), ACRE_OK);
        }
    }
    assert_int_equal(stats_of(fixture).used, 0);
}

/* A write past a block's end lands in the next block's header. No verb can tell, since nothing
 * but headers says where blocks end; check can, without being led astray, whatever was written. */
static void overflow_over_a_header(struct fixture *fixture)
{
    unsigned char *blocks[BLOCKS];
    /* No backend's header uses anything after its second word; what follows is padding. */
    size_t header = fixture->backend->header;
    if (header > 2 * sizeof(size_t))
        header = 2 * sizeof(size_t);
    set_up(fixture, blocks);
    give(fixture, blocks[3]);
    give(fixture, blocks[9]);
    for (size_t i = 0; i < BLOCKS; i++) {
        if (i == 3 || i == 9)
            continue;
        unsigned char *end = blocks[i] + acre_usable_size(fixture->bytes, blocks[i]).num;
        for (size_t at = 0; at < header; at++) {
            for (unsigned damage = 1; damage < 256; damage++) {
                end[at] ^= (unsigned char)damage;
                assert_non_null(acre_check(fixture->base).invariant);
                end[at] ^= (unsigned char)damage;
            }
        }
        assert_sound(fixture);
    }
}

const struct test_case pointer_misuses[] = {
    { "15: double free at once", double_free_at_once, 1 << 14, NEEDS_HANDLE | ACRE_SUBJECT_EXACT,
        NOT_EXACT },
    { "15: double free after 1024 others", double_free_after_others, 1 << 18,
        NEEDS_HANDLE | ACRE_SUBJECT_EXACT, NOT_EXACT },
    { "15: double free, interleaved", double_free_interleaved, 1 << 14,
        NEEDS_HANDLE | ACRE_SUBJECT_EXACT, NOT_EXACT },
    { "16: double free after merging", double_free_after_merging, 1 << 14,
        NEEDS_HANDLE | ACRE_SUBJECT_EXACT, NOT_EXACT },
    { "17: double free inside a larger block", double_free_inside_a_larger_block, 1 << 14,
        NEEDS_HANDLE | ACRE_SUBJECT_EXACT, NOT_EXACT },
    { "18: stale pointer to a new block (documented limit)", stale_pointer_to_a_new_block, 1 << 12,
        NEEDS_HANDLE, NULL },
    { "19: freed here, then there; there twice", freed_here_and_there, 1 << 12,
        NEEDS_HANDLE | ACRE_SUBJECT_EXACT, NOT_EXACT },
    { "20: every verb on a freed pointer, same size too", verbs_on_freed_pointers, 1 << 12,
        NEEDS_HANDLE | ACRE_SUBJECT_EXACT, NOT_EXACT },
    { "21: interior pointers with forged headers", forged_headers, 1 << 12,
        NEEDS_HANDLE | ACRE_SUBJECT_EXACT, NOT_EXACT },
    { "22: pointers near the start", near_the_start, 1 << 12, NEEDS_HANDLE | ACRE_SUBJECT_EXACT,
        NOT_EXACT },
    { "23: memory of others", foreign_memory, 1 << 12, NEEDS_HANDLE | ACRE_SUBJECT_EXACT,
        NOT_EXACT },
    { "23: addresses that cannot be mapped", wild_addresses, 1 << 12,
        NEEDS_HANDLE | ACRE_SUBJECT_EXACT, NOT_EXACT },
    { "24: blocks of other allocators", another_allocators_block, 1 << 13,
        NEEDS_HANDLE | ACRE_SUBJECT_EXACT, NOT_EXACT },
    { "25: wrong layouts at a sized free", wrong_layouts, 1 << 13, NEEDS_HANDLE, NULL },
    { "29: an overflow over a header is named by check", overflow_over_a_header, 1 << 13,
        NEEDS_HANDLE | ACRE_SUBJECT_HEADERS, "its blocks have no headers" },
    { NULL, NULL, 0, 0, NULL },
};
