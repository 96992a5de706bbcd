/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* White box: damage one field of the metadata and expect exactly the invariant that it breaks. */
#include "slab/slab_tables.h"
#include "support/damage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static _Alignas(4096) unsigned char memory[256 << 10];
static struct acre_slab slab;
static struct acre_slab_page *full;    /* a slab without a free object, not current */
static struct acre_slab_page *partial; /* one in its class's ring */
static struct acre_slab_page *current; /* a current slab */
static struct acre_slab_page *run;     /* a live run */
static struct acre_slab_page *hole;    /* a free run between live blocks */
static unsigned own;                   /* class of the slabs */

static struct acre_slab_page *page_of(const void *ptr)
{
    size_t number = ((uintptr_t)ptr - slab.base) >> slab.page_log2;
    return slab.page_map[number];
}

static void *take(size_t size)
{
    return acre_slab_alloc(&slab, acre_layout(size, 1)).ptr;
}

/* Slabs of 1000-byte objects; five runs, of which the second and the fourth are free again. */
static int make(void **state)
{
    static void *blocks[64];
    (void)state;
    slab = (struct acre_slab){ 0 };
    acre_slab_setup(&slab, 1024);
    if (acre_slab_init(&slab, memory, sizeof memory) != ACRE_OK)
        return -1;
    for (size_t i = 0; i < 64; i++)
        blocks[i] = take(1000);
    full = page_of(blocks[0]);
    current = page_of(blocks[63]);
    size_t other = 0;
    while (page_of(blocks[other]) == full)
        other++;
    partial = page_of(blocks[other]);
    acre_slab_dealloc(&slab, blocks[other]);
    own = full->size_class;
    take(20000);
    void *gone = take(20000);
    run = page_of(take(20000));
    void *also_gone = take(20000);
    take(20000);
    hole = page_of(gone);
    acre_slab_dealloc(&slab, also_gone);
    acre_slab_dealloc(&slab, gone);
    return acre_slab_check(&slab).invariant != NULL || slab.current[own] != current ||
           partial == current || slab.partial[own] != partial || full->reciprocal != 0;
}

static void expect(const char *invariant)
{
    struct acre_check_result found = acre_slab_check(&slab);
    assert_non_null(found.invariant);
    if (strncmp(found.invariant, invariant, strlen(invariant)) != 0 ||
        found.invariant[strlen(invariant)] != ':')
        fail_msg("expected %s, found %s", invariant, found.invariant);
    assert_non_null(found.where);
}

/* Changes a field by xor, expects the invariant, changes it back, and expects all to be well. */
static void flip(void *field, size_t at, unsigned char bits, const char *invariant)
{
    unsigned char *byte = (unsigned char *)field + at;
    *byte ^= bits;
    expect(invariant);
    *byte ^= bits;
    assert_null(acre_slab_check(&slab).invariant);
}

/* The same in a region's header, first with its old checksum, then with a new one. */
static void flip_header(void *field, size_t at, unsigned char bits, const char *invariant)
{
    flip(field, at, bits, "SLAB-11");
    ((unsigned char *)field)[at] ^= bits;
    slab_update_checksum(slab_first_region(&slab));
    expect(invariant);
    ((unsigned char *)field)[at] ^= bits;
    slab_update_checksum(slab_first_region(&slab));
    assert_null(acre_slab_check(&slab).invariant);
}

#define FLIP(field, bits, invariant) flip(&(field), 0, bits, invariant)

/* The same by value, where bits mean different things: bytes have another order on other machines. */
static void flip_number(size_t *number, size_t bits, const char *invariant)
{
    *number ^= bits;
    expect(invariant);
    *number ^= bits;
    assert_null(acre_slab_check(&slab).invariant);
}

static void regions(void **state)
{
    struct acre_slab_region *region = slab_first_region(&slab);
    (void)state;
    flip_header(&region->range.start, 0, 0xff, "SLAB-1");
    flip_header(&region->pages, 1, 0x01, "SLAB-1");
    flip_header(&region->base, 1, 0x01, "SLAB-1");
    flip(&slab.base, 1, 0x40, "SLAB-10");
    FLIP(slab.pages, 0x01, "SLAB-10");
    FLIP(slab.records, 0x08, "SLAB-10");
    FLIP(slab.page_map, 0x08, "SLAB-10");
    flip_header(&region->page_map, 0, 0x08, "SLAB-10");
    struct acre_slab_region was = *region; /* its pages would lie below its header */
    region->base = ((uintptr_t)region & ~(slab_page_size(&slab) - 1)) - slab_page_size(&slab);
    region->map_base = region->base;
    slab_update_checksum(region);
    expect("SLAB-1");
    *region = was;
    assert_null(acre_slab_check(&slab).invariant);
}

static void tiles(void **state)
{
    struct acre_slab_region *region = slab_first_region(&slab);
    (void)state;
    FLIP(region->records[0].state, 0x01, "SLAB-2");
    FLIP(region->records[region->pages + 1].state, 0x01, "SLAB-2");
    FLIP(full->pages, 0x80, "SLAB-2");
    FLIP(full[full->pages - 1].to_first, 0x01, "SLAB-2");
    FLIP(slab.page_map[full - slab.records + 1], 0x28, "SLAB-2");
    FLIP(slab.page_map[run - slab.records + 1], 0x01, "SLAB-2");
    FLIP(full[1].state, 0x02, "SLAB-2");
    FLIP(run->state, 0x10, "SLAB-2");
    FLIP(run->start, 0x10, "SLAB-2");
    FLIP(slab.page_map[run - slab.records], 0x28, "SLAB-2");
    FLIP(run[1].reciprocal, 0x01, "SLAB-2");
    FLIP(hole[hole->length - 1].length, 0x01, "SLAB-2");
    FLIP(hole[hole->length - 1].state, 0x01, "SLAB-2");
    struct acre_slab_page **entry = &slab.page_map[run - slab.records + 1];
    struct acre_slab_page *was = *entry; /* a run's page must not lead to a slab */
    *entry = full;
    expect("SLAB-2");
    *entry = was;
    assert_null(acre_slab_check(&slab).invariant);
}

static void runs(void **state)
{
    size_t list = slab_run_list(hole->length);
    (void)state;
    FLIP(hole->next, 0x08, "SLAB-3");
    FLIP(hole->next->prev, 0x08, "SLAB-3");
    FLIP(hole->list, 0x01, "SLAB-3");
    FLIP(slab.runs[list], 0x08, "SLAB-3");
    FLIP(slab.nonempty[list / SLAB_WORD_BITS], (unsigned char)(1u << list % 8), "SLAB-4");
    struct acre_slab_page *other = hole->next; /* a list without an end */
    struct acre_slab_page *prev = hole->prev;
    assert_null(other->next);
    other->next = hole;
    hole->prev = other;
    expect("SLAB-3");
    other->next = NULL;
    hole->prev = prev;
    assert_null(acre_slab_check(&slab).invariant);
}

static void cached_regions(void **state)
{
    static unsigned char other[64 << 10];
    struct acre_slab_region *elsewhere = (void *)other;
    (void)state;
    slab.region_cache[7] = elsewhere;
    expect("SLAB-1");
    slab.region_cache[7] = slab_first_region(&slab);
    assert_null(acre_slab_check(&slab).invariant);
}

static void slabs(void **state)
{
    (void)state;
    flip_number(&current->free_bits, ~(SIZE_MAX >> 1), "SLAB-5");
    FLIP(full->count, 0x01, "SLAB-5");
    FLIP(full->reciprocal, 0x01, "SLAB-6");
    FLIP(partial->reciprocal, 0x01, "SLAB-6");
    FLIP(current->reciprocal, 0x01, "SLAB-6");
    FLIP(full->start, 0x01, "SLAB-6");
    FLIP(full->size, 0x10, "SLAB-6");
    FLIP(full->size_class, 0x01, "SLAB-6");
    FLIP(full->size_steps, 0x01, "SLAB-6");
    FLIP(run->size_steps, 0x01, "SLAB-6");
    FLIP(partial->next, 0x08, "SLAB-7");
    FLIP(partial->prev, 0x08, "SLAB-7");
    FLIP(slab.partial[own], 0x08, "SLAB-7");
    FLIP(slab.current_count[own], 0x01, "SLAB-7");
    flip(&slab.current_start[own], 1, 0x08, "SLAB-7");
}

/* Rings of two classes lead to each other's slab. */
static void rings_of_other_classes(void **state)
{
    void *blocks[64];
    (void)state;
    for (size_t i = 0; i < 64; i++)
        blocks[i] = take(500);
    size_t other = 0;
    while (page_of(blocks[other]) == page_of(blocks[63]))
        other++;
    acre_slab_dealloc(&slab, blocks[other]);
    unsigned second = page_of(blocks[other])->size_class;
    assert_ptr_equal(slab.partial[second], page_of(blocks[other]));
    assert_null(acre_slab_check(&slab).invariant);
    slab.partial[own] = slab.partial[second];
    slab.partial[second] = partial;
    expect("SLAB-7");
}

/* As many pages as hold no object, and the number of objects that belongs to them. */
static void a_slab_without_objects(void **state)
{
    (void)state;
    struct acre_slab_page *page = page_of(take(4 * slab_page_size(&slab)));
    assert_true(slab_is_slab(page) && page->pages > 3);
    page->pages = 3;
    page->count = 0;
    expect("SLAB-5");
}

static void counts(void **state)
{
    (void)state;
    FLIP(slab.live_blocks, 0x01, "SLAB-8");
    FLIP(slab.peak, 0x10, "SLAB-8");
    FLIP(slab.headroom, 0x10, "SLAB-8");
    FLIP(slab.regions.total, 0x10, "SLAB-8");
    FLIP(slab.largest_regions, 1, "SLAB-8");
    FLIP(slab.capacity, 0x01, "SLAB-8");
    flip_number(&partial->free_bits, 0x02, "SLAB-8");
}

static void constants(void **state)
{
    (void)state;
    FLIP(slab.page_log2, 0x01, "SLAB-9");
    FLIP(slab.watermark, 0x01, "SLAB-9");
    FLIP(slab.sizes, 0x01, "SLAB-9");
    FLIP(slab.object_size[own], 0x10, "SLAB-9");
    FLIP(slab.reciprocal[5], 0x01, "SLAB-9");
    FLIP(slab.slab_pages[20], 0x80, "SLAB-9");
    FLIP(slab.size_steps[own], 0x02, "SLAB-9");
    FLIP(slab.class_of[3], 0x80, "SLAB-9");
    FLIP(slab.no_slab.free_bits, 0x01, "SLAB-9");
}

/* ---- every field, in many ways ---- */

static struct acre_check_result check(void)
{
    return acre_slab_check(&slab);
}

static void seal(void)
{
    slab_update_checksum(slab_first_region(&slab));
}

static void every_constant(void **state)
{
    struct damage damage = { .check = check, .all = true };
    (void)state;
    DAMAGE_NUMBER(&damage, slab.page_log2);
    DAMAGE_NUMBER(&damage, slab.watermark);
    for (size_t i = 0; i < ACRE_SLAB_CLASSES; i++) {
        DAMAGE_NUMBER(&damage, slab.object_size[i]);
        DAMAGE_NUMBER(&damage, slab.reciprocal[i]);
        DAMAGE_NUMBER(&damage, slab.size_steps[i]);
    }
    for (size_t i = 0; i < slab.sizes; i++)
        DAMAGE_NUMBER(&damage, slab.class_of[i]);
    DAMAGE_NUMBER(&damage, slab.no_slab.reciprocal);
    DAMAGE_NUMBER(&damage, slab.no_slab.free_bits);
    damage.all = false;
    DAMAGE_NUMBER(&damage, slab.no_slab.state);
    DAMAGE_NUMBER(&damage, slab.sizes);
    for (size_t i = 0; i < ACRE_SLAB_CLASSES; i++) /* slabs may have other lengths */
        DAMAGE_NUMBER(&damage, slab.slab_pages[i]);
    assert_true(damage.named > 2000);
}

static void every_count(void **state)
{
    struct damage damage = { .check = check, .all = true };
    (void)state;
    DAMAGE_NUMBER(&damage, slab.headroom);
    DAMAGE_NUMBER(&damage, slab.peak);
    DAMAGE_NUMBER(&damage, slab.live_blocks);
    DAMAGE_NUMBER(&damage, slab.capacity);
    DAMAGE_NUMBER(&damage, slab.largest_pages);
    DAMAGE_NUMBER(&damage, slab.largest_regions);
    DAMAGE_NUMBER(&damage, slab.regions.total);
    DAMAGE_NUMBER(&damage, slab.pages);
    DAMAGE_NUMBER(&damage, slab.base);
    for (size_t i = 0; i < ACRE_SLAB_RUN_WORDS; i++)
        DAMAGE_NUMBER(&damage, slab.nonempty[i]);
    for (size_t i = 0; i < ACRE_SLAB_CLASSES; i++)
        DAMAGE_NUMBER(&damage, slab.current_count[i]);
    DAMAGE_NUMBER(&damage, slab.current_start[own]);
}

static void every_list(void **state)
{
    struct damage damage = { .check = check, .all = true };
    void *records[] = { full, partial, current, run, hole, &slab.no_slab, full + 1, NULL,
        (unsigned char *)hole + 8 };
    (void)state;
    for (size_t i = 0; i < ACRE_SLAB_CLASSES; i++) {
        DAMAGE_LINK(&damage, slab.current[i], records);
        DAMAGE_LINK(&damage, slab.partial[i], records);
    }
    for (size_t i = 0; i < ACRE_SLAB_RUN_LISTS; i++)
        DAMAGE_LINK(&damage, slab.runs[i], records);
    DAMAGE_LINK(&damage, slab.records, records);
    void *const links[] = { &partial->next, &partial->prev, &hole->next, &hole->next->prev };
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        damage_link(&damage, links[i], records, sizeof records / sizeof *records);
    void *regions_too[] = { NULL, slab_first_region(&slab), memory };
    damage.all = false; /* null is no damage */
    for (size_t i = 0; i < ACRE_SLAB_CACHED_REGIONS; i++)
        DAMAGE_LINK(&damage, slab.region_cache[i], regions_too);
}

/* A record's fields, whose meaning depends on its state: some are unused. */
static void every_record(void **state)
{
    struct damage damage = { .check = check };
    struct acre_slab_page *records[] = { full, partial, current, run, hole, full + 1, run + 1,
        full + full->pages - 1, hole + hole->length - 1, slab_first_region(&slab)->records };
    (void)state;
    for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
        struct acre_slab_page *page = records[i];
        DAMAGE_NUMBER(&damage, page->free_bits);
        DAMAGE_NUMBER(&damage, page->reciprocal);
        DAMAGE_NUMBER(&damage, page->start);
        DAMAGE_NUMBER(&damage, page->size);
        DAMAGE_NUMBER(&damage, page->pages);
        DAMAGE_NUMBER(&damage, page->to_first);
        DAMAGE_NUMBER(&damage, page->size_steps);
        DAMAGE_NUMBER(&damage, page->state);
        DAMAGE_NUMBER(&damage, page->size_class);
        DAMAGE_NUMBER(&damage, page->list);
    }
    assert_true(damage.named > 1000);
}

/* A header whose checksum is right, so that only the meaning of its fields is wrong. */
static void every_field_of_a_sealed_header(void **state)
{
    struct acre_slab_region *region = slab_first_region(&slab);
    struct damage damage = { .check = check, .seal = seal, .all = true };
    void *links[] = { full, region, region->records + 1, slab.page_map + 1, &slab.no_slab };
    void *owners[] = { NULL, full, &slab.no_slab };
    (void)state;
    DAMAGE_NUMBER(&damage, region->base);
    DAMAGE_NUMBER(&damage, region->pages);
    DAMAGE_NUMBER(&damage, region->map_base);
    DAMAGE_LINK(&damage, region->records, links);
    DAMAGE_LINK(&damage, region->map_owner, owners);
    damage.all = false; /* bytes that no page has may be more or fewer */
    DAMAGE_NUMBER(&damage, region->range.start);
    DAMAGE_NUMBER(&damage, region->range.size);
    DAMAGE_LINK(&damage, region->page_map, links);
}

static void every_field_of_an_empty_allocator(void **state)
{
    struct damage damage = { .check = check, .all = true };
    (void)state;
    slab = (struct acre_slab){ 0 };
    assert_null(check().invariant);
    DAMAGE_NUMBER(&damage, slab.page_log2);
    DAMAGE_NUMBER(&damage, slab.sizes);
    void *inside = memory;
    damage_with(&damage, &slab.regions.first, &inside, sizeof inside, 0);
    slab.page_log2 = 12;
    slab.sizes = 1;
    assert_non_null(check().invariant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(regions, make),
        cmocka_unit_test_setup(tiles, make),
        cmocka_unit_test_setup(runs, make),
        cmocka_unit_test_setup(cached_regions, make),
        cmocka_unit_test_setup(slabs, make),
        cmocka_unit_test_setup(rings_of_other_classes, make),
        cmocka_unit_test_setup(a_slab_without_objects, make),
        cmocka_unit_test_setup(counts, make),
        cmocka_unit_test_setup(constants, make),
        cmocka_unit_test_setup(every_constant, make),
        cmocka_unit_test_setup(every_count, make),
        cmocka_unit_test_setup(every_list, make),
        cmocka_unit_test_setup(every_record, make),
        cmocka_unit_test_setup(every_field_of_a_sealed_header, make),
        cmocka_unit_test_setup(every_field_of_an_empty_allocator, make),
    };
    return cmocka_run_group_tests_name("slab corruption", tests, NULL, NULL);
}
