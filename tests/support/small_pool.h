/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What holds of each allocator that a small machine has with one region (ACRE_MAX_POOL) beyond the
 * suites. */
#ifndef TESTS_SUPPORT_SMALL_POOL_H
#define TESTS_SUPPORT_SMALL_POOL_H

#include <acre/backing.h>
#include <acre/bytes.h>

enum { SMALL_POOL = 4096 };

struct small_pool {
    struct acre_bytes bytes;
    size_t self_size;
    size_t least; /* the smallest block */
    size_t align; /* the largest alignment there is, or 64 */
    size_t (*pool_size)(struct acre_layout layout);
    struct acre_ptr (*create)(void *start, size_t size);
    const struct acre_backing *backing; /* how handlers are set */
    bool tells_release;                 /* of a free that empties the region */
};

/* The allocator of the test program. */
extern const struct small_pool small_pool;

extern unsigned char small_pool_memory[SMALL_POOL], small_pool_other[SMALL_POOL];

/* A setup: the allocator zeroed, then initialised with small_pool_memory. */
int small_pool_open(void **state);

void every_byte_comes_back(void **state);
void misuse_is_exact(void **state);
void a_pool_has_its_bounds(void **state);
void a_region_goes_and_comes(void **state);
void a_pool_is_made_by_one_call(void **state);
void the_smallest_pool_is_exact(void **state);
void exhaustion_is_handled(void **state);
void release_is_told(void **state);

#define SMALL_POOL_TESTS                                                                           \
    cmocka_unit_test_setup(every_byte_comes_back, small_pool_open),                                \
        cmocka_unit_test_setup(misuse_is_exact, small_pool_open),                                  \
        cmocka_unit_test_setup(a_pool_has_its_bounds, small_pool_open),                            \
        cmocka_unit_test_setup(a_region_goes_and_comes, small_pool_open),                          \
        cmocka_unit_test(a_pool_is_made_by_one_call),                                              \
        cmocka_unit_test(the_smallest_pool_is_exact),                                              \
        cmocka_unit_test_setup(exhaustion_is_handled, small_pool_open),                            \
        cmocka_unit_test_setup(release_is_told, small_pool_open)

#endif
