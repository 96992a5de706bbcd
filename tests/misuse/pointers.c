/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "misuse/misuse.h"

#include "support/naive.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 16 };

static void furnish(struct bed *bed, unsigned char *blocks[BLOCKS])
{
    begin(bed, 0, bed->arena.size);
    for (size_t i = 0; i < BLOCKS; i++)
        blocks[i] = take(bed, 50 + 10 * i, 1);
}

static void double_free_at_once(struct bed *bed)
{
    unsigned char *blocks[BLOCKS];
    furnish(bed, blocks);
    for (size_t i = 0; i < BLOCKS; i++) {
        give(bed, blocks[i]);
        refuse_ptr(bed, blocks[i]);
    }
}

static void double_free_after_others(struct bed *bed)
{
    static void *blocks[1025];
    begin(bed, 0, bed->arena.size);
    for (size_t i = 0; i < 1025; i++)
        assert_non_null(blocks[i] = acre_alloc(bed->bytes, acre_layout(40, 1)).ptr);
    for (size_t i = 0; i < 1025; i++)
        assert_int_equal(acre_dealloc(bed->bytes, blocks[i]), ACRE_OK);
    assert_sound(bed);
    refuse_ptr(bed, blocks[0]);
    refuse_ptr(bed, blocks[512]);
    refuse_ptr(bed, blocks[1024]);
}

static void double_free_interleaved(struct bed *bed)
{
    unsigned char *blocks[BLOCKS];
    furnish(bed, blocks);
    for (size_t i = 0; i + 1 < BLOCKS; i += 2) {
        give(bed, blocks[i]);
        give(bed, blocks[i + 1]);
        refuse_ptr(bed, blocks[i]);
        refuse_ptr(bed, blocks[i + 1]);
    }
}

static void double_free_after_merging(struct bed *bed)
{
    static const size_t order[] = { 5, 4, 6, 3, 7, 10, 12, 11 };
    unsigned char *blocks[BLOCKS];
    furnish(bed, blocks);
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        give(bed, blocks[order[i]]);
        for (size_t j = 0; j <= i; j++)
            refuse_ptr(bed, blocks[order[j]]);
    }
}

static void double_free_inside_a_larger_block(struct bed *bed)
{
    unsigned char *blocks[BLOCKS];
    furnish(bed, blocks);
    for (size_t i = 2; i < 8; i++)
        give(bed, blocks[i]);
    unsigned char *large = take(bed, 400, 1);
    size_t usable = acre_usable_size(bed->bytes, large).num;
    memset(large, 0xff, usable);
    for (size_t i = 2; i < 8; i++) {
        if (blocks[i] != large && blocks[i] >= large && blocks[i] < large + usable)
            refuse_ptr(bed, blocks[i]);
    }
    give(bed, large);
}

/* The documented limit: the address is that of a live block, and nothing else is known of it. */
static void stale_pointer_to_a_new_block(struct bed *bed)
{
    begin(bed, 0, bed->arena.size);
    void *stale = take(bed, stats_of(bed).largest_free, 1);
    give(bed, stale);
    void *fresh = take(bed, stats_of(bed).largest_free, 1);
    assert_ptr_equal(stale, fresh);
    give(bed, stale);
    refuse_ptr(bed, fresh);
}

static void freed_here_and_there(struct bed *bed)
{
    struct bed there;
    begin(bed, 0, bed->arena.size);
    bed_open(&there, bed->kind, bed->arena.size, bed->arena.size);
    begin(&there, 0, there.arena.size);
    void *ptr = take(bed, 100, 1);
    refuse_ptr(&there, ptr);
    give(bed, ptr);
    refuse_ptr(&there, ptr);
    refuse_ptr(&there, ptr);
    refuse_ptr(bed, ptr);
    bed_close(&there);
}

/* The same size too. */
static void verbs_on_freed_pointers(struct bed *bed)
{
    begin(bed, 0, bed->arena.size);
    unsigned char *ptr = take(bed, 100, 1);
    size_t usable = acre_usable_size(bed->bytes, ptr).num;
    take(bed, 1, 1);
    give(bed, ptr);
    for (size_t size = 0; size <= usable + 1; size++)
        refuse_realloc(bed, ptr, size, 1, ACRE_NOT_ALLOCATED);
    for (size_t size = 0; size <= usable + 1; size++) {
        bed_save(bed);
        assert_int_equal(acre_resize(bed->bytes, ptr, size), ACRE_NOT_ALLOCATED);
        assert_true(bed_same(bed));
    }
}

static void refuse_inside(struct bed *bed, unsigned char *block, size_t size)
{
    for (size_t at = 1; at < size; at++)
        refuse_ptr(bed, block + at);
}

/* User data made of what stands in front of real blocks, and of bytes that look like flags. */
static void forged_headers(struct bed *bed)
{
    static const unsigned char fills[] = { 0x00, 0x01, 0x02, 0x03, 0x10, 0x80, 0xfe, 0xff };
    begin(bed, 0, bed->arena.size);
    unsigned char *block = take(bed, 320, 1);
    unsigned char *real = take(bed, 48, 1);
    for (size_t i = 0; i < sizeof fills; i++) {
        memset(block, fills[i], 320);
        refuse_inside(bed, block, 320);
    }
    for (size_t at = 0; at + 32 <= 288; at += 32)
        memcpy(block + at, real - 32, 32);
    refuse_inside(bed, block, 320);
    for (size_t at = 0; at + 16 <= 288; at += 16)
        memmove(block + at, real - 16, 16);
    refuse_inside(bed, block, 320);
    give(bed, real);
    give(bed, block);
}

static void near_the_start(struct bed *bed)
{
    static const ptrdiff_t off[] = { 1, 2, 4, 8, 16, 32, -1, -2, -4, -8, -16 };
    begin(bed, 0, bed->arena.size);
    take(bed, 100, 1);
    unsigned char *ptr = take(bed, 100, 1);
    for (size_t i = 0; i < sizeof off / sizeof off[0]; i++)
        refuse_ptr(bed, ptr + off[i]);
    refuse_ptr(bed, ptr + acre_usable_size(bed->bytes, ptr).num);
    give(bed, ptr);
}

static _Alignas(4096) unsigned char page[8192];

static void foreign_memory(struct bed *bed)
{
    unsigned char *forbidden = arena_forbidden(&bed->arena);
    _Alignas(64) unsigned char stack[64];
    void *heap = malloc(64);
    begin(bed, 0, bed->arena.size);
    take(bed, 100, 1);
    refuse_ptr(bed, stack);
    refuse_ptr(bed, stack + 16);
    refuse_ptr(bed, page);
    refuse_ptr(bed, page + 4096);
    refuse_ptr(bed, heap);
    refuse_ptr(bed, bed->self);
    refuse_ptr(bed, (void *)(uintptr_t)&foreign_memory);
    refuse_ptr(bed, (void *)(uintptr_t)bed->bytes.ops);
    refuse_ptr(bed, forbidden);
    refuse_ptr(bed, bed->arena.base + bed->arena.size);
    refuse_ptr(bed, bed->arena.base - 16);
    free(heap);
}

/* Addresses that cannot even be mapped: a single read through them would end the test. */
static void wild_addresses(struct bed *bed)
{
    static const uintptr_t wild[] = { 0, 1, 2, 8, 15, 16, 4096, UINTPTR_MAX, UINTPTR_MAX - 7,
        UINTPTR_MAX - 15, UINTPTR_MAX - 4095, UINTPTR_MAX / 2 + 1, UINTPTR_MAX / 2,
        (uintptr_t)(UINT64_C(1) << 47), (uintptr_t)(UINT64_C(0xffff800000000000)),
        (uintptr_t)(UINT64_C(0x00008000deadbee0)), (uintptr_t)(UINT64_C(0xdeadbeefdeadbee0)) };
    begin(bed, 0, bed->arena.size);
    take(bed, 100, 1);
    for (size_t i = 0; i < sizeof wild / sizeof wild[0]; i++) {
        refuse_ptr(bed, (void *)wild[i]);
        bed_save(bed);
        assert_int_equal(acre_remove_memory(bed->base, (void *)wild[i]), ACRE_NOT_ALLOCATED);
        assert_true(bed_same(bed));
    }
}

static void another_allocators_block(struct bed *bed)
{
    struct naive naive;
    static _Alignas(64) unsigned char pool[4096];
    begin(bed, 0, bed->arena.size);
    naive_ops.base.init(&naive, pool, sizeof pool);
    void *theirs = naive_ops.alloc(&naive, acre_layout(100, 1)).ptr;
    refuse_ptr(bed, theirs);
    void *ours = take(bed, 100, 1);
    assert_int_equal(naive_ops.dealloc(&naive, ours), ACRE_NOT_ALLOCATED);
    /* A block of a region that is inside one of ours, as when a pool is cut out of a block. */
    unsigned char *large = take(bed, 2048, 1);
    naive_ops.base.init(&naive, large, 2048);
    void *inner = naive_ops.alloc(&naive, acre_layout(100, 1)).ptr;
    refuse_ptr(bed, inner);
    give(bed, large);
}

static void refuse_layout(struct bed *bed, void *ptr, size_t size, size_t align)
{
    bed_save(bed);
    assert_int_equal(
        acre_dealloc_sized(bed->bytes, ptr, acre_layout(size, align)), ACRE_INVALID_PARAM);
    assert_true(bed_same(bed));
}

static void wrong_layouts(struct bed *bed)
{
    begin(bed, 0, bed->arena.size);
    for (size_t size = 1; size < 500; size += 1 + size / 4) {
        for (size_t align = 1; align <= 512; align *= 2) {
            void *ptr = take(bed, size, align);
            size_t usable = acre_usable_size(bed->bytes, ptr).num;
            refuse_layout(bed, ptr, usable + 1, align);
            refuse_layout(bed, ptr, 2 * usable, align);
            refuse_layout(bed, ptr, SIZE_MAX - 3, align);
            refuse_layout(bed, ptr, size, 0);
            refuse_layout(bed, ptr, size, align + (align == 1 ? 2 : 1));
            refuse_layout(bed, ptr, size, SIZE_MAX / 2 + 1);
            size_t least = usable - bed->kind->slack(usable);
            bool plain = align <= ACRE_NATURAL_ALIGN || (bed->kind->caps & KIND_LARGER) == 0;
            bool small = align < least || (bed->kind->caps & KIND_HEADERS) != 0;
            if (least > 1 && plain && small)
                refuse_layout(bed, ptr, least - 1, align);
            assert_int_equal(
                acre_dealloc_sized(bed->bytes, ptr, acre_layout(size, align)), ACRE_OK);
        }
    }
    assert_int_equal(stats_of(bed).used, 0);
}

/* A write behind a block's end lands in the next block's header. No verb can tell, since nothing
 * but headers says where blocks end; check can, without being led astray, whatever was written. */
static void overflow_over_a_header(struct bed *bed)
{
    unsigned char *blocks[BLOCKS];
    /* No kind's header says anything behind its second word; what follows is padding. */
    size_t header = bed->kind->header;
    if (header > 2 * sizeof(size_t))
        header = 2 * sizeof(size_t);
    furnish(bed, blocks);
    give(bed, blocks[3]);
    give(bed, blocks[9]);
    for (size_t i = 0; i < BLOCKS; i++) {
        if (i == 3 || i == 9)
            continue;
        unsigned char *end = blocks[i] + acre_usable_size(bed->bytes, blocks[i]).num;
        for (size_t at = 0; at < header; at++) {
            for (unsigned damage = 1; damage < 256; damage++) {
                end[at] ^= (unsigned char)damage;
                assert_non_null(acre_check(bed->base).invariant);
                end[at] ^= (unsigned char)damage;
            }
        }
        assert_sound(bed);
    }
}

const struct scene pointer_misuses[] = {
    { "15: double free at once", double_free_at_once, 1 << 13, KIND_EXACT, NOT_EXACT },
    { "15: double free after 1024 others", double_free_after_others, 1 << 18, KIND_EXACT,
        NOT_EXACT },
    { "15: double free, interleaved", double_free_interleaved, 1 << 13, KIND_EXACT, NOT_EXACT },
    { "16: double free after merging", double_free_after_merging, 1 << 13, KIND_EXACT, NOT_EXACT },
    { "17: double free inside a larger block", double_free_inside_a_larger_block, 1 << 13,
        KIND_EXACT, NOT_EXACT },
    { "18: stale pointer to a new block (documented limit)", stale_pointer_to_a_new_block, 1 << 12,
        0, NULL },
    { "19: freed here, then there; there twice", freed_here_and_there, 1 << 12, KIND_EXACT,
        NOT_EXACT },
    { "20: every verb on a freed pointer, same size too", verbs_on_freed_pointers, 1 << 12,
        KIND_EXACT, NOT_EXACT },
    { "21: interior pointers with forged headers", forged_headers, 1 << 12, KIND_EXACT, NOT_EXACT },
    { "22: pointers near the start", near_the_start, 1 << 12, KIND_EXACT, NOT_EXACT },
    { "23: memory of others", foreign_memory, 1 << 12, KIND_EXACT, NOT_EXACT },
    { "23: addresses that cannot be mapped", wild_addresses, 1 << 12, KIND_EXACT, NOT_EXACT },
    { "24: blocks of other allocators", another_allocators_block, 1 << 13, KIND_EXACT, NOT_EXACT },
    { "25: wrong layouts at a sized free", wrong_layouts, 1 << 13, 0, NULL },
    { "29: an overflow over a header is named by check", overflow_over_a_header, 1 << 13,
        KIND_HEADERS, "its blocks have no headers" },
    { NULL, NULL, 0, 0, NULL },
};
