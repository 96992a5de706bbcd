/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The contract of the byte allocators as cases, each run over every backend. */
#ifndef ACRE_TESTS_CONFORMANCE_SUITE_H
#define ACRE_TESTS_CONFORMANCE_SUITE_H

#include "support/finding.h"
#include "support/fixture.h"
#include "support/site.h"

/* What a test case needs beside the capabilities of the allocator (ACRE_SUBJECT_*). */
enum {
    NEEDS_HANDLE =
        1 << 30, /* verbs that are the allocator's own, not bookkeeping around a plugin */
    NEEDS_ALIGNS = 1 << 29, /* alignments of up to 4096 bytes */
    NEEDS_REUSE = 1 << 28,  /* what was freed serves again though blocks after it are live */
    NEEDS_BYTES = 1 << 27   /* small regions of which every byte counts */
};

struct test_case {
    const char *name;
    void (*run)(struct fixture *fixture);
    size_t arena;    /* bytes, a power of two; the arena is aligned to it */
    unsigned needs;  /* NEEDS_*, and capabilities without which the test case is skipped ... */
    const char *why; /* ... and why it is then; null: NEEDS_* say it */
};

/* Why a test case is left out over this allocator; null: it is not. */
const char *case_left_out(const struct acre_subject *subject, const struct test_case *test_case);

/* Runs a test case over a fixture of its own. False: what it found is in `finding`. */
bool case_run(
    const struct acre_subject *subject, const struct test_case *test_case, struct finding *finding);

/* Each list ends with a test case without a name. */
extern const struct test_case alloc_cases[];
extern const struct test_case free_cases[];
extern const struct test_case resize_cases[];
extern const struct test_case region_cases[];
extern const struct test_case account_cases[];
extern const struct test_case walk_cases[];

/* A test case's size or place, so many times as large as the backend's arena_scale says; what lies
 * beside a multiple of 64 bytes stays as far from it. */
size_t scaled(const struct fixture *fixture, size_t bytes);

/* A failing assertion of the functions below reports the line of the test case that called them. */

/* Initialises with the bytes [offset, offset + size) of the arena. */
void suite_begin(struct fixture *fixture, size_t offset, size_t size);
#define begin(...) TEST_SITE(suite_begin(__VA_ARGS__))

/* Accounts balance, check finds nothing, walk agrees. Asserted after every call that changes. */
void suite_assert_sound(struct fixture *fixture);
#define assert_sound(...) TEST_SITE(suite_assert_sound(__VA_ARGS__))

/* alloc and dealloc that must succeed. */
void *suite_take(struct fixture *fixture, size_t size, size_t align);
#define take(...) TEST_SITE(suite_take(__VA_ARGS__))
void suite_give(struct fixture *fixture, void *ptr);
#define give(...) TEST_SITE(suite_give(__VA_ARGS__))

/* Calls that must be refused with this status and change nothing. */
void suite_refuse_alloc(
    struct fixture *fixture, size_t size, size_t align, enum acre_status status);
#define refuse_alloc(...) TEST_SITE(suite_refuse_alloc(__VA_ARGS__))
void suite_refuse_realloc(
    struct fixture *fixture, void *ptr, size_t size, size_t align, enum acre_status status);
#define refuse_realloc(...) TEST_SITE(suite_refuse_realloc(__VA_ARGS__))
void suite_refuse_add(struct fixture *fixture, void *start, size_t size, enum acre_status status);
#define refuse_add(...) TEST_SITE(suite_refuse_add(__VA_ARGS__))

/* Every verb that takes a pointer answers ACRE_NOT_ALLOCATED and changes nothing. Left out, and
 * counted, over a backend that is not ACRE_SUBJECT_EXACT. */
void suite_refuse_ptr(struct fixture *fixture, void *ptr);
#define refuse_ptr(...) TEST_SITE(suite_refuse_ptr(__VA_ARGS__))

/* Allocates until ACRE_NO_MEMORY; sizes are size, size + step, ... and again from size after
 * `period` of them. Returns the number of blocks put into `blocks`. */
size_t suite_fill(
    struct fixture *fixture, void **blocks, size_t room, size_t size, size_t step, size_t period);
#define fill(...) TEST_SITE(suite_fill(__VA_ARGS__))

/* How often refuse_ptr was left out. */
extern size_t bad_pointers_left_out;

/* Why a test case that needs ACRE_SUBJECT_EXACT is skipped. */
#define NOT_EXACT "this build does not prove pointers"

struct acre_stats stats_of(const struct fixture *fixture);

/* The bytes given, metadata given apart not counted, are these. */
void suite_assert_total(struct fixture *fixture, size_t bytes);
#define assert_total(...) TEST_SITE(suite_assert_total(__VA_ARGS__))

/* Every figure but peak and failed requests is equal. */
void suite_assert_same_accounts(struct acre_stats a, struct acre_stats b);
#define assert_same_accounts(...) TEST_SITE(suite_assert_same_accounts(__VA_ARGS__))

#endif
