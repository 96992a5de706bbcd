/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Scripts: the counts they keep, and the events they refuse. */
#include "replay/loop.h"
#include "replay/pack.h"
#include "replay/peaks.h"
#include "replay/worker.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct replay_script script;

static int open_script(void **state)
{
    static const struct acre_trace_process about = { .pid = 3, .name = "a\tb\xff" };
    struct acre_trace_event event = { .op = ACRE_TRACE_PROCESS, .process = 2, .about = &about };
    (void)state;
    return replay_script_open(&script, REPLAY_HOLD) && !replay_script_add(&script, &event) ? 0 : -1;
}

static int close_script(void **state)
{
    (void)state;
    replay_script_close(&script);
    return 0;
}

static const char *add_alloc(uint32_t slot, uint64_t size, uint64_t align)
{
    struct acre_trace_event event = {
        .op = ACRE_TRACE_ALLOC, .slot = slot, .size = size, .align = align
    };
    return replay_script_add(&script, &event);
}

static const char *add_resize(uint32_t slot, uint64_t old_size, uint64_t size)
{
    struct acre_trace_event event = {
        .op = ACRE_TRACE_RESIZE, .slot = slot, .old_size = old_size, .size = size
    };
    return replay_script_add(&script, &event);
}

static const char *add_free(uint32_t slot, uint64_t size)
{
    struct acre_trace_event event = { .op = ACRE_TRACE_FREE, .slot = slot, .size = size };
    return replay_script_add(&script, &event);
}

static uint64_t layout_of(uint64_t index)
{
    return replay_op_layout(
        replay_op_at(&script, index), replay_wides(&script), script.facts.align_log2);
}

/* A request for nothing is replayed as one for a byte. */
static uint64_t replayed(uint64_t size)
{
    return size ? size : 1;
}

/* A spike of one operation in each interval, far from where the interval begins. */
static void no_interval_loses_its_maximum(void **state)
{
    uint64_t moments[11];
    (void)state;
    assert_null(add_alloc(0, 10, 0));
    for (unsigned i = 1; i < 999; i += 2) {
        assert_null(add_alloc(1, i % 100 == 73 ? 5000 : 20, 0));
        assert_null(add_free(1, i % 100 == 73 ? 5000 : 20));
    }
    assert_null(add_free(0, 10));
    assert_int_equal(script.facts.ops, 1000);
    assert_int_equal(replay_find_peaks(&script, 999, 11, moments), 11);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(moments[i], i * 100 + 73);
    assert_int_equal(moments[10], 999);
    assert_int_equal(replay_find_peaks(&script, 4, 11, moments), 5);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(moments[i], i);
    assert_int_equal(replay_find_peaks(&script, 700, 1, moments), 1);
    assert_int_equal(moments[0], 700);
}

static void process_is_described(void **state)
{
    (void)state;
    assert_int_equal(script.facts.pid, 3);
    assert_int_equal(script.facts.process, 2);
    assert_string_equal(script.facts.name, "a?b?");
}

static void live_bytes_are_counted(void **state)
{
    (void)state;
    assert_null(add_alloc(0, 100, 0));
    assert_null(add_alloc(1, 50, 0));
    assert_null(add_free(0, 100));
    assert_null(add_resize(1, 50, 120));
    assert_null(add_alloc(0, 0, 0));
    assert_int_equal(script.facts.peak_live, 150);
    assert_int_equal(script.facts.peak_blocks, 2);
    assert_int_equal(script.facts.left_live, 2);
    assert_int_equal(script.facts.slots, 2);
    assert_int_equal(script.facts.allocs, 3);
    assert_int_equal(script.facts.deallocs, 1);
    assert_int_equal(script.facts.reallocs, 1);
    assert_int_equal(script.facts.ops, 5);
    assert_null(add_resize(1, 120, 1000));
    assert_int_equal(script.facts.peak_live, 1000);
}

static void operations_keep_sizes_and_alignments(void **state)
{
    static const struct {
        uint64_t size, align, wides;
    } cases[] = { { 0, 0, 0 }, { 1, 1, 0 }, { REPLAY_SIZE_MASK, 0, 0 },
        { (uint64_t)REPLAY_SIZE_MASK + 1, 0, 1 }, { 24, 4096, 2 }, { UINT64_C(3) << 28, 8, 3 } };
    (void)state;
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_null(add_alloc(i, cases[i].size, cases[i].align));
        uint64_t align = cases[i].align > ACRE_NATURAL_ALIGN ? cases[i].align : ACRE_NATURAL_ALIGN;
        struct replay_slot slot = { .layout = layout_of(i) };
        assert_int_equal(replay_op_verb(replay_op_at(&script, i)), REPLAY_ALLOC);
        assert_int_equal(replay_slot_size(&slot), replayed(cases[i].size));
        assert_int_equal(replay_slot_align(&slot), align);
        assert_int_equal(script.facts.wides, cases[i].wides);
    }
}

/* Only what calloc returned is asked for zeroed, one entry for all blocks of a size. */
static void zeroed_blocks_are_told_apart(void **state)
{
    struct acre_trace_event event = { .op = ACRE_TRACE_ALLOC, .size = 40 };
    (void)state;
    for (event.slot = 0; event.slot < 4; event.slot++) {
        event.call = event.slot % 2 ? ACRE_TRACE_CALLOC : ACRE_TRACE_MALLOC;
        assert_null(replay_script_add(&script, &event));
    }
    assert_int_equal(script.facts.wides, 1);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(replay_op_zeroed(replay_op_at(&script, i), replay_wides(&script)), i % 2);
        assert_int_equal(layout_of(i), layout_of(0));
    }
}

static char dirty[4096];

static void *alloc_dirty(void *self, size_t size, size_t align)
{
    (void)self;
    (void)align;
    return size <= sizeof dirty ? dirty : NULL;
}

static void dealloc_dirty(void *self, void *ptr, size_t size, size_t align)
{
    (void)self;
    (void)size;
    (void)align;
    memset(ptr, 1, sizeof dirty);
}

static void *make_dirty(void *pool, size_t size)
{
    (void)size;
    return pool;
}

/* Allocates and frees a block of 64 dirty bytes, then asks for a zeroed one. */
static void expect_zeroed(const struct replay_backend *backend)
{
    static struct replay_wide zeroed = { .size = 64, .align = 16, .zeroed = 1 };
    static char pool[65536] __attribute__((aligned(4096)));
    const struct replay_op ops[] = { { 0, 64 },
        { 0, (uint32_t)REPLAY_DEALLOC << REPLAY_VERB_SHIFT }, { 0, REPLAY_WIDE } };
    struct replay_slot slot = { .ptr = NULL };
    struct replay_script toy = { .facts.align_log2 = 4, .wide_array.items = &zeroed };
    const struct replay_window window = { .ops = &ops[2], .count = 1, .wides = &zeroed };
    struct replay_instance instance;
    toy.facts.align_log2 = (uint32_t)__builtin_ctzl(ACRE_NATURAL_ALIGN);
    assert_true(replay_instance_open(&instance, backend, pool, sizeof pool));
    for (unsigned by_loop = 0; by_loop < 2; by_loop++) {
        assert_true(replay_step(&instance, ops[0], &toy, &slot));
        memset(slot.ptr, 1, 64);
        assert_true(replay_step(&instance, ops[1], &toy, &slot));
        if (by_loop)
            assert_int_equal(instance.loops->plain(&window, &instance, &slot), 0);
        else
            assert_true(replay_step(&instance, ops[2], &toy, &slot));
        for (unsigned i = 0; i < 64; i++)
            assert_int_equal(((char *)slot.ptr)[i], 0);
        assert_true(replay_step(&instance, ops[1], &toy, &slot));
    }
    replay_instance_close(&instance);
}

static void zeroed_blocks_are_zero(void **state)
{
    static const struct acre_plugin plugin = {
        .abi = ACRE_PLUGIN_ABI, .create = make_dirty, .alloc = alloc_dirty, .dealloc = dealloc_dirty
    };
    (void)state;
    expect_zeroed(&(struct replay_backend){ .type = REPLAY_PLUGIN, .plugin = &plugin });
    expect_zeroed(&(struct replay_backend){ .type = REPLAY_SYSTEM });
}

static void long_scripts_grow(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 300000; i++)
        assert_null(add_alloc(i, i % 4096, i % 3 ? 0 : 128));
    for (uint32_t i = 0; i < 300000; i += 1000) {
        assert_int_equal(replay_op_at(&script, i).slot, i);
        assert_int_equal(layout_of(i) >> REPLAY_ALIGN_BITS, replayed(i % 4096));
    }
}

/* What is read back from disk is what was put there, window by window and one by one. */
static void streamed_scripts_are_read_back(void **state)
{
    struct acre_trace_event end = { .op = ACRE_TRACE_PROCESS_END };
    struct replay_window window = { 0 };
    uint64_t seen = 0;
    (void)state;
    script.hold = 1000;
    for (uint32_t i = 0; i < 3 * REPLAY_WINDOW_OPS - 1; i++) {
        assert_int_equal(script.facts.streamed, i > 1000);
        assert_null(add_alloc(i, i % 1000, i % 3 ? 0 : 128));
    }
    assert_null(replay_script_add(&script, &end));
    assert_true(replay_script_map(&script));
    while (replay_script_next(&script, &window)) {
        assert_int_equal(window.first, seen);
        assert_true(window.count <= REPLAY_WINDOW_OPS);
        for (uint64_t i = 0; i < window.count; i++, seen++)
            assert_int_equal(window.ops[i].slot, seen);
    }
    assert_int_equal(seen, 3 * REPLAY_WINDOW_OPS - 1);
    for (uint32_t i = 0; i < seen; i += 999)
        assert_int_equal(layout_of(i) >> REPLAY_ALIGN_BITS, replayed(i % 1000));
    assert_true(script.facts.wides < 8192);
}

static uint32_t draw(void)
{
    static uint64_t state = 1;
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(state >> 32);
}

/* Every slot, verb and size, the extremes included, comes back from what is packed, and the room is
 * enough. */
static void operations_survive_packing(void **state)
{
    enum { COUNT = 4096 };
    static struct replay_op ops[COUNT], back[COUNT];
    static uint8_t packed[COUNT * REPLAY_PACKED_MOST];
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        uint32_t verb = draw() % 3;
        uint32_t size = (draw() & (REPLAY_SIZE_MASK | REPLAY_WIDE)) >> draw() % 30;
        ops[i].slot = i % 16 == 0 ? UINT32_MAX * (draw() & 1) : draw() >> draw() % 32;
        ops[i].what = verb << REPLAY_VERB_SHIFT | (verb == REPLAY_DEALLOC ? 0 : size);
    }
    ops[7].what = (uint32_t)REPLAY_REALLOC << REPLAY_VERB_SHIFT | REPLAY_WIDE | REPLAY_SIZE_MASK;
    assert_true(replay_pack_ops(packed, ops, COUNT) <= sizeof packed);
    replay_unpack_ops(back, COUNT, packed);
    assert_memory_equal(ops, back, sizeof ops);
    for (size_t i = 0; i < COUNT; i += 97) {
        struct replay_op op = replay_unpack_op(packed, i);
        assert_memory_equal(&ops[i], &op, sizeof op);
    }
}

/* Times on disk are lowered in place, window by window. */
static void times_on_disk_are_lowered(void **state)
{
    struct replay_facts facts = { .ops = REPLAY_WINDOW_OPS + 100, .streamed = true };
    struct replay_ticks ticks;
    (void)state;
    assert_true(replay_ticks_open(&ticks, &facts));
    for (uint32_t round = 0; round < 3; round++)
        for (uint32_t first = 0; first < facts.ops; first += REPLAY_WINDOW_OPS) {
            uint32_t count = first ? 100 : REPLAY_WINDOW_OPS;
            uint32_t *at = replay_ticks_at(&ticks, first, count);
            for (uint32_t i = 0; i < count; i++) {
                uint32_t before = (first + i) * 60001 >> 5 * round;
                assert_int_equal(
                    at[i], round ? (first + i) * 60001 >> 5 * (round - 1) : UINT32_MAX);
                at[i] = before;
            }
            assert_true(replay_ticks_keep(&ticks, first, count));
        }
    replay_ticks_close(&ticks);
}

static void a_new_process_begins_in_memory(void **state)
{
    (void)state;
    script.hold = 10;
    for (uint32_t i = 0; i < 100; i++)
        assert_null(add_alloc(i, 1, 0));
    replay_script_clear(&script);
    script.hold = 1000;
    for (uint32_t i = 0; i < 100; i++)
        assert_null(add_alloc(i, 2, 0));
    assert_false(script.facts.streamed);
    assert_int_equal(replay_op_at(&script, 99).slot, 99);
}

static void impossible_sizes_are_refused(void **state)
{
    (void)state;
    assert_non_null(add_alloc(0, UINT64_MAX, 0));
    assert_non_null(add_alloc(0, UINT64_C(1) << 62, 0));
    assert_non_null(add_alloc(0, 1, UINT64_C(1) << 63));
    assert_int_equal(script.facts.ops, 0);
}

static void impossible_sums_are_refused(void **state)
{
    uint64_t half = SIZE_MAX > UINT32_MAX ? UINT64_C(1) << 45 : UINT64_C(1) << 30;
    (void)state;
    assert_null(add_alloc(0, half, 0));
    assert_null(add_alloc(1, half, 0));
    assert_non_null(add_alloc(2, 1, 0));
    assert_non_null(add_resize(1, half, half + 1));
}

static void failed_calls_are_only_counted(void **state)
{
    struct acre_trace_event event = { .op = ACRE_TRACE_FAILED, .size = UINT64_MAX };
    (void)state;
    assert_null(replay_script_add(&script, &event));
    assert_int_equal(script.facts.refused, 1);
    assert_int_equal(script.facts.ops, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_script, close_script)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_interval_loses_its_maximum),
        TEST(process_is_described),
        TEST(live_bytes_are_counted),
        TEST(operations_keep_sizes_and_alignments),
        TEST(zeroed_blocks_are_told_apart),
        TEST(zeroed_blocks_are_zero),
        TEST(long_scripts_grow),
        TEST(streamed_scripts_are_read_back),
        TEST(operations_survive_packing),
        TEST(times_on_disk_are_lowered),
        TEST(a_new_process_begins_in_memory),
        TEST(impossible_sizes_are_refused),
        TEST(impossible_sums_are_refused),
        TEST(failed_calls_are_only_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
