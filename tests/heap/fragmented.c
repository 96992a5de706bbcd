/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Heaps on pages that are free in short runs only: how many chunks a refused request examines. */
#include "heap/heap_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { PAGE = 4096, PAGES = 2048, RUN = 4, BLOCK = 200, BLOCKS = PAGES * PAGE / 2 / BLOCK };

static struct acre_heap_tlsf over_tlsf;
static struct acre_heap_slab over_slab;
static struct acre_heap *heap;
static _Alignas(PAGE) unsigned char memory[PAGES * PAGE];
static void *blocks[BLOCKS];
static size_t live;

/* ---- a byte allocator that counts the chunks examined ---- */

static const struct acre_bytes_ops *plain;
static struct acre_bytes_ops counting_ops;
static struct acre_backing counting_backing;
static size_t examined;

static enum acre_status count_remove_memory(void *self, void *start)
{
    examined++;
    return plain->base.remove_memory(self, start);
}

static void count_examined(void)
{
    plain = heap->bytes.ops;
    counting_ops = *plain;
    counting_ops.base.remove_memory = count_remove_memory;
    counting_backing = *heap->parts.backing;
    counting_backing.ops = &counting_ops;
    heap->parts.backing = &counting_backing;
    heap->bytes.ops = &counting_ops;
}

/* ---- the pages ---- */

/* Every other run of RUN pages is handed out; blocks fill the others. */
static int fill(struct acre_heap *with)
{
    static uintptr_t pages[PAGES];
    size_t count = 0;
    struct acre_num got;
    heap = with;
    live = 0;
    memset(blocks, 0, sizeof blocks);
    if (acre_heap_init(heap, memory, sizeof memory) != ACRE_OK)
        return 1;
    while ((got = acre_heap_alloc_pages(heap, 1, 1, 0)).status == ACRE_OK)
        pages[count++] = got.num;
    for (size_t i = 0; i < count; i++)
        if (i / RUN % 2 != 0 && acre_heap_dealloc_pages(heap, pages[i], 1) != ACRE_OK)
            return 1;
    struct acre_ptr block;
    while ((block = acre_heap_alloc(heap, acre_layout(BLOCK, 8))).status == ACRE_OK)
        blocks[live++] = block.ptr;
    count_examined();
    return live < BLOCKS / 2 || heap->chunks < PAGES / RUN / 2 - 4;
}

static int fill_tlsf(void **state)
{
    (void)state;
    memset(&over_tlsf, 0, sizeof over_tlsf);
    return fill(acre_heap_over_tlsf(&over_tlsf));
}

static int fill_slab(void **state)
{
    (void)state;
    memset(&over_slab, 0, sizeof over_slab);
    return fill(acre_heap_over_slab(&over_slab));
}

static size_t examined_by_refusal(size_t size)
{
    examined = 0;
    assert_int_equal(acre_heap_alloc(heap, acre_layout(size, 8)).status, ACRE_NO_MEMORY);
    return examined;
}

/* Refused requests examine each chunk once, a few per request, then none. */
static void refusals_examine_few_chunks(void **state)
{
    (void)state;
    size_t all = 0;
    size_t most = heap->chunks;
    for (size_t i = 0; i <= most / ACRE_HEAP_SCAN_LIMIT; i++) {
        size_t few = examined_by_refusal(RUN * PAGE);
        assert_true(few <= ACRE_HEAP_SCAN_LIMIT);
        all += few;
    }
    assert_true(all <= most);
    assert_int_equal(examined_by_refusal(RUN * PAGE), 0);
    examined = 0;
    assert_int_equal(acre_heap_alloc_pages(heap, RUN + 1, 1, 0).status, ACRE_NO_MEMORY);
    assert_int_equal(examined, 0);
}

/* Frees the blocks of the chunk that the block in the middle lies in. */
static void empty_one_chunk(void)
{
    uintptr_t middle = (uintptr_t)blocks[live / 2];
    const struct acre_heap_chunk *chunk = heap->runs;
    while (middle - chunk->start >= chunk->pages * heap->page_size)
        chunk = chunk->run_next;
    for (size_t i = 0; i < live; i++) {
        uintptr_t block = (uintptr_t)blocks[i];
        if (block - chunk->start < chunk->pages * heap->page_size)
            assert_int_equal(acre_heap_dealloc(heap, blocks[i]), ACRE_OK);
    }
}

/* Frees that empty a chunk start them anew: refused requests find it, a few chunks per request. */
static void an_emptied_chunk_is_found(void **state)
{
    (void)state;
    while (examined_by_refusal(RUN * PAGE) != 0)
        ;
    empty_one_chunk();
    size_t tries = 0;
    enum acre_status status;
    do {
        examined = 0;
        status = acre_heap_alloc_pages(heap, RUN, 1, 0).status;
        assert_true(examined <= 2 * ACRE_HEAP_SCAN_LIMIT);
    } while (status != ACRE_OK && ++tries <= heap->chunks / ACRE_HEAP_SCAN_LIMIT);
    assert_int_equal(status, ACRE_OK);
}

/* A request that is refused once more leaves the heap's structures as they are. */
static void refusals_change_only_their_counts(void **state)
{
    static struct acre_heap before;
    (void)state;
    while (examined_by_refusal(RUN * PAGE) != 0)
        ;
    before = *heap;
    assert_int_equal(examined_by_refusal(RUN * PAGE), 0);
    assert_int_equal(acre_heap_alloc_pages(heap, RUN + 1, 1, 0).status, ACRE_NO_MEMORY);
    if (ACRE_CHECK_POINTERS)
        assert_int_equal(acre_heap_dealloc(heap, &before), ACRE_NOT_ALLOCATED);
    before.failed = heap->failed;
    before.failed_pages = heap->failed_pages;
    assert_memory_equal(&before, heap, sizeof before);
}

/* Requests for pages find the chunks that became empty, and the heap keeps its invariants. */
static void empty_chunks_are_found(void **state)
{
    (void)state;
    while (examined_by_refusal(RUN * PAGE) != 0)
        ;
    for (size_t i = 0; i < live; i++)
        assert_int_equal(acre_heap_dealloc(heap, blocks[i]), ACRE_OK);
    assert_null(acre_heap_check(heap).invariant);
    for (size_t i = 0; i < PAGES / 2 / RUN - 8; i++)
        assert_int_equal(acre_heap_alloc_pages(heap, RUN, 1, 0).status, ACRE_OK);
    assert_null(acre_heap_check(heap).invariant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(refusals_examine_few_chunks, fill_tlsf),
        cmocka_unit_test_setup(refusals_examine_few_chunks, fill_slab),
        cmocka_unit_test_setup(an_emptied_chunk_is_found, fill_tlsf),
        cmocka_unit_test_setup(an_emptied_chunk_is_found, fill_slab),
        cmocka_unit_test_setup(refusals_change_only_their_counts, fill_tlsf),
        cmocka_unit_test_setup(refusals_change_only_their_counts, fill_slab),
        cmocka_unit_test_setup(empty_chunks_are_found, fill_tlsf),
        cmocka_unit_test_setup(empty_chunks_are_found, fill_slab),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
