/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * For a file of helpers, which includes this header last: assertions report the line of the test
 * (see support/site.h), and calls from one helper to another keep it.
 */
#ifndef ACRE_TESTS_SUPPORT_SITE_ASSERTS_H
#define ACRE_TESTS_SUPPORT_SITE_ASSERTS_H

#include "support/site.h"

#undef TEST_SITE
#define TEST_SITE(call) call

#ifdef EXPECT_FAIL
#undef EXPECT_FAIL
#define EXPECT_FAIL(...) finding_raise(test_site.file, test_site.line, __VA_ARGS__)
#else
#undef fail
#define fail() _fail(test_site.file, test_site.line)
#undef assert_true
#define assert_true(c)                                                                             \
    _assert_true(cast_to_largest_integral_type(c), #c, test_site.file, test_site.line)
#undef assert_false
#define assert_false(c)                                                                            \
    _assert_true(!cast_to_largest_integral_type(c), "!(" #c ")", test_site.file, test_site.line)
#undef assert_null
#define assert_null(p) _assert_true((p) == NULL, #p " == NULL", test_site.file, test_site.line)
#undef assert_non_null
#define assert_non_null(p) _assert_true((p) != NULL, #p " != NULL", test_site.file, test_site.line)
#undef assert_int_equal
#define assert_int_equal(a, b)                                                                     \
    _assert_int_equal(cast_to_largest_integral_type(a), cast_to_largest_integral_type(b),          \
        test_site.file, test_site.line)
#undef assert_int_not_equal
#define assert_int_not_equal(a, b)                                                                 \
    _assert_int_not_equal(cast_to_largest_integral_type(a), cast_to_largest_integral_type(b),      \
        test_site.file, test_site.line)
#undef assert_memory_equal
#define assert_memory_equal(a, b, size)                                                            \
    _assert_memory_equal((const char *)(a), (const char *)(b), size, test_site.file, test_site.line)
#undef assert_string_equal
#define assert_string_equal(a, b) _assert_string_equal(a, b, test_site.file, test_site.line)
#endif

#endif
