/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Scripts split by thread, and their replay on threads. */
#include "replay/threads.h"
#include "replay/runs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <cmocka.h>

#define MOST_BLOCKS 512u

static struct replay_script script;
static struct replay_threads_outcome outcome;

/* ---- scripts ---- */

static int open_script(void **state)
{
    static const struct acre_trace_process about = { .pid = 3, .name = "threads" };
    struct acre_trace_event event = { .op = ACRE_TRACE_PROCESS, .about = &about };
    (void)state;
    return replay_script_open(&script, REPLAY_HOLD) && !replay_script_add(&script, &event) ? 0 : -1;
}

static int close_script(void **state)
{
    (void)state;
    replay_script_close(&script);
    return 0;
}

static void add_event(
    enum acre_trace_op op, uint32_t thread, uint32_t slot, uint64_t old_size, uint64_t size)
{
    const struct acre_trace_event event = {
        .op = op, .thread = thread, .slot = slot, .old_size = old_size, .size = size
    };
    assert_null(replay_script_add(&script, &event));
}

static void add_alloc(uint32_t thread, uint32_t slot, uint64_t size)
{
    add_event(ACRE_TRACE_ALLOC, thread, slot, 0, size);
}

static void add_free(uint32_t thread, uint32_t slot, uint64_t size)
{
    add_event(ACRE_TRACE_FREE, thread, slot, 0, size);
}

static void add_resize(uint32_t thread, uint32_t slot, uint64_t old_size, uint64_t size)
{
    add_event(ACRE_TRACE_RESIZE, thread, slot, old_size, size);
}

static void end_script(void)
{
    add_event(ACRE_TRACE_PROCESS_END, 0, 0, 0, 0);
    replay_split(&script);
}

static unsigned draw(unsigned *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* One operation on a block of `old_size` bytes, 0: there is none. @return its size from then on. */
static uint64_t add_any(unsigned *seed, uint32_t thread, uint32_t slot, uint64_t old_size)
{
    uint64_t size = 1 + draw(seed) % 700;
    bool resizes_it = draw(seed) % 4 == 0;
    if (!old_size)
        add_alloc(thread, slot, size);
    else if (resizes_it)
        add_resize(thread, slot, old_size, size);
    else
        add_free(thread, slot, old_size);
    return old_size && !resizes_it ? 0 : size;
}

/* Any of `threads` allocates, resizes and frees any block; all are freed at the end if `ends`. */
static void add_crossing(unsigned count, uint32_t threads, bool ends)
{
    uint64_t sizes[MOST_BLOCKS] = { 0 };
    unsigned seed = 7;
    for (unsigned i = 0; i < count; i++) {
        uint32_t slot = draw(&seed) % MOST_BLOCKS;
        uint32_t thread = draw(&seed) % threads;
        sizes[slot] = add_any(&seed, thread, slot, sizes[slot]);
    }
    for (uint32_t slot = 0; ends && slot < MOST_BLOCKS; slot++)
        if (sizes[slot])
            add_free(slot % threads, slot, sizes[slot]);
    end_script();
}

/* ---- allocators ---- */

static atomic_uint allocs, frees, resizes, live, inside, most_inside;

static void *count_create(void *pool, size_t size)
{
    (void)pool;
    (void)size;
    allocs = frees = resizes = live = inside = most_inside = 0;
    return &live;
}

static void count_enter(void)
{
    if (++inside > 1)
        most_inside = 2;
}

static void *count_alloc(void *self, size_t size, size_t align)
{
    count_enter();
    (void)self;
    (void)align;
    allocs++;
    live++;
    void *ptr = malloc(size);
    inside--;
    return ptr;
}

static void count_dealloc(void *self, void *ptr, size_t size, size_t align)
{
    count_enter();
    (void)self;
    (void)size;
    (void)align;
    frees++;
    live--;
    free(ptr);
    inside--;
}

static void *count_realloc(void *self, void *ptr, size_t old_size, size_t new_size, size_t align)
{
    count_enter();
    (void)self;
    (void)old_size;
    (void)align;
    resizes++;
    void *moved = realloc(ptr, new_size);
    inside--;
    return moved;
}

static const struct acre_plugin counting = { .abi = ACRE_PLUGIN_ABI,
    .flags = ACRE_PLUGIN_OWN_MEMORY,
    .name = "counting",
    .create = count_create,
    .alloc = count_alloc,
    .dealloc = count_dealloc,
    .realloc = count_realloc };

static char arena[4096];

/* Every block is the same one. */
static void *same_alloc(void *self, size_t size, size_t align)
{
    (void)self;
    (void)size;
    (void)align;
    return arena;
}

static void same_dealloc(void *self, void *ptr, size_t size, size_t align)
{
    (void)self;
    (void)ptr;
    (void)size;
    (void)align;
}

static const struct acre_plugin same = { .abi = ACRE_PLUGIN_ABI,
    .flags = ACRE_PLUGIN_OWN_MEMORY,
    .name = "same",
    .create = count_create,
    .alloc = same_alloc,
    .dealloc = same_dealloc };

static void *no_alloc(void *self, size_t size, size_t align)
{
    (void)self;
    (void)size;
    (void)align;
    return NULL;
}

static const struct acre_plugin none = { .abi = ACRE_PLUGIN_ABI,
    .flags = ACRE_PLUGIN_OWN_MEMORY,
    .name = "none",
    .create = count_create,
    .alloc = no_alloc,
    .dealloc = same_dealloc };

static bool run_on(const struct acre_plugin *plugin, const struct replay_threads_order *order)
{
    const struct replay_backend backend = {
        .type = plugin ? REPLAY_PLUGIN : REPLAY_SYSTEM, .name = "under test", .plugin = plugin
    };
    struct replay_instance instance;
    assert_true(replay_instance_open(&instance, &backend, NULL, 0));
    bool done = replay_run_threads(&script, &instance, order, &outcome);
    replay_instance_close(&instance);
    return done;
}

static const struct replay_threads_order checked = { .checks = true };
static const struct replay_threads_order timed = { .checks = false };

/* ---- how a script is split ---- */

/* Each thread's operations are all there, in the order in which they were recorded. */
static void assert_order_is_kept(void)
{
    const struct replay_part *parts = script.part_array.items;
    const struct replay_op *items = script.sequence_array.items;
    const struct replay_op *ops = script.op_array.items;
    uint64_t next[256] = { 0 };
    uint32_t part_of[256] = { 0 };
    struct replay_runs runs = { 0 };
    uint64_t sum = 0;
    for (uint32_t i = 0; i < script.facts.parts; i++) {
        part_of[parts[i].thread] = i;
        next[i] = parts[i].first;
        sum += parts[i].ops;
    }
    assert_int_equal(sum, script.facts.ops);
    for (uint64_t at = 0; replay_runs_next(&runs, &script);)
        for (uint64_t end = at + runs.count; at < end; at++) {
            uint64_t *item = &next[part_of[runs.thread]];
            while (replay_is_mark(items[*item]))
                ++*item;
            assert_int_equal(items[(*item)++].what, ops[at].what);
        }
}

static void each_thread_keeps_its_order(void **state)
{
    (void)state;
    add_crossing(20000, 5, true);
    assert_int_equal(script.facts.threads, 5);
    assert_int_equal(script.facts.sequences, 5);
    assert_int_equal(script.facts.parts, 5);
    assert_true(script.facts.crossings > 5000);
    assert_order_is_kept();
}

/* Slots that many threads use in turn are not what they wait for: only a block that crosses is. */
static void only_blocks_cross(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5000; i++) {
        add_alloc(i % 2, 0, 100);
        add_free(i % 2, 0, 100);
    }
    end_script();
    assert_int_equal(script.facts.slots, 1);
    assert_int_equal(script.facts.sequences, 2);
    assert_int_equal(script.facts.crossings, 0);
    assert_order_is_kept();
}

/* One thread allocates what the other frees: the slots that are free go back. */
static void slots_are_few_however_long_the_script(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 100000; i++) {
        add_alloc(0, 0, 100);
        add_free(1, 0, 100);
    }
    end_script();
    assert_true(script.facts.crossings >= 100000);
    assert_true(script.facts.sequence_slots < 10000);
    assert_true(run_on(&counting, &checked));
    assert_int_equal(outcome.ops, 200000);
    assert_string_equal(outcome.fault, "");
    assert_int_equal(live, 0);
}

static void threads_that_follow_one_another_share_a_sequence(void **state)
{
    (void)state;
    for (uint32_t thread = 0; thread < 200; thread++) {
        add_alloc(thread, thread % 2, 50);
        if (thread)
            add_free(thread, (thread + 1) % 2, 50);
    }
    add_free(0, 1, 50);
    end_script();
    assert_int_equal(script.facts.sequences, 2); /* the first thread lasts to the end */
    assert_int_equal(script.facts.parts, 200);
    assert_order_is_kept();
    assert_true(run_on(&counting, &checked));
    assert_int_equal(outcome.ops, script.facts.ops);
    assert_string_equal(outcome.fault, "");
    assert_int_equal(live, 0);
}

/* Working sets that are handed from thread to thread, in several sequences at once. */
static void successors_take_over(void **state)
{
    enum { SETS = 3, LIVES = 40, STEPS = 50, BLOCKS = 16 };
    unsigned seed = 3;
    (void)state;
    for (uint32_t set = 0; set < SETS; set++)
        for (uint32_t block = 0; block < BLOCKS; block++)
            add_alloc(0, set * BLOCKS + block, 10);
    for (uint32_t i = 0; i < LIVES * STEPS * SETS; i++) {
        uint32_t set = draw(&seed) % SETS;
        uint32_t slot = set * BLOCKS + draw(&seed) % BLOCKS;
        uint32_t thread = 1 + set + SETS * (i / (STEPS * SETS));
        add_free(thread, slot, 10);
        add_alloc(thread, slot, 10);
    }
    end_script();
    assert_int_equal(script.facts.sequences, SETS);
    assert_true(script.facts.parts > 100);
    assert_order_is_kept();
    for (int round = 0; round < 5; round++) {
        assert_true(run_on(round % 2 ? &counting : NULL, &checked));
        assert_int_equal(outcome.ops, script.facts.ops);
        assert_string_equal(outcome.fault, "");
    }
}

static void more_threads_than_sequences_share_them(void **state)
{
    (void)state;
    add_crossing(30000, 200, true);
    assert_int_equal(script.facts.threads, 200);
    assert_int_equal(script.facts.sequences, REPLAY_MOST_SEQUENCES);
    assert_true(run_on(NULL, &checked));
    assert_int_equal(outcome.ops, script.facts.ops);
    assert_string_equal(outcome.fault, "");
}

static void one_thread_is_not_split(void **state)
{
    (void)state;
    add_crossing(1000, 1, true);
    assert_int_equal(script.facts.threads, 1);
    assert_int_equal(script.facts.sequences, 0);
}

static void a_script_on_disk_is_not_split(void **state)
{
    (void)state;
    replay_script_close(&script);
    assert_true(replay_script_open(&script, 1000 * sizeof(struct replay_op)));
    add_crossing(3000, 3, true);
    assert_true(script.facts.streamed);
    assert_int_equal(script.facts.sequences, 0);
}

/* ---- how it is replayed ---- */

static void all_operations_are_made_behind_one_lock(void **state)
{
    (void)state;
    add_crossing(20000, 4, true);
    assert_true(run_on(&counting, &checked));
    assert_string_equal(outcome.fault, "");
    assert_int_equal(outcome.ops, script.facts.ops);
    assert_int_equal(outcome.failed, 0);
    assert_int_equal(allocs, script.facts.allocs);
    assert_int_equal(frees, script.facts.deallocs);
    assert_int_equal(resizes, script.facts.reallocs);
    assert_int_equal(live, 0);
    assert_int_equal(most_inside, 0);
}

static void blocks_cross_in_both_directions(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5000; i++) {
        add_alloc(0, 0, 40 + i % 100);
        add_alloc(1, 1, 30);
        add_resize(1, 0, 40 + i % 100, 300);
        add_free(0, 1, 30);
        add_resize(2, 0, 300, 20);
        add_free(0, 0, 20);
    }
    end_script();
    assert_int_equal(script.facts.sequences, 3);
    assert_order_is_kept();
    for (int round = 0; round < 3; round++) {
        assert_true(run_on(NULL, round ? &checked : &timed));
        assert_string_equal(outcome.fault, "");
        assert_int_equal(outcome.ops, script.facts.ops);
        assert_int_equal(outcome.failed, 0);
        assert_true(outcome.elapsed_ns > 0);
    }
}

static void work_in_between_takes_time(void **state)
{
    const struct replay_threads_order order = { .think_ns = 2000.0 };
    (void)state;
    add_crossing(2000, 2, true);
    assert_true(run_on(NULL, &order));
    assert_int_equal(outcome.ops, script.facts.ops);
    assert_true(outcome.busy_ns > script.facts.ops * 500);
}

/* What a trace that is truncated leaves live is freed at the end, and was not damaged. */
static void what_is_left_live_is_freed(void **state)
{
    (void)state;
    add_crossing(5000, 3, false);
    assert_true(script.facts.left_live > 0);
    assert_true(run_on(&counting, &checked));
    assert_string_equal(outcome.fault, "");
    assert_int_equal(outcome.ops, script.facts.ops);
    assert_int_equal(frees, script.facts.deallocs + script.facts.left_live);
    assert_int_equal(live, 0);
}

static void a_broken_allocator_is_found(void **state)
{
    (void)state;
    for (uint32_t thread = 0; thread < 2; thread++) { /* one after the other: no data race */
        add_alloc(thread, 0, 100);
        add_alloc(thread, 1, 100);
        add_free(thread, 0, 100);
        add_free(thread, 1, 100);
    }
    end_script();
    assert_int_equal(script.facts.sequences, 1);
    assert_true(run_on(&same, &checked));
    assert_non_null(strstr(outcome.fault, "overwritten"));
}

/* Whoever waits for a block that could not be had goes on. */
static void failures_are_counted(void **state)
{
    (void)state;
    add_crossing(5000, 3, true);
    assert_true(run_on(&none, &checked));
    assert_int_equal(outcome.ops, script.facts.ops);
    assert_int_equal(outcome.failed, script.facts.allocs + script.facts.reallocs);
    assert_string_equal(outcome.fault, "");
}

static void patience_ends_a_replay(void **state)
{
    const struct replay_threads_order order = { .think_ns = 10000.0, .patience_ns = 1000000 };
    (void)state;
    add_crossing(200000, 3, true);
    assert_true(run_on(&counting, &order));
    assert_true(outcome.ops < script.facts.ops);
    assert_int_equal(live, 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, open_script, close_script)
    const struct CMUnitTest cases[] = {
        CASE(each_thread_keeps_its_order),
        CASE(only_blocks_cross),
        CASE(slots_are_few_however_long_the_script),
        CASE(threads_that_follow_one_another_share_a_sequence),
        CASE(successors_take_over),
        CASE(more_threads_than_sequences_share_them),
        CASE(one_thread_is_not_split),
        CASE(a_script_on_disk_is_not_split),
        CASE(all_operations_are_made_behind_one_lock),
        CASE(blocks_cross_in_both_directions),
        CASE(work_in_between_takes_time),
        CASE(what_is_left_live_is_freed),
        CASE(a_broken_allocator_is_found),
        CASE(failures_are_counted),
        CASE(patience_ends_a_replay),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
