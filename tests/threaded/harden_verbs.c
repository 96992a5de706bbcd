/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A hardened heap's verbs beside alloc and dealloc, its sweeps, and races that are made on
 * purpose. */
#include "threaded/threaded_harden_fast.h"
#include "threaded/world.h"

#include <string.h>

enum { MEMORY = 4 << 20, MANY = 3000 };

static struct acre_threaded_damage told;
static unsigned times;
static struct world *world;
static struct acre_thread_heap *heap;

static void note(void *arg, const struct acre_threaded_damage *damage)
{
    (void)arg;
    told = *damage;
    times++;
}

static void start(struct acre_threaded_hardening hardening)
{
    world = world_open(MEMORY);
    hardening.on = true;
    hardening.secret = (size_t)UINT64_C(0x1234567890abcdef);
    world->threaded.env.hardening = hardening;
    heap = world_attach(world);
    times = 0;
}

static int make(void **state)
{
    (void)state;
    start((struct acre_threaded_hardening){ .damaged = note });
    return 0;
}

static int end(void **state)
{
    (void)state;
    world_close(world);
    return 0;
}

static char *alloc(size_t size)
{
    struct acre_ptr got = acre_threaded_alloc(heap, acre_layout(size, 16));
    assert_int_equal(got.status, ACRE_OK);
    return got.ptr;
}

static void give(void *ptr)
{
    assert_int_equal(acre_threaded_dealloc(heap, ptr), ACRE_OK);
}

static void check_told(enum acre_threaded_damage_kind kind, const char *where, const char *block)
{
    assert_int_equal(times, 1);
    assert_int_equal(told.kind, kind);
    assert_ptr_equal(told.where, where);
    assert_ptr_equal(told.block, block);
    times = 0;
}

static size_t size_of(const void *ptr)
{
    return acre_threaded_usable_size(&world->threaded, ptr).num;
}

/* ---- small blocks ---- */

/* The short way serves what the current slab has, and leaves the rest to the long one. */
static void small_blocks_the_short_way(void **state)
{
    (void)state;
    size_t served = 0;
    for (size_t i = 0; i < MANY; i++) {
        size_t size = 1 + i * 7 % HARDEN_INLINE;
        char *ptr = harden_alloc_fast(heap, size);
        served += ptr != NULL;
        if (ptr == NULL)
            ptr = alloc(size);
        for (size_t at = 0; at < size; at++)
            assert_int_equal(ptr[at], 0);
        memset(ptr, 1, size);
        assert_int_equal(size_of(ptr), size);
        if (i % 3 != 0)
            give(ptr);
    }
    assert_in_range(served, MANY / 2, MANY - 1);
    assert_int_equal(times, 0);
    world_assert_sound(world);
}

/* ---- realloc ---- */

static void a_block_of_whole_pages_grows_and_shrinks(void **state)
{
    (void)state;
    char *ptr = alloc(50000);
    memset(ptr, 7, 50000);
    for (size_t size = 50000; size < 200000; size += 1001) {
        assert_ptr_equal(acre_threaded_realloc(heap, ptr, acre_layout(size, 16)).ptr, ptr);
        assert_int_equal(size_of(ptr), size);
        assert_int_equal(ptr[49999], 7);
    }
    assert_ptr_equal(acre_threaded_realloc(heap, ptr, acre_layout(40000, 16)).ptr, ptr);
    assert_int_equal(size_of(ptr), 40000);
    ptr[40000] ^= 1;
    assert_ptr_equal(acre_threaded_realloc(heap, ptr, acre_layout(60000, 16)).ptr, ptr);
    check_told(ACRE_DAMAGE_BEHIND, ptr + 40000, ptr);
    char *behind = alloc(50000);
    char *moved = acre_threaded_realloc(heap, ptr, acre_layout(300000, 16)).ptr;
    assert_ptr_not_equal(moved, ptr);
    assert_int_equal(moved[39999], 7);
    assert_int_equal(
        acre_threaded_realloc(heap, moved, acre_layout(SIZE_MAX - 9, 16)).status, ACRE_NO_MEMORY);
    assert_int_equal(
        acre_threaded_realloc(heap, moved, acre_layout(MEMORY, 16)).status, ACRE_NO_MEMORY);
    assert_int_equal(size_of(moved), 300000);
    char *tiny = acre_threaded_realloc(heap, moved, acre_layout(1, 16)).ptr;
    assert_int_equal(size_of(tiny), 1);
    assert_int_equal(tiny[0], 7);
    give(tiny);
    give(behind);
    assert_int_equal(times, 0);
    world_assert_sound(world);
}

static void an_object_is_resized_within_its_class(void **state)
{
    (void)state;
    char *ptr = alloc(1000);
    memset(ptr, 7, 1000);
    assert_ptr_equal(acre_threaded_realloc(heap, ptr, acre_layout(1000, 16)).ptr, ptr);
    assert_ptr_equal(acre_threaded_realloc(heap, ptr, acre_layout(990, 16)).ptr, ptr);
    assert_ptr_equal(acre_threaded_realloc(heap, ptr, acre_layout(1000, 16)).ptr, ptr);
    assert_int_equal(ptr[989], 7);
    assert_int_equal(ptr[990], 0); /* what it gained */
    char *large = acre_threaded_realloc(heap, ptr, acre_layout(33000, 16)).ptr;
    assert_ptr_not_equal(large, ptr);
    char *aligned = acre_threaded_realloc(heap, large, acre_layout(1000, 1 << 16)).ptr;
    assert_int_equal((uintptr_t)aligned % (1 << 16), 0);
    char *object = alloc(1000);
    char *strict = acre_threaded_realloc(heap, object, acre_layout(1000, 4096)).ptr;
    assert_int_equal((uintptr_t)strict % 4096, 0);
    give(strict);
    give(aligned);
    assert_int_equal(times, 0);
    world_assert_sound(world);
}

static void wrong_calls_change_nothing(void **state)
{
    (void)state;
    char *ptr = alloc(1000);
    char *large = alloc(50000);
    int local;
    struct acre_layout layout = acre_layout(10, 16), odd = acre_layout(10, 3);
    assert_int_equal(acre_threaded_realloc(heap, &local, layout).status, ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_threaded_realloc(heap, ptr + 1, layout).status, ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_threaded_realloc(heap, ptr, odd).status, ACRE_INVALID_PARAM);
    assert_int_equal(acre_threaded_dealloc(heap, &local), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_threaded_dealloc(heap, large + ACRE_THREADED_PAGE), ACRE_NOT_ALLOCATED);
    assert_int_equal(
        acre_threaded_dealloc_sized(heap, ptr, acre_layout(1000, 3)), ACRE_INVALID_PARAM);
    assert_int_equal(
        acre_threaded_dealloc_sized(heap, ptr, acre_layout(1000, 1 << 20)), ACRE_INVALID_PARAM);
    assert_int_equal(size_of(ptr + 1), 0);
    assert_int_equal(size_of(large + 16), 0);
    assert_int_equal(size_of(ptr), 1000);
    give(large);
    assert_int_equal(size_of(large), 0);
    assert_int_equal(times, 0);
    world_assert_sound(world);
}

/* ---- damage ---- */

/* A canary has up to four words behind the block and two at the end of its object. */
static void damage_at_the_end_of_the_object(void **state)
{
    (void)state;
    char *ptr = alloc(1040);
    size_t whole = threaded_slab_of(&world->threaded, (uintptr_t)ptr)->size;
    assert_true(whole - 1040 > 6 * HARDEN_WORD);
    ptr[whole - 1] ^= 1;
    give(ptr);
    check_told(ACRE_DAMAGE_BEHIND, ptr + whole - 1, ptr);
}

/* Bytes before an object that are those of its live neighbour's canary. */
static void damage_to_the_neighbour(void **state)
{
    (void)state;
    char *first = alloc(100);
    char *second = alloc(100);
    assert_ptr_equal(second, first + 112);
    second[-3] ^= 1;
    give(second);
    check_told(ACRE_DAMAGE_BEFORE, second - 3, second);
}

/* A block that is never freed: a sweep finds what was written behind it. */
static void a_sweep_finds_damage(void **state)
{
    (void)state;
    char *ptr = alloc(100);
    ptr[100] ^= 1;
    for (int i = 0; i < MANY && times == 0; i++)
        (void)alloc(16);
    check_told(ACRE_DAMAGE_BEHIND, ptr + 100, ptr);
    ptr[100] ^= 1;
    char *guarded = alloc(3000);
    guarded[-5] ^= 1;
    for (int i = 0; i < MANY && times == 0; i++)
        (void)alloc(16);
    check_told(ACRE_DAMAGE_BEFORE, guarded - 5, guarded);
}

/* The zeroes of a freed object, at every word of it. */
static void damage_to_a_freed_object(void **state)
{
    (void)state;
    for (size_t at = 0; at < 40; at += 5) {
        char *ptr = alloc(40);
        give(ptr);
        ptr[at] ^= 1;
        for (int i = 0; i < MANY && times == 0; i++)
            give(alloc(40));
        check_told(ACRE_DAMAGE_FREE, ptr + at, ptr);
        acre_harden_flush(heap);
        (void)acre_threaded_release_empty(heap);
    }
}

/* Without a hook, damage is overwritten and the call goes on. */
static void nobody_is_told(void **state)
{
    (void)state;
    start((struct acre_threaded_hardening){ .fill = 24 });
    char *ptr = alloc(100);
    ptr[100] ^= 1;
    give(ptr);
    char *run = alloc(50000);
    run[50000] ^= 1;
    give(run);
    assert_int_equal(times, 0);
    assert_int_equal(acre_threaded_stats(&world->threaded).live_blocks, 0);
    world_close(world);
}

static void pages_that_are_zero(void **state)
{
    (void)state;
    world = world_open(MEMORY);
    struct acre_pages pages = acre_bitmap_pages(&world->pages);
    struct acre_num run = acre_alloc_pages(pages, MEMORY / 2 / ACRE_THREADED_PAGE, 1);
    memset((void *)run.num, 0, MEMORY / 2);
    assert_int_equal(acre_dealloc_pages(pages, run.num, MEMORY / 2 / ACRE_THREADED_PAGE), ACRE_OK);
    world->threaded.env.hardening =
        (struct acre_threaded_hardening){ .on = true, .pages_are_zero = true, .damaged = note };
    heap = world_attach(world);
    times = 0;
    char *ptr = alloc(1000);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(ptr[i], 0);
    give(ptr);
    assert_int_equal(times, 0);
    world_close(world);
}

/* ---- shortage ---- */

static void pages_run_out(void **state)
{
    (void)state;
    char *ptr = alloc(1000);
    while (acre_threaded_alloc(heap, acre_layout(100000, 16)).status == ACRE_OK)
        continue;
    while (acre_threaded_alloc(heap, acre_layout(3000, 16)).status == ACRE_OK)
        continue;
    assert_int_equal(
        acre_threaded_realloc(heap, ptr, acre_layout(4000, 16)).status, ACRE_NO_MEMORY);
    assert_int_equal(size_of(ptr), 1000);
    assert_null(harden_alloc_fast(heap, 16)); /* no slab has room */
    assert_int_equal(times, 0);
    world_assert_sound(world);
}

/* ---- races, as they leave the heap ---- */

/* Two threads that free one object at once may both claim it; the second one is counted when the
 * object leaves the quarantines. */
static void an_object_claimed_twice_is_counted(void **state)
{
    (void)state;
    char *ptr = alloc(100);
    (void)alloc(100);
    struct acre_threaded_slab *slab = threaded_slab_of(&world->threaded, (uintptr_t)ptr);
    _Atomic uint16_t *slack = &harden_slacks(slab)[threaded_object_at(slab, (uintptr_t)ptr)];
    uint16_t live = atomic_load(slack);
    give(ptr);
    atomic_store(slack, live);
    harden_write(
        (uintptr_t)ptr + slab->size, live, harden_pattern(&world->threaded, (uintptr_t)ptr));
    give(ptr);
    assert_int_equal(acre_threaded_late_misuse(&world->threaded), 0);
    acre_harden_flush(heap);
    assert_int_equal(acre_threaded_late_misuse(&world->threaded), 1);
    world_assert_sound(world);
}

/* A run that another thread has claimed, and is about to free, is nobody else's to free. */
static void a_run_that_another_thread_claims(void **state)
{
    (void)state;
    char *run = alloc(100000);
    struct acre_threaded_slab *record = threaded_slab_of(&world->threaded, (uintptr_t)run);
    size_t slack = atomic_exchange(harden_run_slack(record), SIZE_MAX);
    assert_int_equal(size_of(run), 0);
    assert_int_equal(acre_threaded_dealloc(heap, run), ACRE_NOT_ALLOCATED);
    atomic_store(harden_run_slack(record), slack);
    assert_int_equal(size_of(run), 100000);
    give(run);
    assert_int_equal(times, 0);
}

/* One byte, anywhere in a free block, is found before the block is allocated again. */
static void a_write_anywhere_in_a_free_block(void **state)
{
    static const size_t sizes[] = { 100, 300, 1000, 5000 };
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t at = 0; at < sizes[i]; at += sizes[i] / 4) {
            char *ptr = alloc(sizes[i]);
            give(ptr);
            ptr[at] = 1;
            for (size_t n = 0; n < MANY && times == 0; n++)
                give(alloc(sizes[i]));
            check_told(ACRE_DAMAGE_FREE, ptr + at, ptr);
        }
}

/* The word before an object: of a live one, of one whose bytes nobody knows, damaged, of a free
 * one. */
static void the_word_before_an_object(void **state)
{
    char *ptr = alloc(100);
    struct acre_threaded_slab *slab = threaded_slab_of(&world->threaded, (uintptr_t)ptr);
    char *next = ptr + slab->size;
    (void)state;
    while (size_of(next) == 0)
        (void)alloc(100);
    _Atomic uint16_t *slack = &harden_slacks(slab)[((uintptr_t)ptr - slab->start) / slab->size];
    uint16_t live = atomic_load(slack);
    assert_int_equal(acre_harden_find_before(&world->threaded, slab, (uintptr_t)next), 0);
    next[-1] ^= 0x55;
    assert_int_equal(
        acre_harden_find_before(&world->threaded, slab, (uintptr_t)next), (uintptr_t)next - 1);
    atomic_store(slack, HARDEN_FRESH);
    assert_int_equal(acre_harden_find_before(&world->threaded, slab, (uintptr_t)next), 0);
    atomic_store(slack, live);
    next[-1] ^= 0x55;
    give(ptr);
    assert_int_equal(acre_harden_find_before(&world->threaded, slab, (uintptr_t)next), 0);
    assert_int_equal(times, 0);
}

/* A hardened heap whose fast paths serve nothing is as exact. */
static void a_slow_heap_is_hardened(void **state)
{
    (void)state;
    start((struct acre_threaded_hardening){ .damaged = note, .slow = true });
    for (size_t size = 1; size < 3000; size += 1 + size / 4) {
        char *ptr = alloc(size);
        assert_int_equal(size_of(ptr), size);
        memset(ptr, 1, size);
        give(ptr);
        assert_int_equal(acre_threaded_dealloc(heap, ptr), ACRE_NOT_ALLOCATED);
    }
    assert_int_equal(times, 0);
    world_assert_sound(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(small_blocks_the_short_way, make, end),
        cmocka_unit_test_setup_teardown(a_block_of_whole_pages_grows_and_shrinks, make, end),
        cmocka_unit_test_setup_teardown(an_object_is_resized_within_its_class, make, end),
        cmocka_unit_test_setup_teardown(wrong_calls_change_nothing, make, end),
        cmocka_unit_test_setup_teardown(damage_at_the_end_of_the_object, make, end),
        cmocka_unit_test_setup_teardown(damage_to_the_neighbour, make, end),
        cmocka_unit_test_setup_teardown(a_sweep_finds_damage, make, end),
        cmocka_unit_test_setup_teardown(damage_to_a_freed_object, make, end),
        cmocka_unit_test(nobody_is_told),
        cmocka_unit_test(pages_that_are_zero),
        cmocka_unit_test_setup_teardown(pages_run_out, make, end),
        cmocka_unit_test_setup_teardown(an_object_claimed_twice_is_counted, make, end),
        cmocka_unit_test_setup_teardown(a_run_that_another_thread_claims, make, end),
        cmocka_unit_test_setup_teardown(a_write_anywhere_in_a_free_block, make, end),
        cmocka_unit_test_setup_teardown(the_word_before_an_object, make, end),
        cmocka_unit_test_teardown(a_slow_heap_is_hardened, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
