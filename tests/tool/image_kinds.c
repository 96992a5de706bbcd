/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Images of buddy, slab and bitmap: a sound allocator is sound, whatever bit is damaged the checker
 * of images says what the library's says, and hostile images are survived.
 */
#include "bitmap/bitmap_private.h"
#include "buddy/buddy_private.h"
#include "slab/slab_private.h"
#include "support/rng.h"
#include "tool/image/image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { POOL = 1 << 15, SECOND = 1 << 13, BLOCKS = 96, PAGES = 4096 };

/* One run of memory, so that one image holds all of it. */
static struct {
    union {
        struct acre_buddy buddy;
        struct acre_slab slab;
        struct acre_bitmap bitmap;
    } own;
    _Alignas(4096) unsigned char pool[POOL];
    _Alignas(64) unsigned char gap[4096];
    unsigned char second[SECOND];
} memory;

static unsigned char changed[sizeof memory];

/* ---- the allocators ---- */

static void fill_bytes(struct acre_bytes bytes)
{
    struct rng rng = { 7 };
    void *blocks[BLOCKS] = { NULL };
    assert_int_equal(acre_bytes_add_memory(bytes, memory.pool, POOL), ACRE_OK);
    assert_int_equal(acre_bytes_add_memory(bytes, memory.second, SECOND), ACRE_OK);
    for (size_t i = 0; i < 1000; i++) {
        size_t at = rng_below(&rng, BLOCKS);
        if (blocks[at] != NULL)
            assert_int_equal(acre_dealloc(bytes, blocks[at]), ACRE_OK);
        size_t size = rng_below(&rng, i % 20 == 0 ? 9000 : 400);
        blocks[at] = acre_alloc(bytes, acre_layout(size, 1)).ptr;
    }
    assert_null(acre_bytes_check(bytes).invariant);
}

static void make_buddy(void)
{
    fill_bytes(acre_buddy_bytes(&memory.own.buddy));
}

static void make_slab(void)
{
    fill_bytes(acre_slab_bytes(&memory.own.slab));
}

/* Pages that are no memory; the metadata lies in the image. */
static void make_bitmap(void)
{
    struct rng rng = { 7 };
    struct acre_bitmap *bitmap = &memory.own.bitmap;
    uintptr_t first = (uintptr_t)1 << 20;
    assert_int_equal(
        acre_bitmap_add_memory_apart(bitmap, first, (size_t)PAGES * 5 * 4096, memory.pool, POOL),
        ACRE_OK);
    assert_int_equal(acre_bitmap_add_memory_apart(
                         bitmap, (uintptr_t)1 << 30, (size_t)3000 * 4096, memory.second, SECOND),
        ACRE_OK);
    for (size_t i = 0; i < 4000; i++) {
        size_t count = 1 + rng_below(&rng, i % 9 == 0 ? 60 : 2);
        uintptr_t pos = first + rng_below(&rng, PAGES) * 4096;
        if (i < 1500 || i % 3 != 0)
            (void)acre_bitmap_alloc_pages(bitmap, count, 1).num;
        else
            (void)acre_bitmap_dealloc_pages(bitmap, pos, 1);
    }
    (void)acre_bitmap_alloc_pages(bitmap, 1, 1).num;
    assert_null(acre_bitmap_check(bitmap).invariant);
}

static const char *check_buddy(void)
{
    return acre_buddy_check(&memory.own.buddy).invariant;
}

static const char *check_slab(void)
{
    return acre_slab_check(&memory.own.slab).invariant;
}

static const char *check_bitmap(void)
{
    return acre_bitmap_check(&memory.own.bitmap).invariant;
}

struct subject {
    const char *name;
    void (*make)(void);
    const char *(*check)(void);
    size_t size;                 /* of the control structure */
    size_t regions;              /* where its struct acre_regions is */
    size_t descriptor;           /* bytes of a descriptor that are not damaged */
    size_t trusted, trusted_end; /* members that the library follows */
};

static const struct subject subjects[] = {
    { "buddy", make_buddy, check_buddy, sizeof(struct acre_buddy),
        offsetof(struct acre_buddy, regions), sizeof(struct acre_region), 0, 0 },
    { "slab", make_slab, check_slab, sizeof(struct acre_slab), offsetof(struct acre_slab, regions),
        sizeof(struct acre_region), 0, 0 },
    { "bitmap", make_bitmap, check_bitmap, sizeof(struct acre_bitmap),
        offsetof(struct acre_bitmap, regions),
        sizeof(struct acre_bitmap_range) + 2 * sizeof(void *), offsetof(struct acre_bitmap, hint),
        offsetof(struct acre_bitmap, page_shift) },
};

static const struct acre_regions *regions_of(const struct subject *subject)
{
    return (const void *)((const char *)&memory + subject->regions);
}

/* Links between regions and their index, which the library's checkers follow. */
static bool is_left_out(const struct subject *subject, size_t at)
{
    const unsigned char *bytes = (const unsigned char *)&memory;
    size_t first = subject->regions;
    if (at < subject->size)
        return (at >= first && at < first + offsetof(struct acre_regions, total)) ||
               (at >= subject->trusted && at < subject->trusted_end);
    for (const struct acre_region *region = regions_of(subject)->first; region != NULL;
         region = region->next) {
        const unsigned char *from = (const unsigned char *)region;
        if (bytes + at >= from - sizeof(struct acre_region_node) &&
            bytes + at < from + subject->descriptor)
            return true;
    }
    return false;
}

static struct image image_of(const void *bytes)
{
    const uint16_t one = 1;
    return (struct image){ .bytes = bytes,
        .size = sizeof memory,
        .base = (uintptr_t)&memory,
        .facts = { .word = sizeof(void *), .big = *(const uint8_t *)&one == 0 } };
}

static void make(const struct subject *subject)
{
    memset(&memory, 0, sizeof memory);
    subject->make();
}

/* ---- tests ---- */

static void a_sound_allocator_is_sound(void **state)
{
    const struct subject *subject = *state;
    const struct image_kind *kind = image_kind_named(subject->name);
    struct image image = image_of(&memory);
    struct image_heap heap;
    assert_non_null(kind);
    memset(&memory, 0, sizeof memory);
    kind->check(&heap, &image, image.base);
    assert_string_equal(heap.broken, "");
    image_heap_free(&heap);
    make(subject);
    kind->check(&heap, &image, image.base);
    assert_string_equal(heap.broken, "");
    assert_int_equal(heap.region_count, 2);
    assert_true(heap.live_count > 10 && heap.block_count > heap.live_count);
    image_heap_free(&heap);
    image.size = 64;
    kind->check(&heap, &image, image.base);
    assert_string_equal(heap.broken, "the control structure does not lie in the image");
    image_heap_free(&heap);
}

static void both_checkers_agree(void **state)
{
    const struct subject *subject = *state;
    const struct image_kind *kind = image_kind_named(subject->name);
    struct rng rng = { 11 };
    size_t damaged = 0;
    make(subject);
    unsigned char *bytes = (unsigned char *)&memory;
    for (size_t i = 0; i < 1200; i++) {
        size_t at = rng_below(&rng, i % 2 == 0 ? subject->size : sizeof memory);
        unsigned char bit = (unsigned char)(1u << rng_below(&rng, 8));
        struct image image = image_of(&memory);
        struct image_heap heap;
        if (is_left_out(subject, at))
            continue;
        bytes[at] ^= bit;
        const char *invariant = subject->check();
        kind->check(&heap, &image, image.base);
        if (strcmp(heap.broken, invariant != NULL ? invariant : "") != 0)
            fail_msg("bit %#x of byte %zu: '%s', not '%s'", bit, at, heap.broken,
                invariant != NULL ? invariant : "");
        image_heap_free(&heap);
        damaged += invariant != NULL;
        bytes[at] ^= bit;
    }
    assert_true(damaged > 150);
}

/* Nothing that an image holds leads the checker out of it; several bytes at once, cut short
 * anywhere, read as another machine. */
static void hostile_images_are_survived(void **state)
{
    const struct subject *subject = *state;
    const struct image_kind *kind = image_kind_named(subject->name);
    struct rng rng = { 13 };
    make(subject);
    for (size_t i = 0; i < 150; i++) {
        memcpy(changed, &memory, sizeof memory);
        for (size_t n = rng_below(&rng, 8); n > 0; n--)
            changed[rng_below(&rng, n % 2 ? sizeof memory : subject->size)] =
                (unsigned char)rng_below(&rng, 256);
        struct image image = image_of(changed);
        struct image_heap heap;
        image.size = i % 4 == 0 ? rng_below(&rng, sizeof memory) : sizeof memory;
        image.facts.big = i % 5 == 0 ? !image.facts.big : image.facts.big;
        image.facts.word = i % 7 == 0 ? 12 - image.facts.word : image.facts.word;
        kind->check(&heap, &image, image.base);
        assert_false(heap.no_memory);
        image_heap_free(&heap);
    }
}

static void other_names_are_no_kinds(void **state)
{
    (void)state;
    assert_null(image_kind_named("malloc"));
    assert_null(image_kind_named(""));
    assert_non_null(image_kind_named("tlsf"));
}

#define SUBJECT(test, index) cmocka_unit_test_prestate(test, (void *)(uintptr_t)&subjects[index])

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUBJECT(a_sound_allocator_is_sound, 0),
        SUBJECT(a_sound_allocator_is_sound, 1),
        SUBJECT(a_sound_allocator_is_sound, 2),
        SUBJECT(both_checkers_agree, 0),
        SUBJECT(both_checkers_agree, 1),
        SUBJECT(both_checkers_agree, 2),
        SUBJECT(hostile_images_are_survived, 0),
        SUBJECT(hostile_images_are_survived, 1),
        SUBJECT(hostile_images_are_survived, 2),
        cmocka_unit_test(other_names_are_no_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
