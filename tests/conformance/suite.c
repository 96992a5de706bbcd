/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "conformance/suite.h"

#include "support/expect.h"
#include "support/site_asserts.h"

const char *case_left_out(const struct acre_subject *subject, const struct test_case *test_case)
{
    unsigned caps = subject->caps;
    unsigned needs =
        test_case->needs & ~(unsigned)(NEEDS_HANDLE | NEEDS_ALIGNS | NEEDS_REUSE | NEEDS_BYTES);
    if ((caps & ACRE_SUBJECT_PLAIN) != 0 && (test_case->needs & NEEDS_HANDLE) != 0)
        return "a plugin has no verbs for it";
    if ((caps & ACRE_SUBJECT_PLAIN) != 0 && (caps & ACRE_SUBJECT_ALIGNS) == 0 &&
        (test_case->needs & NEEDS_ALIGNS) != 0)
        return "it refuses large alignments";
    if ((caps & ACRE_SUBJECT_STACKS) != 0 && (test_case->needs & NEEDS_REUSE) != 0)
        return "it reuses memory only once all after it is free";
    if ((caps & ACRE_SUBJECT_STEPS) != 0 && (test_case->needs & NEEDS_BYTES) != 0)
        return "its records take memory in large steps";
    if ((caps & needs) != needs)
        return test_case->why;
    return test_case->arena > subject->arena_most ? "it has no room for that region's metadata"
                                                  : NULL;
}

struct case_at_work {
    struct fixture fixture;
    const struct test_case *test_case;
};

static void case_work(void *arg)
{
    struct case_at_work *work = arg;
    work->test_case->run(&work->fixture);
}

bool case_run(
    const struct acre_subject *subject, const struct test_case *test_case, struct finding *finding)
{
    struct case_at_work work = { .fixture = { .backend = subject }, .test_case = test_case };
    size_t arena = scaled(&work.fixture, test_case->arena);
    fixture_open(&work.fixture, subject, arena, arena);
    bool held = finding_catch(finding, case_work, &work);
    fixture_close(&work.fixture);
    return held;
}

size_t scaled(const struct fixture *fixture, size_t bytes)
{
    size_t scale = fixture->backend->arena_scale > 0 ? fixture->backend->arena_scale : 1;
    size_t near = (bytes + 32) / 64 * 64;
    return near * scale + bytes - near;
}

void suite_begin(struct fixture *fixture, size_t offset, size_t size)
{
    assert_int_equal(acre_init(fixture->base, fixture->arena.base + offset, size), ACRE_OK);
    assert_sound(fixture);
}

struct acre_stats stats_of(const struct fixture *fixture)
{
    return acre_stats(fixture->base);
}

void suite_assert_total(struct fixture *fixture, size_t bytes)
{
    size_t total = stats_of(fixture).total;
    if ((fixture->backend->caps & ACRE_SUBJECT_APART) == 0)
        assert_int_equal(total, bytes);
    assert_true(total >= bytes);
}

struct seen {
    size_t live;
    size_t live_bytes;
    size_t free;
    size_t free_bytes;
};

static bool see(void *arg, void *start, size_t size, bool live)
{
    struct seen *seen = arg;
    assert_non_null(start);
    seen->live += live;
    seen->free += !live;
    seen->live_bytes += live ? size : 0;
    seen->free_bytes += live ? 0 : size;
    return true;
}

static void assert_walk_agrees(struct fixture *fixture, struct acre_stats stats)
{
    struct seen seen = { 0, 0, 0, 0 };
    size_t header = fixture->backend->header;
    acre_walk(fixture->bytes, see, &seen);
    assert_int_equal(seen.live, stats.live_blocks);
    if ((fixture->backend->caps & ACRE_SUBJECT_HEADERS) != 0) {
        assert_int_equal(seen.live_bytes + header * seen.live, stats.used);
        assert_true(seen.free_bytes + header * seen.free <= stats.available);
    }
    if ((fixture->backend->caps & ACRE_SUBJECT_COVERS) != 0)
        assert_int_equal(seen.free_bytes + header * seen.free, stats.available);
    assert_true(seen.live_bytes <= stats.used);
    assert_true(seen.free_bytes <= stats.available);
}

void suite_assert_sound(struct fixture *fixture)
{
    struct acre_stats stats = stats_of(fixture);
    struct acre_check_result found = acre_check(fixture->base);
    if (found.invariant != NULL)
        fail_msg("check: %s at %p", found.invariant, found.where);
    assert_null(found.where);
    assert_int_equal(stats.total, stats.metadata + stats.used + stats.available);
    assert_int_equal(stats.used == 0, stats.live_blocks == 0);
    assert_true(stats.peak >= stats.used);
    assert_true(stats.largest_free <= stats.available);
    assert_int_equal(acre_total_bytes(fixture->bytes), stats.total);
    assert_int_equal(acre_used_bytes(fixture->bytes), stats.used);
    assert_int_equal(acre_available_bytes(fixture->bytes), stats.available);
    assert_walk_agrees(fixture, stats);
}

void *suite_take(struct fixture *fixture, size_t size, size_t align)
{
    struct acre_ptr got = acre_alloc(fixture->bytes, acre_layout(size, align));
    assert_int_equal(got.status, ACRE_OK);
    assert_non_null(got.ptr);
    assert_int_equal((uintptr_t)got.ptr & (align - 1), 0);
    assert_int_equal((uintptr_t)got.ptr & (ACRE_NATURAL_ALIGN - 1), 0);
    struct acre_num usable = acre_usable_size(fixture->bytes, got.ptr);
    assert_int_equal(usable.status, ACRE_OK);
    assert_true(usable.num >= size && usable.num >= 1);
    assert_sound(fixture);
    return got.ptr;
}

void suite_give(struct fixture *fixture, void *ptr)
{
    assert_int_equal(acre_dealloc(fixture->bytes, ptr), ACRE_OK);
    assert_sound(fixture);
}

static void assert_unchanged(struct fixture *fixture, size_t failed_before, enum acre_status status)
{
    assert_true(fixture_same(fixture));
    assert_int_equal(stats_of(fixture).failed, failed_before + (status == ACRE_NO_MEMORY ? 1 : 0));
}

static void assert_refused(
    struct fixture *fixture, struct acre_ptr got, size_t failed, enum acre_status status)
{
    assert_null(got.ptr);
    assert_int_equal(got.status, status);
    assert_unchanged(fixture, failed, status);
}

void suite_refuse_alloc(struct fixture *fixture, size_t size, size_t align, enum acre_status status)
{
    size_t failed = stats_of(fixture).failed;
    fixture_save(fixture);
    assert_refused(fixture, acre_alloc(fixture->bytes, acre_layout(size, align)), failed, status);
}

void suite_refuse_realloc(
    struct fixture *fixture, void *ptr, size_t size, size_t align, enum acre_status status)
{
    size_t failed = stats_of(fixture).failed;
    fixture_save(fixture);
    assert_refused(
        fixture, acre_realloc(fixture->bytes, ptr, acre_layout(size, align)), failed, status);
}

void suite_refuse_add(struct fixture *fixture, void *start, size_t size, enum acre_status status)
{
    size_t failed = stats_of(fixture).failed;
    fixture_save(fixture);
    assert_int_equal(acre_add_memory(fixture->base, start, size), status);
    assert_unchanged(fixture, failed, status);
}

size_t bad_pointers_left_out;

void suite_refuse_ptr(struct fixture *fixture, void *ptr)
{
    if ((fixture->backend->caps & ACRE_SUBJECT_EXACT) == 0) {
        bad_pointers_left_out++;
        return;
    }
    size_t failed = stats_of(fixture).failed;
    fixture_save(fixture);
    struct acre_num usable = acre_usable_size(fixture->bytes, ptr);
    assert_int_equal(usable.status, ACRE_NOT_ALLOCATED);
    assert_int_equal(usable.num, 0);
    assert_int_equal(acre_dealloc(fixture->bytes, ptr), ACRE_NOT_ALLOCATED);
    assert_int_equal(
        acre_dealloc_sized(fixture->bytes, ptr, acre_layout(1, 1)), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_resize(fixture->bytes, ptr, 1), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_resize(fixture->bytes, ptr, SIZE_MAX), ACRE_NOT_ALLOCATED);
    struct acre_ptr got = acre_realloc(fixture->bytes, ptr, acre_layout(1, 1));
    assert_int_equal(got.status, ACRE_NOT_ALLOCATED);
    assert_null(got.ptr);
    got = acre_realloc(fixture->bytes, ptr, acre_layout(SIZE_MAX, 1));
    assert_int_equal(got.status, ACRE_NOT_ALLOCATED);
    assert_null(got.ptr);
    assert_unchanged(fixture, failed, ACRE_NOT_ALLOCATED);
}

size_t suite_fill(
    struct fixture *fixture, void **blocks, size_t room, size_t size, size_t step, size_t period)
{
    for (size_t count = 0; count < room; count++) {
        size_t want = size + count % period * step;
        struct acre_ptr got = acre_alloc(fixture->bytes, acre_layout(want, 1));
        if (got.status != ACRE_OK) {
            assert_int_equal(got.status, ACRE_NO_MEMORY);
            assert_sound(fixture);
            return count;
        }
        blocks[count] = got.ptr;
        assert_sound(fixture);
    }
    fail_msg("more blocks than expected");
}

void suite_assert_same_accounts(struct acre_stats a, struct acre_stats b)
{
    assert_int_equal(a.total, b.total);
    assert_int_equal(a.metadata, b.metadata);
    assert_int_equal(a.used, b.used);
    assert_int_equal(a.available, b.available);
    assert_int_equal(a.largest_free, b.largest_free);
    assert_int_equal(a.live_blocks, b.live_blocks);
}
