/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Threads that clone, allocate, free and drop one handle at once. */
#include "support/naive.h"
#include "support/rng.h"

#include <acre/lock_pthread.h>
#include <acre/shared.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { THREADS = 6, ROUNDS = 400, SLOTS = 16, POOL = 1 << 18, LEAKS = 3 };

static _Alignas(4096) unsigned char pool[POOL];
static struct naive naive;
static struct acre_shared shared;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t start;
static size_t ends, end_live; /* written by the last drop, read after the threads are joined */

static void end(void *arg, void *pool_start, size_t size, size_t live_blocks)
{
    (void)arg;
    memset(pool_start, 0, size);
    ends++;
    end_live = live_blocks;
}

static void make(void)
{
    const struct acre_shared_pool owned = { pool, POOL, end, NULL };
    struct acre_bytes inner = { &naive_ops, &naive };
    ends = end_live = 0;
    assert_int_equal(acre_bytes_init(inner, pool, POOL), ACRE_OK);
    assert_int_equal(
        acre_shared_make_threadsafe(&shared, inner, owned, acre_locker_pthread(&mutex)), ACRE_OK);
}

static void run(void *(*work)(void *))
{
    pthread_t threads[THREADS];
    assert_int_equal(pthread_barrier_init(&start, NULL, THREADS), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, (void *)(i + 1)), 0);
    for (size_t i = 0; i < THREADS; i++) {
        void *faults;
        assert_int_equal(pthread_join(threads[i], &faults), 0);
        assert_null(faults);
    }
    pthread_barrier_destroy(&start);
}

struct slot {
    unsigned char *ptr;
    size_t size;
};

static bool toggle(struct acre_bytes bytes, struct slot *slot, unsigned char mark, size_t size)
{
    if (slot->ptr == NULL) {
        slot->ptr = acre_alloc(bytes, acre_layout(size, 1)).ptr;
        slot->size = size;
        if (slot->ptr != NULL)
            memset(slot->ptr, mark, size);
        return slot->ptr != NULL;
    }
    unsigned char *ptr = slot->ptr;
    slot->ptr = NULL;
    for (size_t i = 0; i < slot->size; i++)
        if (ptr[i] != mark)
            return false;
    return acre_dealloc_sized(bytes, ptr, acre_layout(slot->size, 1)) == ACRE_OK;
}

/* Each thread has a reference; the last to be done ends the handle, with LEAKS blocks a thread. */
static void *churn(void *arg)
{
    struct rng rng = { (uintptr_t)arg };
    struct slot slots[SLOTS] = { { NULL, 0 } };
    struct acre_bytes bytes = acre_shared_bytes(&shared);
    unsigned char mark = (unsigned char)(uintptr_t)arg;
    uintptr_t faults = 0;
    pthread_barrier_wait(&start);
    for (int i = 0; i < ROUNDS; i++)
        faults += !toggle(bytes, &slots[rng_below(&rng, SLOTS)], mark, 1 + rng_below(&rng, 500));
    for (size_t i = 0; i < SLOTS; i++)
        if (slots[i].ptr != NULL)
            faults += !toggle(bytes, &slots[i], mark, 1);
    for (size_t i = 0; i < LEAKS; i++)
        faults += acre_alloc(bytes, acre_layout(1, 1)).status != ACRE_OK;
    faults += acre_shared_drop(&shared).status != ACRE_OK;
    return (void *)faults;
}

static void threads_share_an_allocator(void **state)
{
    (void)state;
    make();
    for (size_t i = 1; i < THREADS; i++)
        assert_int_equal(acre_shared_clone(&shared), ACRE_OK);
    run(churn);
    assert_int_equal(ends, 1);
    assert_int_equal(end_live, THREADS * LEAKS);
    assert_int_equal(acre_shared_count(&shared), 0);
}

static void *clone_and_drop(void *arg)
{
    uintptr_t faults = 0;
    (void)arg;
    pthread_barrier_wait(&start);
    for (int i = 0; i < ROUNDS * 20; i++) {
        faults += acre_shared_clone(&shared) != ACRE_OK;
        struct acre_drop drop = acre_shared_drop(&shared);
        faults += drop.status != ACRE_OK || drop.count == 0;
    }
    return (void *)faults;
}

static void no_count_is_lost(void **state)
{
    (void)state;
    make();
    run(clone_and_drop);
    assert_int_equal(acre_shared_count(&shared), 1);
    assert_int_equal(ends, 0);
    assert_int_equal(acre_shared_drop(&shared).count, 0);
    assert_int_equal(ends, 1);
}

static size_t dropped[THREADS + 1];

static void *drop_once(void *arg)
{
    pthread_barrier_wait(&start);
    dropped[(uintptr_t)arg] = acre_shared_drop(&shared).status == ACRE_OK;
    return NULL;
}

/* More drops than references: as many succeed as there were, and the end comes once. */
static void one_of_many_drops_is_the_last(void **state)
{
    (void)state;
    for (size_t references = 1; references <= THREADS; references++) {
        make();
        for (size_t i = 1; i < references; i++)
            assert_int_equal(acre_shared_clone(&shared), ACRE_OK);
        run(drop_once);
        size_t sum = 0;
        for (size_t i = 1; i <= THREADS; i++)
            sum += dropped[i];
        assert_int_equal(sum, references);
        assert_int_equal(ends, 1);
    }
}

/* Which kind a handle is follows from how it was made last. */
static void a_struct_made_again(void **state)
{
    const struct acre_shared_pool owned = { pool, POOL, end, NULL };
    struct acre_bytes inner = { &naive_ops, &naive };
    (void)state;
    make();
    assert_true(shared.threads);
    assert_int_equal(acre_shared_drop(&shared).status, ACRE_OK);
    assert_int_equal(acre_bytes_init(inner, pool, POOL), ACRE_OK);
    assert_int_equal(acre_shared_make(&shared, inner, owned), ACRE_OK);
    assert_false(shared.threads);
    assert_int_equal(acre_shared_drop(&shared).status, ACRE_OK);
    make();
    assert_true(shared.threads);
    assert_int_equal(acre_shared_drop(&shared).status, ACRE_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_struct_made_again),
        cmocka_unit_test(threads_share_an_allocator),
        cmocka_unit_test(no_count_is_lost),
        cmocka_unit_test(one_of_many_drops_is_the_last),
    };
    return cmocka_run_group_tests_name("shared handle, threads", tests, NULL, NULL);
}
