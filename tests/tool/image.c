/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Images of heaps: the layout that the tool computes is the compiler's; a sound heap is sound in
 * either byte order; each kind of damage has its name; and whatever byte is damaged, the checker of
 * images says what acre_tlsf_check() says.
 */
#include "tool/image/image.h"
#include "support/rng.h"
#include "tlsf/tlsf_small.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { POOL = 1 << 15, SECOND = 1 << 13, BLOCKS = 96 };

/* One run of memory, so that one image holds all of it. */
static struct {
    struct acre_tlsf tlsf;
    _Alignas(64) unsigned char pool[POOL];
    _Alignas(64) unsigned char gap[4096];
    unsigned char second[SECOND];
} memory;

static struct image image_of(const void *bytes)
{
    const uint16_t one = 1;
    return (struct image){ .bytes = bytes,
        .size = sizeof memory,
        .base = (uintptr_t)&memory,
        .facts = { .word = sizeof(void *),
            .big = *(const uint8_t *)&one == 0,
            .granule = ACRE_TLSF_GRANULE,
            .wide = ACRE_TLSF_WIDE } };
}

static void *blocks[BLOCKS];

static void make_heap(bool compact)
{
    struct rng rng = { 7 };
    memset(&memory, 0, sizeof memory);
    memset(blocks, 0, sizeof blocks);
    if (compact && TLSF_COMPACT)
        acre_tlsf_make_compact(&memory.tlsf, POOL);
    assert_int_equal(acre_tlsf_init(&memory.tlsf, memory.pool, POOL), ACRE_OK);
    assert_int_equal(acre_tlsf_add_memory(&memory.tlsf, memory.second, SECOND), ACRE_OK);
    for (size_t i = 0; i < 1000; i++) {
        size_t at = rng_below(&rng, BLOCKS);
        if (blocks[at] != NULL)
            assert_int_equal(acre_tlsf_dealloc(&memory.tlsf, blocks[at]), ACRE_OK);
        blocks[at] = acre_tlsf_alloc(&memory.tlsf, acre_layout(rng_below(&rng, 500), 1)).ptr;
        if (blocks[at] != NULL)
            memset(blocks[at], 0xab, acre_tlsf_usable_size(&memory.tlsf, blocks[at]).num);
    }
    assert_null(acre_tlsf_check(&memory.tlsf).invariant);
}

static void check_as(const struct image *image, const char *invariant)
{
    struct image_heap heap;
    image_check_tlsf(&heap, image, image->base);
    assert_string_equal(heap.broken, invariant);
    image_heap_free(&heap);
}

static void the_layout_is_the_compilers(void **state)
{
    (void)state;
    struct image image = image_of(&memory);
    struct image_layout layout = image_layout_of(&image.facts);
    assert_int_equal(layout.lists, ACRE_TLSF_LISTS);
    assert_int_equal(layout.words, ACRE_TLSF_WORDS);
    assert_int_equal(layout.max_log2, ACRE_TLSF_MAX_LOG2);
    assert_int_equal(layout.header, sizeof(acre_tlsf_field));
#define SAME(field, member) assert_int_equal(layout.field, offsetof(struct acre_tlsf, member))
    SAME(base, base);
    SAME(granules, granules);
    SAME(live_map, live_map);
    SAME(headroom, headroom);
    SAME(peak, peak);
    SAME(live_blocks, live_blocks);
    SAME(capacity, capacity);
    SAME(first_region, regions.first);
    SAME(total, regions.total);
    SAME(apart, regions.apart);
    SAME(top, top);
    SAME(summary, summary);
    SAME(nonempty, nonempty);
    SAME(first, first);
    SAME(last, last);
    SAME(compact_ops, compact_ops);
    SAME(granule_limit, granule_limit);
    SAME(largest, compact.largest);
    SAME(compact_lists, compact.lists);
    SAME(compact_nonempty, compact.nonempty);
    assert_int_equal(layout.size, sizeof(struct acre_tlsf));
    assert_int_equal(layout.compact_first, tlsf_compact_size(0));
#undef SAME
#define SAME(field, member)                                                                        \
    assert_int_equal(layout.field, offsetof(struct acre_tlsf_region, member))
    SAME(r_next, range.next);
    SAME(r_prev, range.prev);
    SAME(r_start, range.start);
    SAME(r_size, range.size);
    SAME(r_meta, range.meta);
    SAME(r_meta_size, range.meta_size);
    SAME(r_base, base);
    SAME(r_granules, granules);
    SAME(r_live_map, live_map);
    SAME(r_map_size, map_size);
    SAME(r_shared_base, shared_base);
    SAME(r_shared_granules, shared_granules);
    SAME(r_shared_map, shared_map);
    SAME(r_first, first);
    SAME(r_last, last);
    SAME(r_joined, joined);
#undef SAME
    assert_int_equal(layout.descriptor, sizeof(struct acre_tlsf_region));
}

static void a_sound_heap_is_sound(void **state)
{
    (void)state;
    struct image image = image_of(&memory);
    struct image_heap heap;
    for (unsigned round = 0; round < 4; round++) {
        make_heap(round < 2);
        image.facts.granule = round % 2 == 1 ? ACRE_TLSF_GRANULE : 0;
        image_check_tlsf(&heap, &image, image.base);
        assert_string_equal(heap.broken, "");
        assert_int_equal(heap.unit, ACRE_TLSF_GRANULE);
        assert_int_equal(heap.region_count, 2);
        assert_int_equal(heap.live_count, acre_tlsf_stats(&memory.tlsf).live_blocks);
        image_heap_free(&heap);
    }
}

/* ---- the other byte order ---- */

static unsigned char swapped[sizeof memory];

static void swap_at(const void *place, size_t size)
{
    unsigned char *at = swapped + ((const unsigned char *)place - (const unsigned char *)&memory);
    for (size_t i = 0; i < size / 2; i++) {
        unsigned char byte = at[i];
        at[i] = at[size - 1 - i];
        at[size - 1 - i] = byte;
    }
}

static void swap_words(const void *from, size_t bytes)
{
    for (size_t at = 0; at + sizeof(size_t) <= bytes; at += sizeof(size_t))
        swap_at((const unsigned char *)from + at, sizeof(size_t));
}

static void swap_chain(const struct acre_tlsf_block *block)
{
    for (;;) {
        size_t span = tlsf_span(block);
        swap_at(tlsf_header(block), TLSF_HEADER);
        if (span == 0)
            return;
        if (tlsf_is_free(block)) {
            swap_words(block, sizeof *block);
            swap_at(tlsf_size_before(tlsf_after(block, span)), TLSF_HEADER);
        }
        block = tlsf_after(block, span);
    }
}

static void either_byte_order(void **state)
{
    (void)state;
    make_heap(false);
    memcpy(swapped, &memory, sizeof memory);
    swap_words(&memory.tlsf, sizeof memory.tlsf);
    for (const struct acre_tlsf_region *region = tlsf_first_region(&memory.tlsf); region;
         region = tlsf_next_region(region)) {
        swap_words(region, offsetof(struct acre_tlsf_region, joined));
        swap_words(region + 1, region->map_size);
        swap_chain(region->first);
    }
    struct image image = image_of(swapped);
    image.facts.big = !image.facts.big;
    check_as(&image, "");
    image.facts.big = !image.facts.big;
    check_as(&image, "TLSF-1: a region's descriptor is damaged, or regions are out of order");
}

/* ---- damage ---- */

static void each_damage_has_its_name(void **state)
{
    (void)state;
    make_heap(false);
    struct image image = image_of(&memory);
    const struct acre_tlsf_region *first = tlsf_first_region(&memory.tlsf);
    struct acre_tlsf_region *region = (struct acre_tlsf_region *)(uintptr_t)first;
    struct acre_tlsf_block *top = memory.tlsf.top;
    assert_non_null(top);
    region->granules++;
    check_as(&image, "TLSF-1: a region's descriptor is damaged, or regions are out of order");
    region->granules--;
    *tlsf_header(region->first) += 4 * POOL;
    check_as(&image, "TLSF-2: a block's size does not lead to the next block");
    *tlsf_header(region->first) -= 4 * POOL;
    *tlsf_header(region->first) ^= TLSF_PREV_FREE;
    check_as(&image, "TLSF-4: a block and the one before it disagree on whether that one is free");
    *tlsf_header(region->first) ^= TLSF_PREV_FREE;
    *tlsf_header(tlsf_after(top, tlsf_span(top))) |= TLSF_FREE;
    check_as(&image, tlsf_span(tlsf_after(top, tlsf_span(top))) == 0
                         ? "TLSF-2: a block's size does not lead to the next block"
                         : "TLSF-3: two adjacent blocks are both free");
    *tlsf_header(tlsf_after(top, tlsf_span(top))) &= ~(acre_tlsf_field)TLSF_FREE;
    if (ACRE_CHECK_POINTERS) {
        region->live_map[1] ^= 1;
        check_as(&image, "TLSF-5: a live bit and a block header disagree");
        region->live_map[1] ^= 1;
    }
    memory.tlsf.top = NULL;
    check_as(&image, "TLSF-6: a list of free blocks is damaged");
    memory.tlsf.top = top;
    memory.tlsf.summary ^= 1;
    check_as(&image, "TLSF-7: the bitmaps do not match the lists");
    memory.tlsf.summary ^= 1;
    memory.tlsf.live_blocks++;
    check_as(&image, "TLSF-8: a count does not match the blocks and regions");
    memory.tlsf.live_blocks--;
    memory.tlsf.base++;
    check_as(&image, "TLSF-9: the cached region is none of the regions");
    memory.tlsf.base--;
    check_as(&image, "");
    check_as(
        &(struct image){
            .bytes = image.bytes, .size = 64, .base = image.base, .facts = image.facts },
        "the control structure does not lie in the image");
}

/* Links between regions, which the library's checker has to follow; the index and flags, which the
 * checker of images does not look at. */
static bool is_left_out(const unsigned char *at)
{
    const unsigned char *tlsf = (const unsigned char *)&memory.tlsf;
    size_t into = (size_t)(at - tlsf);
    if (into < sizeof memory.tlsf)
        return into >= offsetof(struct acre_tlsf, regions.index) &&
               into < offsetof(struct acre_tlsf, regions.total);
    for (const struct acre_tlsf_region *region = tlsf_first_region(&memory.tlsf); region;
         region = tlsf_next_region(region)) {
        const unsigned char *from = (const unsigned char *)region - sizeof(struct acre_region_node);
        if (at >= from && at < (const unsigned char *)&region->range.start)
            return true;
        if (at >= (const unsigned char *)&region->range.integers &&
            at < (const unsigned char *)&region->base)
            return true;
        if (at >= (const unsigned char *)&region->map_size &&
            at < (const unsigned char *)&region->shared_base)
            return true;
    }
    return false;
}

/* The two checkers agree on whether a damaged heap is sound, and on the name. */
static void both_checkers_agree(bool compact)
{
    struct rng rng = { 11 };
    make_heap(compact);
    unsigned char *bytes = (unsigned char *)&memory;
    size_t own = compact ? tlsf_compact_size(memory.tlsf.compact.lists) : sizeof memory.tlsf;
    size_t damaged = 0;
    for (size_t i = 0; i < 4000; i++) {
        size_t room = i % 2 == 0 ? own : sizeof memory;
        unsigned char *at = bytes + rng_below(&rng, room);
        unsigned char change = (unsigned char)(1u << rng_below(&rng, 8));
        struct image image = image_of(&memory);
        if (is_left_out(at))
            continue;
        *at ^= change;
        const char *invariant = acre_tlsf_check(&memory.tlsf).invariant;
        check_as(&image, invariant != NULL ? invariant : "");
        damaged += invariant != NULL;
        *at ^= change;
    }
    assert_true(damaged > 500);
}

static void both_agree_on_whole_structures(void **state)
{
    (void)state;
    both_checkers_agree(false);
}

static void both_agree_on_compact_structures(void **state)
{
    (void)state;
    if (!TLSF_COMPACT)
        skip();
    both_checkers_agree(true);
}

/* Nothing that an image holds leads the checker out of it; several bytes at once, cut short
 * anywhere. */
static void hostile_images_are_survived(void **state)
{
    struct rng rng = { 13 };
    (void)state;
    for (size_t i = 0; i < 2000; i++) {
        if (i % 500 == 0)
            make_heap(i % 1000 == 0);
        memcpy(swapped, &memory, sizeof memory);
        for (size_t n = rng_below(&rng, 8); n > 0; n--)
            swapped[rng_below(&rng, n % 2 ? sizeof memory : sizeof memory.tlsf)] =
                (unsigned char)rng_below(&rng, 256);
        struct image image = image_of(swapped);
        struct image_heap heap;
        image.size = i % 4 == 0 ? rng_below(&rng, sizeof memory) : sizeof memory;
        image.facts.granule = i % 3 == 0 ? 0 : ACRE_TLSF_GRANULE;
        image_check_tlsf(&heap, &image, image.base);
        assert_false(heap.no_memory);
        image_heap_free(&heap);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_layout_is_the_compilers),
        cmocka_unit_test(a_sound_heap_is_sound),
        cmocka_unit_test(either_byte_order),
        cmocka_unit_test(each_damage_has_its_name),
        cmocka_unit_test(both_agree_on_whole_structures),
        cmocka_unit_test(both_agree_on_compact_structures),
        cmocka_unit_test(hostile_images_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
