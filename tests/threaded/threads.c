/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Threads that allocate, hand blocks to each other, end, and free one block at the same moment. */
#include "threaded/world.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MEMORY = 64 << 20, THREADS = 4, SLOTS = 512, STEPS = 40000, LIVES = 6, RACES = 3000 };

static struct world *world;
static _Atomic(unsigned char *) slots[SLOTS];
static _Atomic size_t faults;

static unsigned next_random(unsigned *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* Each block holds its size in its first bytes, and a byte made of it in all others. */
static unsigned char *make(struct acre_thread_heap *heap, unsigned *seed)
{
    unsigned draw = next_random(seed);
    size_t size = 16 + (draw % 100 == 0 ? draw % 100000 : draw % 1000);
    struct acre_ptr got = acre_threaded_alloc(heap, acre_layout(size, 16));
    if (got.status != ACRE_OK)
        return NULL;
    memset(got.ptr, (int)(size & 0xff), size);
    memcpy(got.ptr, &size, sizeof size);
    return got.ptr;
}

static void end(struct acre_thread_heap *heap, unsigned char *ptr)
{
    size_t size;
    memcpy(&size, ptr, sizeof size);
    for (size_t i = sizeof size; i < size; i++)
        if (ptr[i] != (unsigned char)(size & 0xff))
            atomic_fetch_add(&faults, 1);
    if (acre_threaded_dealloc(heap, ptr) != ACRE_OK)
        atomic_fetch_add(&faults, 1);
}

/* Exchanges blocks with whoever used the slot before: half of all frees are remote. */
static void *churn(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg;
    for (int life = 0; life < LIVES; life++) {
        struct acre_thread_heap *heap = acre_threaded_attach(&world->threaded);
        if (heap == NULL)
            return NULL;
        for (int i = 0; i < STEPS / LIVES; i++) {
            unsigned char *mine = make(heap, &seed);
            unsigned char *old = atomic_exchange(&slots[next_random(&seed) % SLOTS], mine);
            if (old != NULL)
                end(heap, old);
        }
        acre_threaded_detach(heap);
    }
    return NULL;
}

static void start_all(void *(*run)(void *), pthread_t *threads)
{
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run, (void *)(i + 1)), 0);
}

static void join_all(pthread_t *threads)
{
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void tell_damage(void *arg, const struct acre_threaded_damage *damage)
{
    (void)arg;
    (void)damage;
    atomic_fetch_add(&faults, 1);
}

/* `state`: whether it is a hardened one. */
static struct world *open_world(void **state)
{
    struct world *made = world_open(MEMORY);
    if (*state != NULL)
        made->threaded.env.hardening =
            (struct acre_threaded_hardening){ .on = true, .secret = 12345, .damaged = tell_damage };
    return made;
}

static void no_block_is_lost_or_shared(void **state)
{
    pthread_t threads[THREADS];
    world = open_world(state);
    start_all(churn, threads);
    join_all(threads);
    struct acre_thread_heap *heap = world_attach(world);
    for (size_t i = 0; i < SLOTS; i++)
        if (slots[i] != NULL)
            end(heap, atomic_exchange(&slots[i], NULL));
    assert_int_equal(faults, 0);
    assert_int_equal(acre_threaded_late_misuse(&world->threaded), 0);
    acre_threaded_release_empty(heap);
    world_assert_sound(world);
    assert_int_equal(acre_threaded_stats(&world->threaded).live_blocks, 0);
    world_close(world);
}

static _Atomic(void *) raced;
static _Atomic size_t wins;
static pthread_barrier_t barrier;

static void *race(void *arg)
{
    (void)arg;
    struct acre_thread_heap *heap = acre_threaded_attach(&world->threaded);
    for (int i = 0; i < RACES; i++) {
        pthread_barrier_wait(&barrier);
        if (acre_threaded_dealloc(heap, raced) == ACRE_OK)
            atomic_fetch_add(&wins, 1);
        pthread_barrier_wait(&barrier);
    }
    acre_threaded_detach(heap);
    return NULL;
}

/* The block's owner does not drain in between, so that exactly one free must win each time. */
static void one_of_two_frees_at_once_wins(void **state)
{
    pthread_t threads[THREADS];
    world = open_world(state);
    struct acre_thread_heap *owner = world_attach(world);
    assert_int_equal(pthread_barrier_init(&barrier, NULL, THREADS + 1), 0);
    start_all(race, threads);
    for (int i = 0; i < RACES; i++) {
        struct acre_ptr got = acre_threaded_alloc(owner, acre_layout(i % 3 == 0 ? 50000 : 48, 16));
        assert_int_equal(got.status, ACRE_OK);
        raced = got.ptr;
        wins = 0;
        pthread_barrier_wait(&barrier);
        pthread_barrier_wait(&barrier);
        assert_int_equal(wins, 1);
    }
    join_all(threads);
    pthread_barrier_destroy(&barrier);
    assert_int_equal(acre_threaded_late_misuse(&world->threaded), 0);
    world_assert_sound(world);
    world_close(world);
}

int main(void)
{
    static int hardened;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_block_is_lost_or_shared),
        cmocka_unit_test(one_of_two_frees_at_once_wins),
        cmocka_unit_test_prestate(no_block_is_lost_or_shared, &hardened),
        cmocka_unit_test_prestate(one_of_two_frees_at_once_wins, &hardened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
