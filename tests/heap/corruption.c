/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Damages each field in turn; check names the invariant that broke. */
#include "heap/heap_private.h"
#include "heap/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct acre_heap_chunk *chunks[3];

static int make(void **state)
{
    int bad = world_make(state);
    take(1000);
    take(40000);
    take(90000);
    chunks[0] = heap->runs;
    chunks[1] = chunks[0]->run_next;
    chunks[2] = chunks[1]->run_next;
    return bad || chunks[2]->run_next != NULL;
}

static void expect(const char *invariant)
{
    struct acre_check_result found = acre_heap_check(heap);
    assert_non_null(found.invariant);
    assert_memory_equal(found.invariant, invariant, strlen(invariant));
    assert_non_null(found.where);
}

static void every_byte_of_a_record(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        unsigned char *bytes = (unsigned char *)chunks[i];
        for (size_t at = 0; at < HEAP_RECORD; at++) {
            for (unsigned bit = 0; bit < 8; bit++) {
                bytes[at] ^= (unsigned char)(1u << bit);
                expect("HEAP-1");
                bytes[at] ^= (unsigned char)(1u << bit);
            }
        }
    }
    assert_heap_sound();
}

static void expect_field(size_t *field, size_t value, const char *invariant)
{
    size_t was = *field;
    *field = value;
    expect(invariant);
    *field = was;
    assert_heap_sound();
}

static void the_counts(void **state)
{
    (void)state;
    expect_field(&heap->chunk_pages, heap->chunk_pages + 1, "HEAP-2");
    expect_field(&heap->chunk_pages, heap->chunk_pages - 1, "HEAP-2");
    expect_field(&heap->chunks, heap->chunks + 1, "HEAP-3");
    expect_field(&heap->chunks, heap->chunks - 1, "HEAP-3");
    expect_field(&heap->bytes_added, heap->bytes_added - 16, "HEAP-3");
    expect_field(&world.own.tlsf.regions.total, world.own.tlsf.regions.total + 16, "HEAP-4");
    expect_field(&world.own.pages.metadata, 0, "BITMAP-");
    expect_field(&world.own.tlsf.live_blocks, 0, "TLSF-");
}

static void reseal(struct acre_heap_chunk *chunk)
{
    chunk->run_checksum = heap_run_checksum(chunk);
    chunk->ring_checksum = heap_ring_checksum(chunk);
}

/* Records whose seals are right, so that only their meaning is wrong. */
static void sealed_nonsense(void **state)
{
    (void)state;
    chunks[1]->run_prev = NULL;
    reseal(chunks[1]);
    expect("HEAP-2");
    chunks[1]->run_prev = chunks[0];
    reseal(chunks[1]);
    assert_heap_sound();
    chunks[2]->run_next = chunks[0];
    reseal(chunks[2]);
    expect("HEAP-2");
    chunks[2]->run_next = NULL;
    chunks[2]->start -= PAGE;
    reseal(chunks[2]);
    expect("HEAP-1");
    chunks[2]->pages++;
    reseal(chunks[2]);
    expect("HEAP-2");
}

static void a_record_over_another(void **state)
{
    (void)state;
    size_t more = (chunks[0]->start - chunks[2]->start) / PAGE;
    chunks[0]->start -= more * PAGE;
    chunks[0]->pages += more;
    reseal(chunks[0]);
    heap->chunk_pages += more;
    expect("HEAP-2");
}

static void chunks_that_are_not_in_use(void **state)
{
    (void)state;
    acre_bitmap_dealloc_pages(&world.own.pages, chunks[2]->start, chunks[2]->pages);
    expect("HEAP-5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_byte_of_a_record, make),
        cmocka_unit_test_setup(the_counts, make),
        cmocka_unit_test_setup(sealed_nonsense, make),
        cmocka_unit_test_setup(a_record_over_another, make),
        cmocka_unit_test_setup(chunks_that_are_not_in_use, make),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
