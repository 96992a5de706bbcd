/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The shorthands of the three families: typed allocation with its overflow, base verbs by family.
 */
#include <acre/bitmap.h>
#include <acre/tlsf.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct wide {
    _Alignas(64) char bytes[192];
};

static _Alignas(4096) unsigned char memory[16 * 4096];
static struct acre_tlsf tlsf;
static struct acre_bytes heap;

static int setup_heap(void **state)
{
    (void)state;
    heap = acre_tlsf_bytes(&tlsf);
    return acre_bytes_init(heap, memory, sizeof memory) == ACRE_OK ? 0 : -1;
}

static void new_has_the_type_s_layout(void **state)
{
    (void)state;
    struct wide *wide = ACRE_NEW(heap, struct wide);
    assert_non_null(wide);
    assert_int_equal((uintptr_t)wide % 64, 0);
    assert_int_equal(acre_dealloc_sized(heap, wide, ACRE_LAYOUT(struct wide)), ACRE_OK);
    while (ACRE_NEW(heap, struct wide) != NULL) {
    }
    assert_int_equal(acre_bytes_stats(heap).failed, 1);
}

static void new_array_holds_all_objects(void **state)
{
    (void)state;
    size_t length = 10;
    struct wide *row = ACRE_NEW_ARRAY(heap, struct wide, length + 1);
    assert_non_null(row);
    assert_int_equal((uintptr_t)row % 64, 0);
    assert_true(acre_usable_size(heap, row).num >= 11 * sizeof *row);
    assert_int_equal(acre_dealloc(heap, row), ACRE_OK);
    void *none = ACRE_NEW_ARRAY(heap, struct wide, 0); /* size 0: a pointer that must be freed */
    assert_int_equal(acre_dealloc(heap, none), ACRE_OK);
}

static void array_whose_size_overflows_is_refused(void **state)
{
    (void)state;
    const size_t most = SIZE_MAX / sizeof(struct wide);
    const size_t counts[] = { SIZE_MAX, most + 1, most, SIZE_MAX / 2, SIZE_MAX / 8 };
    size_t failed = 0;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        assert_null(ACRE_NEW_ARRAY(heap, struct wide, counts[i]));
        assert_int_equal(acre_bytes_stats(heap).failed, ++failed);
    }
    assert_int_equal(acre_layout_array(most, ACRE_LAYOUT(struct wide)).size, most * 192);
    assert_int_equal(acre_layout_array(most + 1, ACRE_LAYOUT(struct wide)).size, SIZE_MAX);
    assert_int_equal(acre_layout_array(SIZE_MAX, acre_layout(0, 8)).size, 0);
}

static void bytes_have_the_base_verbs(void **state)
{
    (void)state;
    assert_int_equal(acre_bytes_add_memory(heap, memory, 4096), ACRE_MEMORY_OVERLAP);
    assert_non_null(ACRE_NEW(heap, int));
    assert_true(acre_bytes_stats(heap).used == acre_used_bytes(heap) && acre_used_bytes(heap) > 0);
    assert_int_equal(acre_bytes_remove_memory(heap, memory), ACRE_INVALID_PARAM);
    assert_null(acre_bytes_check(heap).invariant);
    acre_bytes_reset(heap);
    assert_int_equal(acre_used_bytes(heap), 0);
    assert_int_equal(acre_bytes_remove_memory(heap, memory), ACRE_OK);
    assert_int_equal(acre_total_bytes(heap), 0);
}

static void pages_have_the_base_verbs(void **state)
{
    static struct acre_bitmap bitmap;
    (void)state;
    assert_int_equal(acre_bitmap_setup(&bitmap, 4096), ACRE_OK);
    struct acre_pages pages = acre_bitmap_pages(&bitmap);
    assert_int_equal(acre_pages_init(pages, memory, 8 * 4096), ACRE_OK);
    assert_int_equal(acre_pages_add_memory(pages, memory, 8 * 4096), ACRE_MEMORY_OVERLAP);
    assert_int_equal(acre_alloc_pages(pages, 3, 1).status, ACRE_OK);
    assert_int_equal(acre_pages_stats(pages).live_blocks, 3);
    assert_null(acre_pages_check(pages).invariant);
    acre_pages_reset(pages);
    assert_int_equal(acre_pages_stats(pages).used, 0);
    assert_int_equal(acre_pages_remove_memory(pages, memory), ACRE_OK);
    assert_int_equal(acre_total_pages(pages), 0);
}

static void ids_have_the_base_verbs(void **state)
{
    static struct acre_bitmap bitmap;
    ACRE_BITMAP_STATIC(metadata, 100);
    (void)state;
    acre_bitmap_setup_ids(&bitmap);
    struct acre_ids ids = acre_bitmap_ids(&bitmap);
    assert_int_equal(acre_bitmap_add_ids(&bitmap, 7, 100, metadata, sizeof metadata), ACRE_OK);
    assert_int_equal(acre_alloc_fixed_id(ids, 7), ACRE_OK);
    assert_int_equal(acre_ids_stats(ids).used, 1);
    assert_null(acre_ids_check(ids).invariant);
    acre_ids_reset(ids);
    assert_int_equal(acre_used_ids(ids), 0);
    assert_int_equal(acre_ids_remove_memory(ids, (void *)7), ACRE_OK);
    assert_int_equal(acre_id_size(ids), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(new_has_the_type_s_layout, setup_heap),
        cmocka_unit_test_setup(new_array_holds_all_objects, setup_heap),
        cmocka_unit_test_setup(array_whose_size_overflows_is_refused, setup_heap),
        cmocka_unit_test_setup(bytes_have_the_base_verbs, setup_heap),
        cmocka_unit_test(pages_have_the_base_verbs),
        cmocka_unit_test(ids_have_the_base_verbs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
