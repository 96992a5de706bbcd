/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The lock is held around every inner call, taken once a call, and threads can share the handle. */
#include "support/naive.h"
#include "support/rng.h"

#include <acre/wrap.h>

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { POOL = 1 << 18 };

static _Alignas(4096) unsigned char pool[POOL];
static struct naive naive;
static struct acre_locked locked;
static struct acre_bytes bytes;
static struct acre_base base;
static size_t held;
static size_t taken;
static size_t seen; /* inner calls made while the lock was held */

static void count_lock(void *arg)
{
    assert_ptr_equal(arg, &held);
    assert_int_equal(held, 0);
    held++;
    taken++;
}

static void count_unlock(void *arg)
{
    assert_ptr_equal(arg, &held);
    assert_int_equal(held, 1);
    held--;
}

static void see(void)
{
    assert_int_equal(held, 1);
    seen++;
}

/* ---- the naive allocator, which looks for the lock in each verb ---- */

static enum acre_status spy_init(void *self, void *start, size_t size)
{
    see();
    return naive_ops.base.init(self, start, size);
}

static enum acre_status spy_add_memory(void *self, void *start, size_t size)
{
    see();
    return naive_ops.base.add_memory(self, start, size);
}

static enum acre_status spy_remove_memory(void *self, void *start)
{
    see();
    return naive_ops.base.remove_memory(self, start);
}

static struct acre_stats spy_stats(const void *self)
{
    see();
    return naive_ops.base.stats(self);
}

static struct acre_check_result spy_check(const void *self)
{
    see();
    return naive_ops.base.check(self);
}

static void spy_reset(void *self)
{
    see();
    naive_ops.base.reset(self);
}

static struct acre_ptr spy_alloc(void *self, struct acre_layout layout)
{
    see();
    return naive_ops.alloc(self, layout);
}

static enum acre_status spy_dealloc(void *self, void *ptr)
{
    see();
    return naive_ops.dealloc(self, ptr);
}

static enum acre_status spy_dealloc_sized(void *self, void *ptr, struct acre_layout layout)
{
    see();
    return naive_ops.dealloc_sized(self, ptr, layout);
}

static enum acre_status spy_resize(void *self, void *ptr, size_t size)
{
    see();
    return naive_ops.resize(self, ptr, size);
}

static struct acre_ptr spy_realloc(void *self, void *ptr, struct acre_layout layout)
{
    see();
    return naive_ops.realloc(self, ptr, layout);
}

static struct acre_num spy_usable_size(const void *self, const void *ptr)
{
    see();
    return naive_ops.usable_size(self, ptr);
}

static void spy_reset_peak(void *self)
{
    see();
    naive_ops.base.reset_peak(self);
}

static struct acre_block spy_find(const void *self, const void *ptr)
{
    see();
    return naive_ops.find(self, ptr);
}

static void spy_walk(const void *self, acre_walk_fn *visit, void *arg)
{
    see();
    naive_ops.walk(self, visit, arg);
}

static const struct acre_bytes_ops spy_ops = {
    .base = { spy_init, spy_add_memory, spy_remove_memory, spy_stats, spy_check, spy_reset,
        spy_reset_peak },
    .alloc = spy_alloc,
    .dealloc = spy_dealloc,
    .dealloc_sized = spy_dealloc_sized,
    .resize = spy_resize,
    .realloc = spy_realloc,
    .usable_size = spy_usable_size,
    .find = spy_find,
    .walk = spy_walk,
};

static void wrap(const struct acre_bytes_ops *ops, struct acre_locker locker)
{
    acre_locked_wrap(&locked, (struct acre_bytes){ ops, &naive }, locker);
    bytes = acre_locked_bytes(&locked);
    base = acre_bytes_base(bytes);
}

static bool visit(void *arg, void *start, size_t size, bool live)
{
    (void)arg;
    (void)start;
    (void)size;
    (void)live;
    assert_int_equal(held, 1);
    return true;
}

static void every_verb_is_under_the_lock_once(void **state)
{
    struct acre_locker locker = { count_lock, count_unlock, &held };
    (void)state;
    wrap(&spy_ops, locker);
    assert_int_equal(acre_init(base, pool, POOL / 2), ACRE_OK);
    assert_int_equal(acre_add_memory(base, pool + POOL / 2, POOL / 2), ACRE_OK);
    assert_int_equal(acre_remove_memory(base, pool + POOL / 2), ACRE_OK);
    void *first = acre_alloc(bytes, acre_layout(100, 1)).ptr;
    void *second = acre_alloc(bytes, acre_layout(100, 1)).ptr;
    assert_int_equal(acre_resize(bytes, first, 50), ACRE_OK);
    second = acre_realloc(bytes, second, acre_layout(5000, 1)).ptr;
    assert_true(acre_usable_size(bytes, second).num >= 5000);
    assert_int_equal(acre_stats(base).live_blocks, 2);
    assert_null(acre_check(base).invariant);
    acre_walk(bytes, visit, NULL);
    assert_int_equal(acre_dealloc(bytes, first), ACRE_OK);
    assert_int_equal(acre_dealloc_sized(bytes, second, acre_layout(5000, 1)), ACRE_OK);
    acre_reset(base);
    assert_int_equal(seen, 14);
    assert_int_equal(taken, 14);
    assert_int_equal(held, 0);
}

static void refused_calls_give_the_lock_back(void **state)
{
    struct acre_locker locker = { count_lock, count_unlock, &held };
    (void)state;
    wrap(&spy_ops, locker);
    assert_int_equal(acre_init(base, NULL, 0), ACRE_INVALID_PARAM);
    assert_int_equal(acre_init(base, pool, POOL), ACRE_OK);
    assert_int_equal(acre_alloc(bytes, acre_layout(SIZE_MAX, 1)).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_dealloc(bytes, pool), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_resize(bytes, NULL, 1), ACRE_NOT_ALLOCATED);
    assert_int_equal(held, 0);
}

static void without_callbacks_there_is_no_lock(void **state)
{
    struct acre_locker none = { NULL, NULL, NULL };
    (void)state;
    wrap(&naive_ops, none);
    assert_int_equal(acre_init(base, pool, POOL), ACRE_OK);
    assert_int_equal(acre_dealloc(bytes, acre_alloc(bytes, acre_layout(1, 1)).ptr), ACRE_OK);
}

/* ---- threads ---- */

enum { THREADS = 4, SLOTS = 32, ROUNDS = 4000 };

static void take_mutex(void *arg)
{
    if (pthread_mutex_lock(arg) != 0)
        abort();
}

static void give_mutex(void *arg)
{
    if (pthread_mutex_unlock(arg) != 0)
        abort();
}

static bool holds(const unsigned char *block, size_t size, unsigned char mark)
{
    for (size_t i = 0; i < size; i++) {
        if (block[i] != mark)
            return false;
    }
    return true;
}

/* Returns how many calls went wrong. */
static void *toil(void *arg)
{
    unsigned char mark = *(unsigned char *)arg;
    struct rng rng = { mark };
    unsigned char *blocks[SLOTS] = { NULL };
    size_t sizes[SLOTS];
    uintptr_t wrong = 0;
    for (size_t i = 0; i < ROUNDS + SLOTS; i++) {
        size_t at = i < ROUNDS ? rng_below(&rng, SLOTS) : i - ROUNDS;
        if (blocks[at] != NULL) {
            wrong += !holds(blocks[at], sizes[at], mark);
            wrong += acre_dealloc(bytes, blocks[at]) != ACRE_OK;
            blocks[at] = NULL;
        } else if (i < ROUNDS) {
            sizes[at] = 1 + rng_below(&rng, 200);
            blocks[at] = acre_alloc(bytes, acre_layout(sizes[at], 1)).ptr;
            if (blocks[at] == NULL)
                return (void *)(wrong + 1);
            memset(blocks[at], mark, sizes[at]);
        }
    }
    return (void *)wrong;
}

static void threads_share_the_handle(void **state)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    struct acre_locker locker = { take_mutex, give_mutex, &mutex };
    pthread_t threads[THREADS];
    unsigned char marks[THREADS];
    (void)state;
    wrap(&naive_ops, locker);
    assert_int_equal(acre_init(base, pool, POOL), ACRE_OK);
    for (size_t i = 0; i < THREADS; i++) {
        marks[i] = (unsigned char)(i + 1);
        assert_int_equal(pthread_create(&threads[i], NULL, toil, &marks[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        void *wrong;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
    assert_int_equal(acre_stats(base).used, 0);
    assert_null(acre_check(base).invariant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_verb_is_under_the_lock_once),
        cmocka_unit_test(refused_calls_give_the_lock_back),
        cmocka_unit_test(without_callbacks_there_is_no_lock),
        cmocka_unit_test(threads_share_the_handle),
    };
    return cmocka_run_group_tests_name("locked", tests, NULL, NULL);
}
