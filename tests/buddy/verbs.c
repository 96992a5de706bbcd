/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Buddy from outside: orders, quick lists, resizing, and what the suites over the handle do not
 * know. */
#include <acre/buddy.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { UNIT = 32, UNITS = 64, SIZE = UNIT * UNITS };

/* All that there is of one allocator, to be compared byte for byte. */
static struct world {
    struct acre_buddy buddy;
    unsigned char meta[1024];
} world, before;

static struct acre_buddy *const buddy = &world.buddy;

/* Positions [0, SIZE), empty. */
static int make(void **state)
{
    (void)state;
    memset(&world, 0, sizeof world);
    acre_buddy_setup(buddy, UNIT);
    return acre_buddy_add_range(buddy, 0, SIZE, world.meta, sizeof world.meta) != ACRE_OK;
}

static void assert_sound(void)
{
    struct acre_check_result found = acre_buddy_check(buddy);
    if (found.invariant != NULL)
        fail_msg("%s at %p", found.invariant, found.where);
}

static uintptr_t take(size_t size, size_t align)
{
    struct acre_num taken = acre_buddy_alloc_range(buddy, acre_layout(size, align));
    assert_int_equal(taken.status, ACRE_OK);
    assert_sound();
    return taken.num;
}

static void give(uintptr_t pos)
{
    assert_int_equal(acre_buddy_dealloc_range(buddy, pos), ACRE_OK);
    assert_sound();
}

static size_t usable(uintptr_t pos)
{
    return acre_buddy_usable_size(buddy, (void *)pos).num;
}

static size_t largest(void)
{
    return acre_buddy_stats(buddy).largest_free;
}

static void save(void)
{
    memcpy(&before, &world, sizeof world);
}

static void assert_unchanged(size_t refused)
{
    before.buddy.failed += refused;
    assert_memory_equal(&before, &world, sizeof world);
}

/* ---- orders ---- */

static void sizes_and_alignments_make_orders(void **state)
{
    static const struct {
        size_t size, align, usable;
    } rows[] = {
        { 0, 1, 32 },
        { 1, 1, 32 },
        { 32, 1, 32 },
        { 33, 1, 64 },
        { 64, 64, 64 },
        { 65, 1, 128 },
        { 1, 32, 32 },
        { 1, 64, 64 },
        { 0, 128, 128 },
        { 100, 16, 128 },
        { 129, 8, 256 },
        { 512, 1024, 1024 },
        { 1025, 1, 2048 },
        { 2048, 2048, 2048 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uintptr_t pos = take(rows[i].size, rows[i].align);
        assert_int_equal(usable(pos), rows[i].usable);
        assert_int_equal(pos % rows[i].usable, 0);
        assert_int_equal(acre_buddy_stats(buddy).used, rows[i].usable);
        give(pos);
        assert_int_equal(largest(), SIZE);
    }
}

static void setup_takes_a_power_of_two(void **state)
{
    static const size_t bad[] = { 0, 1, ACRE_NATURAL_ALIGN / 2, ACRE_NATURAL_ALIGN + 1, 48,
        SIZE_MAX, SIZE_MAX / 2 + 1, SIZE_MAX / 4 + 1 };
    (void)state;
    save();
    assert_int_equal(acre_buddy_setup(buddy, UNIT), ACRE_INVALID_PARAM); /* it owns memory */
    assert_unchanged(0);
    assert_int_equal(acre_buddy_remove_memory(buddy, NULL), ACRE_OK);
    save();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(acre_buddy_setup(buddy, bad[i]), ACRE_INVALID_PARAM);
    assert_unchanged(0);
    for (size_t good = ACRE_NATURAL_ALIGN; good <= SIZE_MAX / 8 + 1; good *= 2) {
        assert_int_equal(acre_buddy_setup(buddy, good), ACRE_OK);
        assert_sound();
    }
}

static void lowest_of_the_smallest_order_first(void **state)
{
    (void)state;
    assert_int_equal(acre_buddy_set_quick_depth(buddy, 0), ACRE_OK);
    assert_int_equal(take(UNIT, 1), 0);
    assert_int_equal(take(4 * UNIT, 1), 4 * UNIT);
    assert_int_equal(take(UNIT, 1), 1 * UNIT);
    assert_int_equal(take(UNIT, 1), 2 * UNIT);
    assert_int_equal(take(8 * UNIT, 1), 8 * UNIT);
    assert_int_equal(take(UNIT, 1), 3 * UNIT);
}

/* ---- quick lists ---- */

static size_t fill(uintptr_t *blocks)
{
    size_t count = 0;
    struct acre_num taken;
    while ((taken = acre_buddy_alloc_range(buddy, acre_layout(1, 1))).status == ACRE_OK)
        blocks[count++] = taken.num;
    assert_sound();
    return count;
}

/* Whatever order blocks are freed in, and however long the quick lists are. */
static void all_comes_back(void **state)
{
    uintptr_t blocks[UNITS];
    (void)state;
    for (unsigned depth = 0; depth <= ACRE_BUDDY_QUICK_DEPTH; depth++) {
        assert_int_equal(acre_buddy_set_quick_depth(buddy, depth), ACRE_OK);
        for (size_t step = 1; step < UNITS; step += 2) {
            assert_int_equal(fill(blocks), UNITS);
            for (size_t i = 0; i < UNITS; i++)
                assert_int_equal(
                    acre_buddy_dealloc_range(buddy, blocks[i * step % UNITS]), ACRE_OK);
            assert_sound();
            assert_int_equal(largest(), SIZE);
            assert_int_equal(acre_buddy_stats(buddy).available, SIZE);
            give(take(SIZE, 1));
        }
    }
}

static bool count_block(void *arg, void *start, size_t size, bool live)
{
    (void)start;
    (void)size;
    (void)live;
    ++*(size_t *)arg;
    return true;
}

static size_t count_blocks(void)
{
    size_t count = 0;
    acre_buddy_walk(buddy, count_block, &count);
    return count;
}

static void without_quick_lists_frees_merge_at_once(void **state)
{
    uintptr_t blocks[UNITS];
    (void)state;
    assert_int_equal(acre_buddy_set_quick_depth(buddy, 0), ACRE_OK);
    for (size_t i = 0, count = fill(blocks); i < count; i++)
        give(blocks[i]);
    assert_int_equal(count_blocks(), 1);
}

static void a_quick_list_hands_out_what_was_freed_last(void **state)
{
    (void)state;
    assert_int_equal(acre_buddy_set_quick_depth(buddy, 0), ACRE_OK);
    uintptr_t first = take(UNIT, 1);
    uintptr_t odd = take(UNIT, 1);
    uintptr_t large = take(4 * UNIT, 1);
    assert_int_equal(acre_buddy_set_quick_depth(buddy, ACRE_BUDDY_QUICK_DEPTH), ACRE_OK);
    give(first);
    give(odd);
    give(large);
    assert_int_equal(take(3 * UNIT, 1), large);
    assert_int_equal(take(1, 1), first);
    assert_int_equal(take(0, 1), odd);
}

/* A split refills a quick list as far as there is room, and the blocks there are handed out in
 * order of address. */
static void a_split_refills_a_quick_list(void **state)
{
    (void)state;
    for (unsigned depth = 0; depth <= ACRE_BUDDY_QUICK_DEPTH; depth++) {
        size_t refill = depth >= 15 ? 16 : depth >= 7 ? 8 : depth >= 3 ? 4 : depth >= 1 ? 2 : 1;
        assert_int_equal(acre_buddy_set_quick_depth(buddy, depth), ACRE_OK);
        acre_buddy_reset(buddy);
        assert_int_equal(take(2 * UNIT, 1), 0);
        assert_sound();
        size_t blocks = refill;
        for (size_t end = 2 * UNIT * refill; end < SIZE; end *= 2)
            blocks++;
        assert_int_equal(count_blocks(), refill * 2 * UNIT < SIZE ? blocks : SIZE / (2 * UNIT));
        for (size_t i = 1; i < refill; i++)
            assert_int_equal(take(2 * UNIT, 1), 2 * UNIT * i);
        assert_int_equal(largest(), SIZE / 2 > 2 * UNIT * refill ? SIZE / 2 : largest());
    }
}

/* Blocks of one order freed in order of address, upward or downward: once a whole group of them is
 * on the full list, they leave it as one block. */
static void adjacent_blocks_leave_a_full_list_together(void **state)
{
    static unsigned char memory[64 * 1024];
    static uintptr_t blocks[1024];
    (void)state;
    for (unsigned upward = 0; upward < 2; upward++) {
        for (size_t from = 0; from < 16; from++) {
            memset(&world, 0, sizeof world);
            assert_int_equal(acre_buddy_init(buddy, memory, sizeof memory), ACRE_OK);
            size_t whole = largest();
            size_t count = 0;
            struct acre_num got;
            while (
                (got = acre_buddy_alloc_range(buddy, acre_layout(2 * UNIT, 1))).status == ACRE_OK)
                blocks[count++] = got.num;
            for (size_t i = from; i < count; i++)
                give(blocks[upward ? i : count - 1 - i + from]);
            assert_sound();
            assert_true(count_blocks() < from + ACRE_BUDDY_QUICK_DEPTH + 40);
            for (size_t i = 0; i < from; i++)
                give(blocks[i]);
            assert_sound();
            assert_int_equal(largest(), whole);
        }
    }
}

/* A request for no bytes takes from the list of the smallest blocks, whose number stays within the
 * limit. */
static void no_bytes_are_one_byte(void **state)
{
    (void)state;
    uintptr_t blocks[UNITS];
    for (size_t i = 0; i < UNITS; i++)
        blocks[i] = take(i % 3 != 0, 1);
    for (size_t i = 0; i < UNITS; i++)
        give(blocks[i]);
    for (size_t i = 0; i < UNITS; i++)
        blocks[i] = take(0, 1);
    assert_int_equal(largest(), 0);
}

/* A refused request leaves the quick lists as they are; the next one down flushes them. */
static void quick_lists_are_flushed_only_when_that_helps(void **state)
{
    uintptr_t blocks[UNITS];
    (void)state;
    size_t count = fill(blocks);
    for (size_t i = 0; i < 16; i++)
        give(blocks[i]);
    size_t most = largest();
    assert_int_equal(most, 16 * UNIT);
    assert_int_equal(count_blocks(), count);
    save();
    assert_int_equal(
        acre_buddy_alloc_range(buddy, acre_layout(most + 1, 1)).status, ACRE_NO_MEMORY);
    assert_unchanged(1);
    take(most, 1);
    assert_int_equal(largest(), 0);
    assert_int_equal(count_blocks(), count - 15);
}

static void a_quick_list_has_a_limit(void **state)
{
    (void)state;
    give(take(1, 1));
    save();
    assert_int_equal(
        acre_buddy_set_quick_depth(buddy, ACRE_BUDDY_QUICK_DEPTH + 1), ACRE_INVALID_PARAM);
    assert_unchanged(0);
    assert_int_equal(acre_buddy_set_quick_depth(buddy, 3), ACRE_OK);
    assert_int_equal(count_blocks(), 1);
    acre_buddy_reset(buddy);
    uintptr_t blocks[UNITS];
    fill(blocks);
    for (size_t i = 0; i < UNITS; i++)
        give(blocks[i]);
    assert_int_equal(largest(), SIZE);
    assert_true(count_blocks() > 6); /* three even ones and three odd ones are kept */
}

/* ---- zeroed ---- */

/* A zeroed struct is an empty allocator with default settings. */
static void zeroed_is_empty(void **state)
{
    size_t calls = 0;
    (void)state;
    memset(&world, 0, sizeof world);
    save();
    assert_int_equal(acre_buddy_alloc_range(buddy, acre_layout(1, 1)).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_buddy_alloc_range(buddy, acre_layout(0, 4096)).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_buddy_alloc_range(buddy, acre_layout(1, 3)).status, ACRE_INVALID_PARAM);
    for (uintptr_t pos = 0; pos < 3 * UNIT; pos++) {
        assert_int_equal(acre_buddy_dealloc_range(buddy, pos), ACRE_NOT_ALLOCATED);
        assert_int_equal(
            acre_buddy_dealloc_sized(buddy, (void *)pos, acre_layout(1, 1)), ACRE_NOT_ALLOCATED);
        assert_int_equal(acre_buddy_resize(buddy, (void *)pos, 1), ACRE_NOT_ALLOCATED);
        assert_int_equal(acre_buddy_remove_memory(buddy, (void *)pos), ACRE_NOT_ALLOCATED);
    }
    assert_int_equal(acre_buddy_usable_size(buddy, buddy).status, ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_buddy_add_memory(buddy, NULL, SIZE), ACRE_INVALID_PARAM);
    assert_int_equal(
        acre_buddy_add_range(buddy, 0, 1, world.meta, sizeof world.meta), ACRE_INVALID_PARAM);
    acre_buddy_walk(buddy, count_block, &calls);
    assert_int_equal(calls, 0);
    assert_unchanged(2);
    struct acre_stats stats = acre_buddy_stats(buddy);
    assert_int_equal(stats.total, 0);
    assert_int_equal(stats.peak, 0);
    assert_int_equal(stats.largest_free, 0);
    assert_int_equal(stats.failed, 2);
    assert_sound();
    acre_buddy_reset(buddy);
    assert_int_equal(acre_buddy_stats(buddy).failed, 0);
    assert_sound();
}

/* Settings can be made before memory is added, in any order, and stay over an init. */
static void settings_stay(void **state)
{
    static unsigned char memory[8192];
    (void)state;
    for (unsigned first = 0; first < 2; first++) {
        memset(&world, 0, sizeof world);
        if (first == 0)
            assert_int_equal(acre_buddy_set_quick_depth(buddy, 0), ACRE_OK);
        assert_int_equal(acre_buddy_setup(buddy, 128), ACRE_OK);
        if (first == 1)
            assert_int_equal(acre_buddy_set_quick_depth(buddy, 0), ACRE_OK);
        assert_int_equal(acre_buddy_init(buddy, memory, sizeof memory), ACRE_OK);
        assert_int_equal(acre_buddy_init(buddy, NULL, 0), ACRE_INVALID_PARAM);
        assert_int_equal(acre_buddy_stats(buddy).total, 0);
        assert_int_equal(acre_buddy_init(buddy, memory, sizeof memory), ACRE_OK);
        size_t blocks = count_blocks();
        uintptr_t pos = take(1, 1);
        assert_int_equal(usable(pos), 128);
        give(pos);
        assert_int_equal(count_blocks(), blocks);
    }
}

/* ---- refused calls ---- */

static void second_frees_are_refused(void **state)
{
    uintptr_t blocks[UNITS];
    (void)state;
    fill(blocks);
    for (size_t i = 0; i < UNITS; i++) {
        give(blocks[i]);
        save();
        for (size_t j = 0; j <= i; j++)
            assert_int_equal(acre_buddy_dealloc_range(buddy, blocks[j]), ACRE_NOT_ALLOCATED);
        assert_unchanged(0);
    }
    take(SIZE, 1);
    save();
    for (size_t i = 1; i < UNITS; i++)
        assert_int_equal(acre_buddy_dealloc_range(buddy, blocks[i]), ACRE_NOT_ALLOCATED);
    assert_unchanged(0);
}

static void every_other_position_is_refused(void **state)
{
    (void)state;
    uintptr_t pos = take(4 * UNIT, 1);
    save();
    for (uintptr_t at = 0; at < SIZE + 100; at++)
        if (at != pos)
            assert_int_equal(acre_buddy_dealloc_range(buddy, at), ACRE_NOT_ALLOCATED);
    for (unsigned bit = 0; bit < 8 * sizeof(uintptr_t); bit++)
        if (pos + ((uintptr_t)1 << bit) != pos)
            assert_int_equal(
                acre_buddy_dealloc_range(buddy, pos + ((uintptr_t)1 << bit)), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_buddy_dealloc_range(buddy, UINTPTR_MAX), ACRE_NOT_ALLOCATED);
    assert_unchanged(0);
    give(pos);
}

static void refuse_sized(uintptr_t pos, size_t size, size_t align)
{
    save();
    assert_int_equal(
        acre_buddy_dealloc_sized(buddy, (void *)pos, acre_layout(size, align)), ACRE_INVALID_PARAM);
    assert_unchanged(0);
}

static void a_sized_free_names_the_order(void **state)
{
    (void)state;
    assert_int_equal(acre_buddy_set_quick_depth(buddy, 0), ACRE_OK);
    take(UNIT, 1);
    uintptr_t pos = take(100, 1);
    refuse_sized(pos, 64, 1);
    refuse_sized(pos, 129, 1);
    refuse_sized(pos, 0, 1);
    refuse_sized(pos, 100, 3);
    refuse_sized(pos, 100, 0);
    refuse_sized(pos, 100, 256);
    refuse_sized(pos, SIZE_MAX, 1);
    assert_int_equal(acre_buddy_dealloc_sized(buddy, (void *)pos, acre_layout(65, 128)), ACRE_OK);
    assert_int_equal(
        acre_buddy_dealloc_sized(buddy, (void *)pos, acre_layout(65, 128)), ACRE_NOT_ALLOCATED);
    uintptr_t aligned = take(10, 512);
    refuse_sized(aligned, 10, 1);
    assert_int_equal(
        acre_buddy_dealloc_sized(buddy, (void *)aligned, acre_layout(10, 512)), ACRE_OK);
}

/* ---- resize ---- */

static void grows_while_the_upper_buddy_is_free(void **state)
{
    (void)state;
    uintptr_t pos = take(UNIT, 1);
    for (size_t size = 2 * UNIT; size <= SIZE; size *= 2) {
        assert_int_equal(acre_buddy_resize(buddy, (void *)pos, size), ACRE_OK);
        assert_int_equal(usable(pos), size);
        assert_int_equal(acre_buddy_stats(buddy).used, size);
        assert_sound();
    }
    save();
    assert_int_equal(acre_buddy_resize(buddy, (void *)pos, SIZE + 1), ACRE_NO_MEMORY);
    assert_int_equal(acre_buddy_resize(buddy, (void *)pos, SIZE_MAX), ACRE_NO_MEMORY);
    assert_unchanged(2);
    assert_int_equal(acre_buddy_resize(buddy, (void *)pos, 0), ACRE_OK);
    assert_int_equal(usable(pos), UNIT);
    assert_int_equal(largest(), SIZE / 2);
    assert_sound();
}

static void an_upper_half_cannot_grow(void **state)
{
    (void)state;
    assert_int_equal(acre_buddy_set_quick_depth(buddy, 0), ACRE_OK);
    take(UNIT, 1);
    uintptr_t odd = take(UNIT, 1);
    uintptr_t even = take(UNIT, 1);
    uintptr_t wall = take(UNIT, 1);
    save();
    assert_int_equal(acre_buddy_resize(buddy, (void *)odd, UNIT + 1), ACRE_NO_MEMORY);
    assert_int_equal(acre_buddy_resize(buddy, (void *)even, UNIT + 1), ACRE_NO_MEMORY);
    assert_unchanged(2);
    assert_int_equal(acre_buddy_set_quick_depth(buddy, 0), ACRE_OK);
    give(wall);
    assert_int_equal(acre_buddy_resize(buddy, (void *)even, 2 * UNIT), ACRE_OK);
    assert_int_equal(acre_buddy_resize(buddy, (void *)even, 3 * UNIT), ACRE_NO_MEMORY);
    assert_sound();
}

/* Blocks so large that no quick block can be part of the upper one. */
static void a_large_block_grows_unless_the_upper_one_is_live(void **state)
{
    static unsigned char memory[4096];
    uintptr_t high = UINTPTR_MAX / 2 + 1;
    size_t half = (size_t)UNIT << (ACRE_BUDDY_QUICK_ORDERS + 6);
    (void)state;
    assert_int_equal(
        acre_buddy_add_range(buddy, high, 2 * half, memory, sizeof memory), ACRE_INVALID_PARAM);
    static unsigned char enough[1 << 16];
    assert_int_equal(acre_buddy_add_range(buddy, high, 2 * half, enough, sizeof enough), ACRE_OK);
    uintptr_t low = take(half, 1);
    uintptr_t wall = take(half, 1);
    assert_int_equal(wall, low + half);
    assert_int_equal(acre_buddy_resize(buddy, (void *)low, half + 1), ACRE_NO_MEMORY);
    assert_int_equal(usable(low), half);
    give(wall);
    assert_int_equal(acre_buddy_resize(buddy, (void *)low, half + 1), ACRE_OK);
    assert_int_equal(usable(low), 2 * half);
    assert_sound();
}

/* Lists too short for a whole group: of adjacent blocks, the one that is left below leaves alone. */
static void short_lists_keep_adjacent_blocks(void **state)
{
    (void)state;
    for (unsigned depth = 1; depth < 8; depth++) {
        uintptr_t blocks[UNITS / 2];
        acre_buddy_reset(buddy);
        assert_int_equal(acre_buddy_set_quick_depth(buddy, depth), ACRE_OK);
        for (size_t i = 0; i < UNITS / 2; i++)
            blocks[i] = take(2 * UNIT, 1);
        for (size_t i = 0; i < UNITS / 2; i++)
            give(blocks[i]);
        assert_int_equal(acre_buddy_stats(buddy).used, 0);
        assert_int_equal(largest(), SIZE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(sizes_and_alignments_make_orders, make),
        cmocka_unit_test_setup(setup_takes_a_power_of_two, make),
        cmocka_unit_test_setup(lowest_of_the_smallest_order_first, make),
        cmocka_unit_test_setup(all_comes_back, make),
        cmocka_unit_test_setup(without_quick_lists_frees_merge_at_once, make),
        cmocka_unit_test_setup(a_quick_list_hands_out_what_was_freed_last, make),
        cmocka_unit_test_setup(a_split_refills_a_quick_list, make),
        cmocka_unit_test_setup(adjacent_blocks_leave_a_full_list_together, make),
        cmocka_unit_test_setup(no_bytes_are_one_byte, make),
        cmocka_unit_test_setup(quick_lists_are_flushed_only_when_that_helps, make),
        cmocka_unit_test_setup(a_quick_list_has_a_limit, make),
        cmocka_unit_test_setup(zeroed_is_empty, make),
        cmocka_unit_test_setup(settings_stay, make),
        cmocka_unit_test_setup(second_frees_are_refused, make),
        cmocka_unit_test_setup(every_other_position_is_refused, make),
        cmocka_unit_test_setup(a_sized_free_names_the_order, make),
        cmocka_unit_test_setup(grows_while_the_upper_buddy_is_free, make),
        cmocka_unit_test_setup(an_upper_half_cannot_grow, make),
        cmocka_unit_test_setup(a_large_block_grows_unless_the_upper_one_is_live, make),
        cmocka_unit_test_setup(short_lists_keep_adjacent_blocks, make),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
