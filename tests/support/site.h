/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Where a test calls a shared helper, so that an assertion that fails inside the helper reports the
 * line of the test. The header of the helpers wraps each of them:
 *
 *     void *take(struct fixture *fixture, size_t size, size_t align);
 *     #define take(...) TEST_SITE(take(__VA_ARGS__))
 *
 * and the file that defines them includes support/site_asserts.h after all other headers.
 */
#ifndef ACRE_TESTS_SUPPORT_SITE_H
#define ACRE_TESTS_SUPPORT_SITE_H

struct test_site {
    const char *file;
    int line;
};

/* The line of the test that called the helper that runs; no file before the first one. */
extern struct test_site test_site;

/* Notes this line, then evaluates the call. */
#define TEST_SITE(call) (test_site = (struct test_site){ __FILE__, __LINE__ }, call)

#endif
