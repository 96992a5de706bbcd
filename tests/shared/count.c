/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The count of a shared handle, its end, and what is refused after it. */
#include "support/naive.h"

#include <acre/shared.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { POOL = 1 << 14 };

static _Alignas(4096) unsigned char pool[POOL];
static struct naive naive;
static struct acre_shared shared;
static int locked; /* how often the lock is held */
static int taken;  /* how often it was taken */
static int ends;   /* calls of the owner's callback, and what the last one got */
static void *end_pool;
static size_t end_size, end_live;

static void lock(void *arg)
{
    assert_ptr_equal(arg, &locked);
    assert_int_equal(locked++, 0);
    taken++;
}

static void unlock(void *arg)
{
    assert_ptr_equal(arg, &locked);
    assert_int_equal(--locked, 0);
}

static const struct acre_locker locker = { lock, unlock, &locked };

/* The owner frees all there is, the struct included. */
static void end(void *arg, void *start, size_t size, size_t live_blocks)
{
    assert_ptr_equal(arg, &ends);
    assert_int_equal(locked, 0);
    ends++;
    end_pool = start;
    end_size = size;
    end_live = live_blocks;
}

static const struct acre_shared_pool owned = { pool, POOL, end, &ends };

static struct acre_bytes inner(void)
{
    return (struct acre_bytes){ &naive_ops, &naive };
}

static int prepare(void)
{
    taken = ends = 0;
    end_pool = NULL;
    end_size = end_live = SIZE_MAX;
    memset(&shared, 0xa5, sizeof shared);
    return acre_bytes_init(inner(), pool, POOL) == ACRE_OK ? 0 : -1;
}

static int set_up_plain(void **state)
{
    (void)state;
    return prepare() || acre_shared_make(&shared, inner(), owned) != ACRE_OK;
}

static int set_up_locked(void **state)
{
    (void)state;
    return prepare() || acre_shared_make_threadsafe(&shared, inner(), owned, locker) != ACRE_OK;
}

static int set_up_lockless(void **state)
{
    const struct acre_locker none = { NULL, NULL, NULL };
    (void)state;
    return prepare() || acre_shared_make_threadsafe(&shared, inner(), owned, none) != ACRE_OK;
}

static void *take(size_t size, size_t align)
{
    struct acre_ptr got = acre_alloc(acre_shared_bytes(&shared), acre_layout(size, align));
    assert_int_equal(got.status, ACRE_OK);
    assert_int_equal((uintptr_t)got.ptr & (align - 1), 0);
    return got.ptr;
}

static void assert_drop(enum acre_status status, size_t count, size_t live_blocks)
{
    struct acre_drop drop = acre_shared_drop(&shared);
    assert_int_equal(drop.status, status);
    assert_int_equal(drop.count, count);
    assert_int_equal(drop.live_blocks, live_blocks);
    assert_int_equal(acre_shared_count(&shared), count);
}

static void assert_ended(size_t live_blocks)
{
    assert_int_equal(ends, 1);
    assert_ptr_equal(end_pool, pool);
    assert_int_equal(end_size, POOL);
    assert_int_equal(end_live, live_blocks);
}

static void the_last_drop_ends(void **state)
{
    (void)state;
    assert_int_equal(acre_shared_count(&shared), 1);
    for (size_t i = 2; i <= 5; i++) {
        assert_int_equal(acre_shared_clone(&shared), ACRE_OK);
        assert_int_equal(acre_shared_count(&shared), i);
    }
    for (size_t left = 4; left > 0; left--)
        assert_drop(ACRE_OK, left, 0);
    assert_int_equal(ends, 0);
    assert_drop(ACRE_OK, 0, 0);
    assert_ended(0);
}

static void live_blocks_are_reported(void **state)
{
    (void)state;
    assert_int_equal(acre_shared_clone(&shared), ACRE_OK);
    void *freed = take(10, 1);
    for (size_t i = 0; i < 7; i++)
        take(100, 8);
    assert_int_equal(acre_dealloc(acre_shared_bytes(&shared), freed), ACRE_OK);
    assert_drop(ACRE_OK, 1, 0);
    assert_drop(ACRE_OK, 0, 7);
    assert_ended(7);
}

static void too_many_drops_are_refused(void **state)
{
    (void)state;
    take(1, 1);
    assert_drop(ACRE_OK, 0, 1);
    unsigned char before[sizeof shared];
    memcpy(before, &shared, sizeof shared);
    for (int i = 0; i < 3; i++) {
        assert_drop(ACRE_NOT_ALLOCATED, 0, 0);
        assert_int_equal(acre_shared_clone(&shared), ACRE_NOT_ALLOCATED);
        assert_memory_equal(before, &shared, sizeof shared);
    }
    assert_ended(1);
}

static void the_count_does_not_wrap(void **state)
{
    (void)state;
    shared.count = SIZE_MAX - 1;
    assert_int_equal(acre_shared_clone(&shared), ACRE_OK);
    assert_int_equal(acre_shared_clone(&shared), ACRE_NO_MEMORY);
    assert_int_equal(acre_shared_clone(&shared), ACRE_NO_MEMORY);
    assert_int_equal(acre_shared_count(&shared), SIZE_MAX);
    assert_drop(ACRE_OK, SIZE_MAX - 1, 0);
    assert_int_equal(ends, 0);
}

static bool no_visit(void *arg, void *start, size_t size, bool live)
{
    (void)arg, (void)start, (void)size, (void)live;
    fail_msg("a block of an ended handle was visited");
    return false;
}

/* The handle is one of before the end, as a holder without a reference would have it. */
static void all_is_refused_after_the_end(void **state)
{
    (void)state;
    struct acre_bytes bytes = acre_shared_bytes(&shared);
    struct acre_base base = acre_bytes_base(bytes);
    void *ptr = take(100, 8);
    assert_drop(ACRE_OK, 0, 1);
    struct naive before = naive;
    int taken_before = taken;

    assert_int_equal(acre_alloc(bytes, acre_layout(1, 1)).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_alloc(bytes, acre_layout(1, 3)).status, ACRE_INVALID_PARAM);
    assert_int_equal(acre_dealloc(bytes, ptr), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_dealloc_sized(bytes, ptr, acre_layout(100, 8)), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_resize(bytes, ptr, 1), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_realloc(bytes, ptr, acre_layout(1, 1)).status, ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_usable_size(bytes, ptr).status, ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_init(base, pool, POOL), ACRE_INVALID_PARAM);
    assert_int_equal(acre_add_memory(base, pool, POOL), ACRE_INVALID_PARAM);
    assert_int_equal(acre_remove_memory(base, pool), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_stats(base).total, 0);
    assert_null(acre_check(base).invariant);
    acre_reset(base);
    acre_walk(bytes, no_visit, NULL);
    assert_memory_equal(&before, &naive, sizeof naive);
    assert_int_equal(taken, taken_before);
}

static void size_0_is_a_pointer_of_its_own(void **state)
{
    (void)state;
    struct acre_bytes bytes = acre_shared_bytes(&shared);
    for (size_t align = 1; align <= 1024; align *= 2) {
        void *one = take(0, align);
        void *other = take(0, align);
        assert_ptr_not_equal(one, other);
        assert_int_equal(acre_dealloc_sized(bytes, one, acre_layout(0, align)), ACRE_OK);
        assert_int_equal(acre_dealloc(bytes, one), ACRE_NOT_ALLOCATED);
        assert_int_equal(acre_dealloc(bytes, other), ACRE_OK);
    }
    assert_int_equal(acre_used_bytes(bytes), 0);
}

static bool count_visit(void *arg, void *start, size_t size, bool live)
{
    (void)start, (void)size, (void)live;
    ++*(int *)arg;
    assert_int_equal(locked, shared.locked.locker.lock != NULL);
    return true;
}

/* The lock is held once around each of the thirteen verbs, and not around count and drop. */
static void every_verb_locks_once(void **state)
{
    (void)state;
    bool locks = shared.locked.locker.lock != NULL;
    struct acre_bytes bytes = acre_shared_bytes(&shared);
    struct acre_base base = acre_bytes_base(bytes);
    int calls = 0;
    int visits = 0;
#define CALL(call)                                                                                 \
    do {                                                                                           \
        (void)(call);                                                                              \
        calls++;                                                                                   \
        assert_int_equal(taken, locks ? calls : 0);                                                \
    } while (0)
    void *ptr;
    enum acre_status status;
    CALL(ptr = take(10, 1));
    CALL(ptr = acre_realloc(bytes, ptr, acre_layout(500, 64)).ptr);
    CALL(status = acre_resize(bytes, ptr, 400));
    CALL(acre_usable_size(bytes, ptr));
    CALL(acre_walk(bytes, count_visit, &visits));
    CALL(acre_find(bytes, ptr));
    CALL(acre_dealloc(bytes, ptr));
    CALL(ptr = take(10, 1));
    CALL(acre_dealloc_sized(bytes, ptr, acre_layout(10, 1)));
    CALL(acre_stats(base));
    CALL(acre_check(base));
    CALL(acre_reset_peak(base));
    CALL(acre_reset(base));
    CALL(acre_remove_memory(base, pool));
    CALL(status = acre_add_memory(base, pool, POOL / 2));
    CALL(status = acre_init(base, pool, POOL));
#undef CALL
    assert_int_equal(status, ACRE_OK);
    assert_true(visits > 0);
    assert_int_equal(acre_shared_clone(&shared), ACRE_OK);
    assert_drop(ACRE_OK, 1, 0);
    assert_drop(ACRE_OK, 0, 0);
    assert_int_equal(taken, locks ? calls : 0);
}

static void a_zeroed_handle_is_ended(void **state)
{
    static struct acre_shared zeroed;
    (void)state;
    struct acre_bytes bytes = acre_shared_bytes(&zeroed);
    assert_int_equal(acre_shared_count(&zeroed), 0);
    assert_int_equal(acre_shared_clone(&zeroed), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_shared_drop(&zeroed).status, ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_alloc(bytes, acre_layout(1, 1)).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_dealloc(bytes, &zeroed), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_find(bytes, &zeroed).status, ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_bytes_stats(bytes).total, 0);
    assert_null(acre_bytes_check(bytes).invariant);
    acre_bytes_reset(bytes);
    acre_bytes_reset_peak(bytes);
}

static void bad_makers_are_refused(void **state)
{
    (void)state;
    struct acre_shared untouched;
    const struct acre_locker half = { lock, NULL, &locked };
    memset(&shared, 0xa5, sizeof shared);
    memset(&untouched, 0xa5, sizeof untouched);
    assert_int_equal(
        acre_shared_make(&shared, (struct acre_bytes){ NULL, NULL }, owned), ACRE_INVALID_PARAM);
    assert_int_equal(
        acre_shared_make_threadsafe(&shared, (struct acre_bytes){ NULL, NULL }, owned, locker),
        ACRE_INVALID_PARAM);
    assert_int_equal(
        acre_shared_make_threadsafe(&shared, inner(), owned, half), ACRE_INVALID_PARAM);
    assert_memory_equal(&untouched, &shared, sizeof shared);
}

static void an_owner_may_want_no_call(void **state)
{
    (void)state;
    const struct acre_shared_pool silent = { NULL, 0, NULL, NULL };
    prepare();
    assert_int_equal(acre_shared_make(&shared, inner(), silent), ACRE_OK);
    take(1, 1);
    assert_drop(ACRE_OK, 0, 1);
    assert_int_equal(ends, 0);
}

/* The struct lies in the pool that the owner wipes. */
static void wipe(void *arg, void *start, size_t size, size_t live_blocks)
{
    *(size_t *)arg = live_blocks;
    memset(start, 0xff, size);
}

static void the_end_may_take_the_struct_along(void **state)
{
    (void)state;
    size_t live = SIZE_MAX;
    struct acre_shared *inside = (void *)pool;
    const struct acre_shared_pool whole = { pool, POOL, wipe, &live };
    assert_int_equal(acre_bytes_init(inner(), pool + 1024, POOL - 1024), ACRE_OK);
    assert_int_equal(acre_shared_make_threadsafe(inside, inner(), whole, locker), ACRE_OK);
    assert_int_equal(acre_alloc(acre_shared_bytes(inside), acre_layout(5, 1)).status, ACRE_OK);
    struct acre_drop drop = acre_shared_drop(inside);
    assert_int_equal(drop.status, ACRE_OK);
    assert_int_equal(drop.live_blocks, 1);
    assert_int_equal(live, 1);
    for (size_t i = 0; i < POOL; i++)
        assert_int_equal(pool[i], 0xff);
}

/* A shared handle over a shared handle: the outer one's end drops the inner one. */
static void drop_inner(void *arg, void *start, size_t size, size_t live_blocks)
{
    (void)start, (void)size, (void)live_blocks;
    assert_int_equal(acre_shared_drop(arg).status, ACRE_OK);
}

static void shared_handles_stack(void **state)
{
    (void)state;
    struct acre_shared outer;
    const struct acre_shared_pool chained = { pool, POOL, drop_inner, &shared };
    assert_int_equal(acre_shared_make(&outer, acre_shared_bytes(&shared), chained), ACRE_OK);
    take(3, 1);
    struct acre_drop drop = acre_shared_drop(&outer);
    assert_int_equal(drop.status, ACRE_OK);
    assert_int_equal(drop.live_blocks, 1);
    assert_ended(1);
}

#define IN_EACH_FLAVOUR(test)                                                                      \
    { #test " (plain)", test, set_up_plain, NULL, NULL },                                          \
        { #test " (locked)", test, set_up_locked, NULL, NULL },                                    \
    {                                                                                              \
#test " (atomic, no lock)", test, set_up_lockless, NULL, NULL                              \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_EACH_FLAVOUR(the_last_drop_ends),
        IN_EACH_FLAVOUR(live_blocks_are_reported),
        IN_EACH_FLAVOUR(too_many_drops_are_refused),
        IN_EACH_FLAVOUR(the_count_does_not_wrap),
        IN_EACH_FLAVOUR(all_is_refused_after_the_end),
        IN_EACH_FLAVOUR(size_0_is_a_pointer_of_its_own),
        IN_EACH_FLAVOUR(every_verb_locks_once),
        IN_EACH_FLAVOUR(shared_handles_stack),
        cmocka_unit_test(bad_makers_are_refused),
        cmocka_unit_test(a_zeroed_handle_is_ended),
        cmocka_unit_test(an_owner_may_want_no_call),
        cmocka_unit_test_setup(the_end_may_take_the_struct_along, set_up_plain),
    };
    return cmocka_run_group_tests_name("shared handle", tests, NULL, NULL);
}
