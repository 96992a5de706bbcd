/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * What the suites expect: the assertions that tests know from cmocka, each of which ends the rule
 * that runs with a finding. A file includes this header or <cmocka.h>, not both.
 */
#ifndef ACRE_TESTS_SUPPORT_EXPECT_H
#define ACRE_TESTS_SUPPORT_EXPECT_H

#include "support/finding.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Every assertion stands on this one; support/site_asserts.h reports another line. */
#define EXPECT_FAIL(...) finding_raise(__FILE__, __LINE__, __VA_ARGS__)

#define EXPECT(cond, ...)                                                                          \
    do {                                                                                           \
        if (!(cond))                                                                               \
            EXPECT_FAIL(__VA_ARGS__);                                                              \
    } while (0)

/* A figure as it is compared, whatever its type; gcc warns of a cast of a call. */
#define EXPECT_FIGURE(value) ((uintmax_t)((value) + 0))

#define EXPECT_COMPARE(a, sign, b)                                                                 \
    do {                                                                                           \
        uintmax_t expect_a = EXPECT_FIGURE(a);                                                     \
        uintmax_t expect_b = EXPECT_FIGURE(b);                                                     \
        EXPECT(expect_a sign expect_b, "not %s (0x%jx) %s %s (0x%jx)", #a, expect_a, #sign, #b,    \
            expect_b);                                                                             \
    } while (0)

#define fail_msg(...) EXPECT_FAIL(__VA_ARGS__)
#define assert_true(c) EXPECT(c, "not %s", #c)
#define assert_false(c) EXPECT(!(c), "%s", #c)
#define assert_null(p) EXPECT((p) == NULL, "not null: %s", #p)
#define assert_non_null(p) EXPECT((p) != NULL, "null: %s", #p)
#define assert_int_equal(a, b) EXPECT_COMPARE(a, ==, b)
#define assert_int_not_equal(a, b) EXPECT_COMPARE(a, !=, b)
#define assert_ptr_equal(a, b) EXPECT((a) == (b), "%s and %s differ", #a, #b)
#define assert_ptr_not_equal(a, b) EXPECT((a) != (b), "%s and %s are the same", #a, #b)
#define assert_memory_equal(a, b, size) EXPECT(memcmp(a, b, size) == 0, "%s and %s differ", #a, #b)
#define assert_in_range(value, least, most)                                                        \
    EXPECT(EXPECT_FIGURE(value) >= EXPECT_FIGURE(least) &&                                         \
               EXPECT_FIGURE(value) <= EXPECT_FIGURE(most),                                        \
        "%s (0x%jx) not in range", #value, EXPECT_FIGURE(value))

#endif
