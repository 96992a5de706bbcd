/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Writes past live blocks and into freed ones, at random: no block is handed out twice, none lies
 * outside the heap's memory, and check returns. A naive allocator shows that the attacks are real.
 */
#include "heap/heap_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SIZE = 1 << 18, BLOCKS = 256, RUNS = 300, STEPS = 600, MOST_PAST = 64 };

/* Runs of each attack; fewer under valgrind. */
static size_t runs = RUNS;

_Static_assert((int)HEAP_GUARD >= (int)MOST_PAST, "the guard is as wide as the writes");

static _Alignas(4096) unsigned char memory[SIZE];
static struct {
    unsigned char *start;
    size_t size;
} live[BLOCKS];
static struct acre_heap_slab over_slab;
static struct acre_heap_buddy over_buddy;
static uint64_t seed;
static size_t overlaps; /* blocks handed out that reach into a live one, or out of the memory */

static size_t draw(size_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (size_t)(seed >> 11) % below;
}

/* ---- an allocator that trusts its headers ---- */

struct naive_block {
    _Alignas(16) size_t size; /* of the bytes after this header */
};

static struct naive_block *naive_free;

static bool naive_owns(const void *at)
{
    return (uintptr_t)at - (uintptr_t)memory < sizeof memory - 2 * sizeof(struct naive_block) &&
           (uintptr_t)at % 16 == 0;
}

/* A free block's first word names the next one. */
static struct naive_block **naive_next(struct naive_block *block)
{
    return (struct naive_block **)(block + 1);
}

/* First fit. Only what would end the program is refused. */
static struct acre_ptr naive_alloc(void *self, struct acre_layout layout)
{
    size_t need = (layout.size + 15) / 16 * 16;
    struct naive_block **at = &naive_free;
    (void)self;
    for (size_t steps = 0; steps < 4 * BLOCKS && naive_owns(*at); steps++, at = naive_next(*at)) {
        struct naive_block *block = *at;
        if (block->size < need)
            continue;
        struct naive_block *rest = (void *)((unsigned char *)(block + 1) + need);
        if (block->size - need > sizeof *rest && naive_owns(rest)) {
            *rest = (struct naive_block){ block->size - need - sizeof *rest };
            *naive_next(rest) = *naive_next(block);
            *at = rest;
            block->size = need;
        } else {
            *at = *naive_next(block);
        }
        return (struct acre_ptr){ block + 1, ACRE_OK };
    }
    return (struct acre_ptr){ NULL, ACRE_NO_MEMORY };
}

static enum acre_status naive_dealloc(void *self, void *ptr)
{
    struct naive_block *block = (struct naive_block *)ptr - 1;
    (void)self;
    *naive_next(block) = naive_free;
    naive_free = block;
    return ACRE_OK;
}

static struct acre_num naive_usable_size(const void *self, const void *ptr)
{
    (void)self;
    return (struct acre_num){ ((const struct naive_block *)ptr - 1)->size, ACRE_OK };
}

static const struct acre_bytes_ops naive_ops = {
    .alloc = naive_alloc,
    .dealloc = naive_dealloc,
    .usable_size = naive_usable_size,
};

static struct acre_bytes start_naive(void)
{
    naive_free = (void *)memory;
    *naive_free = (struct naive_block){ sizeof memory - sizeof(struct naive_block) };
    *naive_next(naive_free) = NULL;
    return (struct acre_bytes){ &naive_ops, NULL };
}

/* ---- the heaps ---- */

static struct acre_bytes start_heap(struct acre_heap *heap)
{
    assert_int_equal(acre_heap_init(heap, memory, sizeof memory), ACRE_OK);
    return acre_heap_bytes(heap);
}

static struct acre_bytes start_slab(void)
{
    memset(&over_slab, 0, sizeof over_slab);
    return start_heap(acre_heap_over_slab(&over_slab));
}

static struct acre_bytes start_buddy(void)
{
    memset(&over_buddy, 0, sizeof over_buddy);
    return start_heap(acre_heap_over_buddy(&over_buddy));
}

/* ---- attacks ---- */

/* Writes random bytes, or addresses of the memory. */
static void scribble(unsigned char *at, size_t bytes)
{
    unsigned char *address = memory + draw(SIZE / 16) * 16;
    if (bytes >= sizeof address && draw(2) == 0 &&
        (uintptr_t)at - (uintptr_t)memory < sizeof memory - sizeof address) {
        memcpy(at, &address, sizeof address);
        at += sizeof address;
        bytes -= sizeof address;
    }
    for (; bytes > 0 && (uintptr_t)at - (uintptr_t)memory < sizeof memory; bytes--)
        *at++ = (unsigned char)draw(256);
}

static void note_overlap(const unsigned char *start, size_t size)
{
    uintptr_t offset = (uintptr_t)start - (uintptr_t)memory;
    bool bad = offset >= sizeof memory || size > sizeof memory - offset;
    for (size_t i = 0; i < BLOCKS && !bad; i++)
        bad = live[i].start != NULL && live[i].start < start + size &&
              start < live[i].start + live[i].size;
    overlaps += bad;
}

static void take(struct acre_bytes bytes, size_t i)
{
    size_t size = 1 + draw((size_t)16 << draw(9));
    unsigned char *start = acre_alloc(bytes, acre_layout(size, 1)).ptr;
    if (start == NULL)
        return;
    note_overlap(start, size);
    live[i].start = start;
    live[i].size = size;
}

static void write_past(struct acre_bytes bytes, size_t i)
{
    size_t usable = acre_usable_size(bytes, live[i].start).num;
    uintptr_t end = (uintptr_t)live[i].start + usable; /* of the control, anything */
    scribble((unsigned char *)end, 1 + draw(MOST_PAST));
}

/* Frees a block, and then often writes into it, up to its end. */
static void give(struct acre_bytes bytes, size_t i, bool after_free)
{
    unsigned char *start = live[i].start;
    size_t size = live[i].size;
    live[i].start = NULL;
    (void)acre_dealloc(bytes, start);
    if (after_free && draw(4) == 0 && size >= 8)
        scribble(start, size < MOST_PAST ? size : 8 + draw(MOST_PAST - 7));
}

static void attack(struct acre_bytes bytes, bool after_free)
{
    memset(live, 0, sizeof live);
    for (size_t step = 0; step < STEPS; step++) {
        size_t i = draw(BLOCKS);
        if (live[i].start == NULL)
            take(bytes, i);
        else if (!after_free && draw(4) == 0)
            write_past(bytes, i);
        else
            give(bytes, i, after_free);
    }
}

/* check may find damage, but must return. */
static void withstand(struct acre_bytes (*start)(void))
{
    overlaps = 0;
    for (size_t run = 0; run < 2 * runs; run++) {
        seed = 88172645463325252u + run;
        struct acre_bytes bytes = start();
        attack(bytes, run % 2 != 0);
        (void)acre_bytes_check(bytes);
    }
    assert_int_equal(overlaps, 0);
}

static void slab_withstands(void **state)
{
    (void)state;
    withstand(start_slab);
}

static void buddy_withstands(void **state)
{
    (void)state;
    withstand(start_buddy);
}

static void naive_breaks(void **state)
{
    (void)state;
    for (size_t mode = 0; mode < 2; mode++) {
        overlaps = 0;
        for (size_t run = 0; run < runs; run++) {
            seed = 88172645463325252u + run;
            attack(start_naive(), mode != 0);
        }
        assert_true(overlaps > runs / 2);
    }
}

/* ---- records ---- */

/* Each chunk's guard is overwritten; then the heap is emptied and taken back. */
static void guards_hold_no_metadata(void **state)
{
    struct acre_heap *heap = acre_heap_over_buddy(&over_buddy);
    (void)state;
    memset(live, 0, sizeof live);
    struct acre_bytes bytes = start_buddy();
    for (size_t i = 0; i < BLOCKS; i++)
        take(bytes, i);
    for (const struct acre_heap_chunk *chunk = heap->runs; chunk != NULL; chunk = chunk->run_next)
        memset((unsigned char *)(uintptr_t)chunk - HEAP_GUARD, 0x42, HEAP_GUARD);
    assert_null(acre_heap_check(heap).invariant);
    for (size_t i = 0; i < BLOCKS; i++)
        if (live[i].start != NULL)
            assert_int_equal(acre_heap_dealloc(heap, live[i].start), ACRE_OK);
    assert_int_equal(acre_heap_remove_memory(heap, memory), ACRE_OK);
}

/* Damaged records are not followed: their chunks stay, and pages are not freed twice. */
static void damaged_records_are_not_followed(void **state)
{
    struct acre_heap *heap = acre_heap_over_slab(&over_slab);
    (void)state;
    for (size_t run = 0; run < runs; run++) {
        memset(live, 0, sizeof live);
        seed = 88172645463325252u + run;
        struct acre_bytes bytes = start_slab();
        for (size_t i = 0; i < BLOCKS; i++)
            take(bytes, i);
        struct acre_heap_chunk *chunk = heap->runs;
        for (size_t skip = draw(3); skip > 0 && chunk->run_next != NULL; skip--)
            chunk = chunk->run_next;
        uintptr_t start = chunk->start;
        scribble((unsigned char *)chunk + draw(HEAP_RECORD - 8), 8);
        assert_int_equal(acre_heap_dealloc_pages(heap, start, 1), ACRE_NOT_ALLOCATED);
        for (size_t i = 0; i < BLOCKS; i++)
            if (live[i].start != NULL)
                assert_int_equal(acre_heap_dealloc(heap, live[i].start), ACRE_OK);
        acre_heap_release_empty(heap);
        assert_non_null(acre_heap_check(heap).invariant);
        for (size_t i = 0; i < BLOCKS; i++)
            take(bytes, i);
    }
}

int main(void)
{
    if (getenv("ACRE_VALGRIND") != NULL)
        runs = RUNS / 15;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slab_withstands),
        cmocka_unit_test(buddy_withstands),
        cmocka_unit_test(naive_breaks),
        cmocka_unit_test(guards_hold_no_metadata),
        cmocka_unit_test(damaged_records_are_not_followed),
    };
    return cmocka_run_group_tests_name("heap damage", tests, NULL, NULL);
}
