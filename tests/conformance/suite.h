/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The contract of the byte allocators as cases, each run over every backend. */
#ifndef ACRE_TESTS_CONFORMANCE_SUITE_H
#define ACRE_TESTS_CONFORMANCE_SUITE_H

#include "support/fixture.h"
#include "support/site.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct test_case {
    const char *name;
    void (*run)(struct fixture *fixture);
    size_t arena;    /* bytes, a power of two; the arena is aligned to it */
    unsigned needs;  /* capabilities without which the test case is skipped ... */
    const char *why; /* ... and why it is then */
};

/* Each list ends with a test case without a name. */
extern const struct test_case alloc_cases[];
extern const struct test_case free_cases[];
extern const struct test_case resize_cases[];
extern const struct test_case region_cases[];
extern const struct test_case account_cases[];
extern const struct test_case walk_cases[];

/* Runs the cases of several lists over every backend, or over the one that the program was told, as
 * one group of tests; for main to return. */
int run_cases(const char *group, const struct test_case *const *lists, size_t list_count, int argc,
    char **argv);

/* A test case's size or place, so many times as large as the backend's arena_scale says; what lies beside
 * a multiple of 64 bytes stays as far from it. */
size_t scaled(const struct fixture *fixture, size_t bytes);

/* A failing assertion of the functions below reports the line of the test case that called them. */

/* Initialises with the bytes [offset, offset + size) of the arena. */
void begin(struct fixture *fixture, size_t offset, size_t size);
#define begin(...) TEST_SITE(begin(__VA_ARGS__))

/* Accounts balance, check finds nothing, walk agrees. Asserted after every call that changes. */
void assert_sound(struct fixture *fixture);
#define assert_sound(...) TEST_SITE(assert_sound(__VA_ARGS__))

/* alloc and dealloc that must succeed. */
void *take(struct fixture *fixture, size_t size, size_t align);
#define take(...) TEST_SITE(take(__VA_ARGS__))
void give(struct fixture *fixture, void *ptr);
#define give(...) TEST_SITE(give(__VA_ARGS__))

/* Calls that must be refused with this status and change nothing. */
void refuse_alloc(struct fixture *fixture, size_t size, size_t align, enum acre_status status);
#define refuse_alloc(...) TEST_SITE(refuse_alloc(__VA_ARGS__))
void refuse_realloc(
    struct fixture *fixture, void *ptr, size_t size, size_t align, enum acre_status status);
#define refuse_realloc(...) TEST_SITE(refuse_realloc(__VA_ARGS__))
void refuse_add(struct fixture *fixture, void *start, size_t size, enum acre_status status);
#define refuse_add(...) TEST_SITE(refuse_add(__VA_ARGS__))

/* Every verb that takes a pointer answers ACRE_NOT_ALLOCATED and changes nothing. Left out, and
 * counted, over a backend that is not BACKEND_EXACT. */
void refuse_ptr(struct fixture *fixture, void *ptr);
#define refuse_ptr(...) TEST_SITE(refuse_ptr(__VA_ARGS__))

/* Allocates until ACRE_NO_MEMORY; sizes are size, size + step, ... and again from size after
 * `period` of them. Returns the number of blocks put into `blocks`. */
size_t fill(
    struct fixture *fixture, void **blocks, size_t room, size_t size, size_t step, size_t period);
#define fill(...) TEST_SITE(fill(__VA_ARGS__))

/* How often refuse_ptr was left out. */
extern size_t bad_pointers_left_out;

/* Why a test case that needs BACKEND_EXACT is skipped. */
#define NOT_EXACT "this build does not prove pointers"

struct acre_stats stats_of(const struct fixture *fixture);

/* The bytes given, metadata given apart not counted, are these. */
void assert_total(struct fixture *fixture, size_t bytes);
#define assert_total(...) TEST_SITE(assert_total(__VA_ARGS__))

/* Every figure but peak and refused requests is equal. */
void assert_same_accounts(struct acre_stats a, struct acre_stats b);
#define assert_same_accounts(...) TEST_SITE(assert_same_accounts(__VA_ARGS__))

#endif
