/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Size classes: complete, monotone, and with a reciprocal that is exact for every address. */
#include "threaded/threaded_private.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void every_size_has_the_smallest_class_that_fits(void **state)
{
    (void)state;
    for (size_t size = 1; size <= ACRE_THREADED_MAX_SMALL; size++) {
        unsigned size_class = acre_threaded_class_of(size);
        assert_true(size_class < ACRE_THREADED_CLASSES);
        assert_true(acre_threaded_class_size(size_class) >= size);
        if (size_class > 0)
            assert_true(acre_threaded_class_size(size_class - 1) < size);
    }
}

static void steps_are_at_most_an_eighth(void **state)
{
    (void)state;
    for (unsigned c = 1; c < ACRE_THREADED_CLASSES; c++) {
        size_t step = acre_threaded_class_size(c) - acre_threaded_class_size(c - 1);
        size_t most = acre_threaded_class_size(c - 1) / 8;
        assert_true(step <= (most > ACRE_THREADED_UNIT ? most : ACRE_THREADED_UNIT));
    }
}

/* What threaded_object_at must answer, by division. */
static size_t object_by_division(const struct acre_threaded_slab *slab, size_t offset)
{
    return offset % slab->size == 0 ? offset / slab->size : SIZE_MAX;
}

static void try_every_offset(const struct acre_threaded_slab *slab, size_t pages, unsigned groups)
{
    for (size_t offset = 0; offset < pages * ACRE_THREADED_PAGE; offset++) {
        size_t object = threaded_object_at(slab, slab->start + offset);
        assert_int_equal(object, object_by_division(slab, offset));
        assert_int_equal(threaded_divide(offset, slab->reciprocal).quotient, offset / slab->size);
        assert_true(object == SIZE_MAX || object / THREADED_WORD_BITS < groups);
    }
}

static void a_pointer_is_the_start_of_an_object_just_when_division_says_so(void **state)
{
    (void)state;
    for (unsigned c = 0; c < ACRE_THREADED_CLASSES; c++) {
        struct acre_threaded_slab slab = { .start = 0x40000000,
            .size = (uint32_t)acre_threaded_class_size(c) };
        slab.reciprocal = threaded_reciprocal(slab.size);
        for (size_t pages = acre_threaded_class_pages(c, UINT_MAX); pages != 0; pages /= 2)
            try_every_offset(&slab, pages, acre_threaded_class_groups(c, pages));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_has_the_smallest_class_that_fits),
        cmocka_unit_test(steps_are_at_most_an_eighth),
        cmocka_unit_test(a_pointer_is_the_start_of_an_object_just_when_division_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
