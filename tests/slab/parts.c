/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Objects that other threads free, several regions, and hooks. */
#include <acre/slab.h>

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MIB = 1 << 20, THREADS = 3, EACH = 4000 };

static _Alignas(4096) unsigned char memory[4 * MIB];
static struct acre_slab slab;
static void *blocks[THREADS][EACH];

static void assert_sound(void)
{
    struct acre_check_result found = acre_slab_check(&slab);
    if (found.invariant != NULL)
        fail_msg("check: %s at %p", found.invariant, found.where);
}

static void *take(size_t size, size_t align)
{
    struct acre_ptr got = acre_slab_alloc(&slab, acre_layout(size, align));
    assert_int_equal(got.status, ACRE_OK);
    assert_int_equal((uintptr_t)got.ptr % align, 0);
    memset(got.ptr, 1, size);
    return got.ptr;
}

/* ---- remote frees ---- */

static struct acre_slab_remote remote;

static void begin_remote(void)
{
    static _Alignas(max_align_t) unsigned char words[MIB / 8];
    assert_int_equal(acre_slab_init(&slab, memory, sizeof memory), ACRE_OK);
    assert_true(acre_slab_remote_size(sizeof memory) <= sizeof words);
    assert_int_equal(
        acre_slab_remote_init(&remote, memory, sizeof memory, words, sizeof words), ACRE_OK);
}

static void remote_double_frees_are_found(void **state)
{
    (void)state;
    begin_remote();
    void *first = take(64, 1);
    void *second = take(64, 1);
    unsigned char *large = take(100000, 1);
    assert_int_equal(acre_slab_remote_dealloc(&remote, first), ACRE_OK);
    assert_int_equal(acre_slab_remote_dealloc(&remote, first), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_slab_remote_dealloc(&remote, (char *)second + 1), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_slab_remote_dealloc(&remote, &remote), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_slab_remote_dealloc(&remote, NULL), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_slab_remote_dealloc(&remote, large), ACRE_OK);
    assert_int_equal(acre_slab_stats(&slab).live_blocks, 3);
    struct acre_slab_drained drained = acre_slab_drain(&slab, &remote);
    assert_int_equal(drained.freed, 2);
    assert_int_equal(drained.refused, 0);
    assert_null(drained.bad);
    assert_int_equal(acre_slab_remote_dealloc(&remote, first), ACRE_OK);
    drained = acre_slab_drain(&slab, &remote);
    assert_int_equal(drained.freed, 0);
    assert_int_equal(drained.refused, 1);
    assert_ptr_equal(drained.bad, first);
    assert_int_equal(acre_slab_remote_dealloc(&remote, (char *)second + 16), ACRE_OK);
    assert_int_equal(acre_slab_drain(&slab, &remote).refused, 1);
    assert_int_equal(acre_slab_drain(&slab, &remote).freed, 0);
    assert_int_equal(acre_slab_dealloc(&slab, second), ACRE_OK);
    assert_sound();
}

/* Blocks that the owner freed too, before it drains: each is refused, and the first is named. */
static void frees_by_both_are_refused(void **state)
{
    static const struct acre_slab_remote none;
    (void)state;
    begin_remote();
    void *pair[2] = { take(64, 1), take(64, 1) };
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(acre_slab_remote_dealloc(&remote, pair[i]), ACRE_OK);
        assert_int_equal(acre_slab_dealloc(&slab, pair[i]), ACRE_OK);
    }
    struct acre_slab_drained drained = acre_slab_drain(&slab, &remote);
    assert_int_equal(drained.freed, 0);
    assert_int_equal(drained.refused, 2);
    assert_ptr_equal(drained.bad, pair[0] < pair[1] ? pair[0] : pair[1]);
    struct acre_slab_remote zeroed = none;
    drained = acre_slab_drain(&slab, &zeroed);
    assert_int_equal(drained.freed + drained.refused, 0);
    assert_sound();
}

/* Little memory, whose pages are too few in a row for a slab of a large class: the slabs there are
 * serve. */
static void scarce_memory_in_pieces(void **state)
{
    enum { PAGE = ACRE_SLAB_MIN_PAGE, SLOTS = 64, STEPS = 4000 };
    unsigned seed = 3;
    (void)state;
    for (size_t pages = 12; pages < 60; pages += 3) {
        void *slots[SLOTS] = { NULL };
        memset(&slab, 0, sizeof slab);
        assert_int_equal(acre_slab_setup(&slab, PAGE), ACRE_OK);
        if (acre_slab_init(&slab, memory, pages * PAGE) != ACRE_OK)
            continue;
        for (size_t step = 0; step < STEPS; step++) {
            seed = seed * 1103515245u + 12345u;
            void **slot = &slots[seed / 65536 % SLOTS];
            size_t size = 1 + seed / 97 % (seed % 3 == 0 ? 4 * PAGE : PAGE / 2);
            if (*slot != NULL)
                assert_int_equal(acre_slab_dealloc(&slab, *slot), ACRE_OK);
            *slot = *slot != NULL ? NULL : acre_slab_alloc(&slab, acre_layout(size, 1)).ptr;
            if (step % 8 == 0)
                assert_sound();
        }
    }
    memset(&slab, 0, sizeof slab);
}

static void bad_ranges_are_refused(void **state)
{
    static _Alignas(max_align_t) unsigned char words[4096];
    (void)state;
    struct acre_slab_remote none;
    assert_int_equal(
        acre_slab_remote_init(&none, NULL, 4096, words, sizeof words), ACRE_INVALID_PARAM);
    assert_int_equal(
        acre_slab_remote_init(&none, memory, 0, words, sizeof words), ACRE_INVALID_PARAM);
    assert_int_equal(
        acre_slab_remote_init(&none, memory, SIZE_MAX, words, sizeof words), ACRE_INVALID_PARAM);
    assert_int_equal(acre_slab_remote_init(&none, memory, 4096, words + 1, sizeof words - 1),
        ACRE_INVALID_PARAM);
    assert_int_equal(acre_slab_remote_init(&none, memory, MIB, words, 100), ACRE_INVALID_PARAM);
    assert_int_equal(acre_slab_remote_init(&none, memory, 4096, NULL, 4096), ACRE_INVALID_PARAM);
}

static void *free_remotely(void *arg)
{
    void **own = arg;
    for (size_t i = 0; i < EACH; i++)
        if (acre_slab_remote_dealloc(&remote, own[i]) != ACRE_OK)
            return own;
    return NULL;
}

/* Three threads free blocks while the owner drains the list and allocates. */
static void threads_free_remotely(void **state)
{
    pthread_t threads[THREADS];
    (void)state;
    begin_remote();
    for (size_t i = 0; i < (size_t)THREADS * EACH; i++)
        blocks[i % THREADS][i / THREADS] = take(16 + i % 200, 1);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, free_remotely, blocks[i]), 0);
    size_t freed = 0;
    while (freed < (size_t)THREADS * EACH) {
        struct acre_slab_drained drained = acre_slab_drain(&slab, &remote);
        freed += drained.freed;
        assert_int_equal(drained.refused, 0);
        assert_int_equal(acre_slab_dealloc(&slab, take(100, 1)), ACRE_OK);
    }
    for (size_t i = 0; i < THREADS; i++) {
        void *failed;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    assert_int_equal(acre_slab_stats(&slab).used, 0);
    assert_sound();
}

/* ---- several regions, and what is above ---- */

enum { REGIONS = 4, REGION = 32 << 10 };

/* Blocks of four regions, freed in turns: each is found, once, and the region cache forgets a
 * removed region. */
static void regions_are_told_apart(void **state)
{
    size_t count = 0;
    (void)state;
    slab = (struct acre_slab){ 0 };
    acre_slab_setup(&slab, 1024);
    for (size_t i = 0; i < REGIONS; i++)
        assert_int_equal(acre_slab_add_memory(&slab, memory + i * 2 * REGION, REGION), ACRE_OK);
    while (count < (size_t)THREADS * EACH) {
        struct acre_ptr got = acre_slab_alloc(&slab, acre_layout(500, 1));
        if (got.ptr == NULL)
            break;
        blocks[count / EACH][count % EACH] = got.ptr;
        count++;
    }
    assert_true(count > REGIONS * (REGION / 600));
    for (size_t step = 0; step < 7; step++)
        for (size_t i = step; i < count; i += 7) {
            void *block = blocks[i / EACH][i % EACH];
            assert_int_equal(acre_slab_dealloc(&slab, block), ACRE_OK);
            assert_int_equal(acre_slab_dealloc(&slab, block), ACRE_NOT_ALLOCATED);
        }
    assert_sound();
    for (size_t i = 0; i < REGIONS; i++) {
        assert_int_equal(acre_slab_remove_memory(&slab, memory + i * 2 * REGION), ACRE_OK);
        assert_sound();
        for (size_t k = 0; k < count; k++)
            assert_int_equal(
                acre_slab_dealloc(&slab, blocks[k / EACH][k % EACH]), ACRE_NOT_ALLOCATED);
    }
}

static bool add_region(void *arg, struct acre_layout layout)
{
    size_t *calls = arg;
    if (++*calls > 1)
        return false;
    assert_int_equal(acre_slab_alloc(&slab, layout).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_slab_add_memory(&slab, memory + MIB / 2, REGION), ACRE_OK);
    assert_int_equal(acre_slab_dealloc(&slab, acre_slab_alloc(&slab, layout).ptr), ACRE_OK);
    return true;
}

static void the_handler_adds_memory(void **state)
{
    size_t calls = 0;
    (void)state;
    slab = (struct acre_slab){ 0 };
    acre_slab_setup(&slab, 1024);
    acre_slab_set_on_exhausted(&slab, add_region, &calls);
    assert_non_null(acre_slab_alloc(&slab, acre_layout(5000, 16)).ptr);
    assert_int_equal(calls, 1);
    assert_int_equal(acre_slab_alloc(&slab, acre_layout(MIB, 16)).status, ACRE_NO_MEMORY);
    assert_int_equal(calls, 2);
    assert_int_equal(acre_slab_stats(&slab).failed, 2);
    assert_int_equal(acre_slab_init(&slab, memory, REGION), ACRE_OK); /* keeps the handler */
    assert_int_equal(acre_slab_alloc(&slab, acre_layout(MIB, 16)).status, ACRE_NO_MEMORY);
    assert_int_equal(calls, 3);
    acre_slab_set_on_exhausted(&slab, NULL, NULL);
    assert_int_equal(acre_slab_alloc(&slab, acre_layout(MIB, 16)).status, ACRE_NO_MEMORY);
    assert_int_equal(calls, 3);
    assert_int_equal(acre_slab_stats(&slab).failed, 2);
    assert_sound();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regions_are_told_apart),
        cmocka_unit_test(the_handler_adds_memory),
        cmocka_unit_test(remote_double_frees_are_found),
        cmocka_unit_test(frees_by_both_are_refused),
        cmocka_unit_test(scarce_memory_in_pieces),
        cmocka_unit_test(bad_ranges_are_refused),
        cmocka_unit_test(threads_free_remotely),
    };
    return cmocka_run_group_tests_name("slab parts", tests, NULL, NULL);
}
