/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * TLSF's metadata damaged in many ways, field by field: the checker survives and names it; with
 * ACRE_HARDEN_METADATA the verbs survive, too, and hand out nothing that is in use.
 */
#include "support/damage.h"

#include "damaged_heap.h"

/* ---- every field, in many ways ---- */

static struct acre_check_result check(void)
{
    return acre_tlsf_check(&tlsf);
}

static void damage_region(struct damage *damage, struct acre_tlsf_region *at)
{
    void *inside[] = { at, block[0], block[1], at->first, at->last, memory, outside, NULL };
    damage->all = true;
    DAMAGE_NUMBER(damage, at->base);
    DAMAGE_NUMBER(damage, at->granules);
    DAMAGE_NUMBER(damage, at->shared_base);
    DAMAGE_NUMBER(damage, at->shared_granules);
    DAMAGE_NUMBER(damage, at->live_map);
    DAMAGE_NUMBER(damage, at->shared_map);
    DAMAGE_LINK(damage, at->range.prev, inside);
    damage->all = false; /* what a joined region and the one below it do not use may be anything */
    DAMAGE_LINK(damage, at->first, inside);
    DAMAGE_LINK(damage, at->last, inside);
    DAMAGE_NUMBER(damage, at->range.start);
    DAMAGE_NUMBER(damage, at->range.size);
    DAMAGE_NUMBER(damage, at->range.meta);
    DAMAGE_NUMBER(damage, at->range.meta_size);
}

static void damage_counts(struct damage *damage)
{
    damage->all = true;
    DAMAGE_NUMBER(damage, tlsf.base);
    DAMAGE_NUMBER(damage, tlsf.granules);
    DAMAGE_NUMBER(damage, tlsf.live_map);
    DAMAGE_NUMBER(damage, tlsf.headroom);
    DAMAGE_NUMBER(damage, tlsf.live_blocks);
    DAMAGE_NUMBER(damage, tlsf.capacity);
    DAMAGE_NUMBER(damage, tlsf.regions.total);
}

static void every_field(void **state)
{
    struct damage damage = { .check = check };
    (void)state;
    set_up();
    damage_region(&damage, region());
    damage_counts(&damage);
    for (size_t i = 0; i < ACRE_TLSF_WORDS; i++)
        DAMAGE_NUMBER(&damage, tlsf.nonempty[i]);
    DAMAGE_NUMBER(&damage, tlsf.summary);
    void *blocks[] = { block[0], block[1], block[2], block[3], block[5], block[BLOCKS],
        region()->last, region()->first, memory, outside, outside + 8, NULL };
    damage.all = false; /* two blocks of one size may change places */
    for (size_t i = 0; i < ACRE_TLSF_LISTS; i++)
        DAMAGE_LINK(&damage, tlsf.first[i], blocks);
    DAMAGE_LINK(&damage, tlsf.top, blocks);
    for (size_t i = 0; i <= BLOCKS; i++) {
        damage_number(&damage, tlsf_header(block[i]), TLSF_HEADER);
        DAMAGE_LINK(&damage, block[i]->next, blocks);
        DAMAGE_LINK(&damage, block[i]->prev, blocks);
    }
    damage_number(&damage, tlsf_header(region()->last), TLSF_HEADER);
    for (size_t i = 0; i < region()->granules / ACRE_TLSF_WORD_BITS; i++)
        DAMAGE_NUMBER(&damage, region()->live_map[i]);
    assert_true(damage.named > 1000);
}

static void every_field_of_joined_regions(void **state)
{
    static unsigned char high_metadata[2048];
    struct damage damage = { .check = check };
    unsigned char *half = memory + sizeof(memory) / 2;
    (void)state;
    assert_int_equal(acre_tlsf_init(&tlsf, memory, sizeof(memory) / 2), ACRE_OK);
    assert_int_equal(acre_tlsf_add_memory_apart(
                         &tlsf, half, sizeof(memory) / 2, high_metadata, sizeof(high_metadata)),
        ACRE_OK);
    block[0] = acre_tlsf_alloc(&tlsf, acre_layout(100, 1)).ptr;
    block[1] = acre_tlsf_alloc(&tlsf, acre_layout(100, 1)).ptr;
    assert_null(check().invariant);
    struct acre_tlsf_region *high = tlsf_next_region(region());
    assert_true(high->joined);
    damage_region(&damage, region());
    damage_region(&damage, high);
    damage_counts(&damage);
    high->joined = false;
    assert_memory_equal(check().invariant, "TLSF-", 5);
    high->joined = true;
    high->range.meta = 0;
    assert_memory_equal(check().invariant, "TLSF-1", 6);
}

static void every_field_of_an_empty_allocator(void **state)
{
    struct damage damage = { .check = check, .all = true };
    (void)state;
    memset(&tlsf, 0, sizeof tlsf);
    damage_counts(&damage);
    DAMAGE_NUMBER(&damage, tlsf.summary);
}

/* ---- with ACRE_HARDEN_METADATA: verbs over damaged headers and links ---- */

static size_t live_size[BLOCKS]; /* 0: free */

/* A block handed out lies in memory that is free. */
static void assert_apart(const unsigned char *ptr, size_t size)
{
    if (ptr == NULL)
        return;
    assert_in_range((uintptr_t)ptr, (uintptr_t)memory, (uintptr_t)(memory + sizeof memory) - size);
    for (size_t i = 0; i < BLOCKS; i++) {
        const unsigned char *other = (const unsigned char *)block[i];
        if (live_size[i] != 0)
            assert_true(ptr + size <= other || ptr >= other + live_size[i]);
    }
}

static void run_verbs(size_t which)
{
    static const size_t sizes[] = { 1, 40, 100, 400, 4000, 9000 };
    static const size_t granules[BLOCKS] = { 4, 0, 5, 0, 6, 0, 2 };
    for (size_t i = 0; i < BLOCKS; i++)
        live_size[i] = granules[i] != 0 ? granules[i] * GRANULE - TLSF_HEADER : 0;
    for (size_t i = 0; which != 0 && i < BLOCKS; i += 2) {
        size_t at = which == 1 ? i : BLOCKS - 1 - i;
        enum acre_status status = which == 3 ? acre_tlsf_resize(&tlsf, block[at], 24)
                                             : acre_tlsf_dealloc(&tlsf, block[at]);
        if (status == ACRE_OK)
            live_size[at] = which == 3 ? 24 : 0;
    }
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t align = i % 2 == 0 ? 1 : 256;
        struct acre_ptr got = acre_tlsf_alloc(&tlsf, acre_layout(sizes[i], align));
        assert_apart(got.ptr, sizes[i]);
        assert_int_equal((uintptr_t)got.ptr % align, 0);
    }
    (void)acre_tlsf_find(&tlsf, block[2]);
    (void)acre_tlsf_usable_size(&tlsf, block[4]);
}

/* After each change of a field, the verbs return and no block overlaps a live one. */
static void try_verbs(void *field, size_t size, const void *value)
{
    static unsigned char image[sizeof memory];
    static struct acre_tlsf image_of_control;
    memcpy(image, memory, sizeof memory);
    image_of_control = tlsf;
    for (size_t which = 0; which < 4; which++) {
        memcpy(field, value, size);
        run_verbs(which);
        memcpy(memory, image, sizeof memory);
        tlsf = image_of_control;
    }
}

static void verbs_over_damaged_headers(void **state)
{
    (void)state;
    if (!TLSF_HARDEN)
        skip();
    set_up();
    void *links[] = { block[0], block[1], block[3], block[5], block[BLOCKS], region()->last, memory,
        outside, NULL };
    for (size_t i = 0; i <= BLOCKS; i++) {
        acre_tlsf_field header = *tlsf_header(block[i]);
        const acre_tlsf_field values[] = { 0, 1, 2, 3, (acre_tlsf_field)-1,
            (acre_tlsf_field)(header ^ 1), (acre_tlsf_field)(header ^ 2),
            (acre_tlsf_field)(header + 4), (acre_tlsf_field)(header - 4),
            (acre_tlsf_field)(header * 2), 8, 12, 4000, 400000 };
        for (size_t k = 0; k < sizeof values / sizeof *values; k++)
            try_verbs(tlsf_header(block[i]), sizeof header, &values[k]);
        for (size_t k = 0; i % 2 != 0 && k < sizeof links / sizeof *links; k++) {
            try_verbs(&block[i]->next, sizeof(void *), &links[k]);
            try_verbs(&block[i]->prev, sizeof(void *), &links[k]);
        }
        if (i % 2 != 0) {
            size_t span = tlsf_span(block[i]);
            const size_t spans[] = { 0, 4, span + 4, span - 4, SIZE_MAX, span * 2, 1 };
            for (size_t k = 0; k < sizeof spans / sizeof *spans; k++)
                try_verbs((void *)tlsf_size_before(tlsf_after(block[i], span)),
                    sizeof *tlsf_size_before(tlsf_after(block[i], span)), &spans[k]);
        }
    }
    assert_null(check().invariant);
}

/* No list is dropped that is sound: a block of 300 granules serves when it is all that is left. */
static void sound_lists_serve(void **state)
{
    (void)state;
    set_up();
    size_t rest = tlsf_span(block[BLOCKS]) / 4 * GRANULE - TLSF_HEADER;
    assert_int_equal(acre_tlsf_alloc(&tlsf, acre_layout(rest, 1)).status, ACRE_OK);
    size_t available = acre_tlsf_stats(&tlsf).available;
    struct acre_ptr got =
        acre_tlsf_alloc(&tlsf, acre_layout((size_t)100 * GRANULE, (size_t)16 * GRANULE));
    assert_int_equal(got.status, ACRE_OK);
    assert_int_equal((uintptr_t)got.ptr % (16 * GRANULE), 0);
    assert_int_equal(acre_tlsf_dealloc(&tlsf, got.ptr), ACRE_OK);
    assert_int_equal(acre_tlsf_stats(&tlsf).available, available);
    assert_null(check().invariant);
}

/* A walk and a reset over damaged metadata do nothing. */
static bool visit_none(void *arg, void *start, size_t size, bool live)
{
    (void)arg;
    (void)start;
    (void)size;
    (void)live;
    fail_msg("a block is visited");
    return false;
}

static void no_walk_over_damage(void **state)
{
    (void)state;
    if (!TLSF_HARDEN)
        skip();
    set_up();
    *tlsf_header(block[2]) ^= 8;
    acre_tlsf_walk(&tlsf, visit_none, NULL);
    assert_int_equal(acre_tlsf_find(&tlsf, block[2]).status, ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_tlsf_remove_memory(&tlsf, memory), ACRE_INVALID_PARAM);
    *tlsf_header(block[2]) ^= 8;
    assert_null(check().invariant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field),
        cmocka_unit_test(every_field_of_joined_regions),
        cmocka_unit_test(every_field_of_an_empty_allocator),
        cmocka_unit_test(verbs_over_damaged_headers),
        cmocka_unit_test(no_walk_over_damage),
        cmocka_unit_test(sound_lists_serve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
