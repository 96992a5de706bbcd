/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/** `acre record` against a program whose calls are known: every one is there, and in order. */
#include "record/harness.h"

/* ---- the sequence ---- */

static void expect_step(struct acre_trace_input *input, const struct step *step, uint32_t *slots)
{
    static const enum acre_trace_op ops[] = { ACRE_TRACE_ALLOC, ACRE_TRACE_ALLOC, ACRE_TRACE_ALLOC,
        ACRE_TRACE_RESIZE, ACRE_TRACE_FREE };
    struct acre_trace_event event = next(input);

    assert_int_equal(event.op, ops[step->call]);
    if (event.op == ACRE_TRACE_ALLOC)
        slots[step->block] = event.slot;
    else
        assert_int_equal(event.slot, slots[step->block]);
    assert_int_equal(event.size, step->call == STEP_FREE ? step->old_size : step->size);
    if (event.op == ACRE_TRACE_ALLOC) {
        assert_int_equal(event.align, step->align);
        assert_int_equal(event.call, (enum acre_trace_call)step->call);
    }
}

static void expect_sequence(struct acre_trace_input *input, uint64_t seed, unsigned steps)
{
    static struct sequence sequence;
    static uint32_t slots[SEQUENCE_BLOCKS];
    const struct acre_trace_event mark = seek_alloc(input, SEQUENCE_MARK);
    struct acre_trace_event event;

    sequence = (struct sequence){ .seed = seed };
    for (unsigned i = 0; i < steps; i++) {
        struct step step = sequence_next(&sequence);

        expect_step(input, &step, slots);
    }
    event = next(input);
    assert_int_equal(event.op, ACRE_TRACE_FREE);
    assert_int_equal(event.slot, mark.slot);
}

static void expect_sequence_alone(uint64_t seed, unsigned steps)
{
    struct acre_trace_input *input = open_trace();

    expect_sequence(input, seed, steps);
    acre_trace_input_close(input);
}

/* ---- tests ---- */

static void a_known_sequence_is_recorded_exactly(void **state)
{
    (void)state;
    assert_int_equal(record("", subject, "sequence"), 0);
    expect_nothing_lost(1);
    expect_sequence_alone(1, 100000);
    assert_true(was_said(" events, 1 process, 1 thread;"));
}

static void a_small_ring_is_enough(void **state)
{
    (void)state;
    assert_int_equal(record("--buffer=8K --quiet", subject, "sequence"), 0);
    expect_nothing_lost(1);
    expect_sequence_alone(1, 100000);
    assert_false(was_said("acre"));
}

static void threads_free_each_others_blocks(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(record(i ? "--buffer=8K" : "", subject, "threads"), 0);
        expect_nothing_lost(1);
        for (unsigned thread = 1; thread <= 4; thread++) {
            assert_int_equal(
                count_sizes(ACRE_TRACE_ALLOC, thread * 1000, thread * 1000 + 99), 20000);
            assert_int_equal(
                count_sizes(ACRE_TRACE_FREE, thread * 1000, thread * 1000 + 99), 20000);
        }
        assert_true(was_said(" 5 threads"));
    }
}

static void each_threads_calls_keep_their_order(void **state)
{
    unsigned seen[16] = { 0 };
    unsigned thread_of[5] = { 0 };
    struct acre_trace_input *input;
    struct acre_trace_event event;

    (void)state;
    assert_int_equal(record("", subject, "threads"), 0);
    input = open_trace();
    do {
        unsigned which;

        event = next(input);
        which = (unsigned)event.size / 1000;
        if (event.op != ACRE_TRACE_ALLOC || which < 1 || which > 4 || event.size % 1000 > 99)
            continue;
        assert_true(event.thread < 16);
        if (!thread_of[which])
            thread_of[which] = event.thread;
        assert_int_equal(event.thread, thread_of[which]);
        assert_int_equal(event.size % 1000, seen[event.thread]++ % 100);
    } while (event.op != ACRE_TRACE_END);
    acre_trace_input_close(input);
}

static void a_forked_child_inherits_its_parents_blocks(void **state)
{
    struct acre_trace_input *input;
    struct acre_trace_event event, section;
    unsigned inherited = 0;

    (void)state;
    assert_int_equal(record("", subject, "fork"), 0);
    expect_nothing_lost(2);
    input = open_trace();
    section = next(input);
    assert_int_equal(section.about->origin, ACRE_TRACE_STARTED);
    seek_op(input, ACRE_TRACE_PROCESS_END);
    section = next(input);
    assert_int_equal(section.about->origin, ACRE_TRACE_FORKED);
    assert_int_equal(section.process, 1);
    for (uint64_t left = section.about->inherited; left; left--) {
        event = next(input);
        assert_true(event.op == ACRE_TRACE_ALLOC && event.inherited);
        inherited += event.size >= 7001 && event.size <= 7010;
    }
    assert_int_equal(inherited, 10);
    for (unsigned i = 0; i < 5; i++) {
        event = next(input);
        assert_int_equal(event.op, ACRE_TRACE_FREE);
        assert_int_equal(event.size, 7001 + i);
    }
    for (unsigned i = 0; i < 3; i++) {
        event = next(input);
        assert_int_equal(event.op, ACRE_TRACE_ALLOC);
        assert_int_equal(event.size, 8001 + i);
        assert_false(event.inherited);
    }
    event = next(input);
    assert_int_equal(event.op, ACRE_TRACE_PROCESS_END);
    acre_trace_input_close(input);
}

static void a_fork_past_the_library_does_not_harm_the_parent(void **state)
{
    (void)state;
    assert_int_equal(record("", subject, "raw-fork"), 0);
    assert_int_equal(totals().processes, 2);
    assert_int_equal(totals().unmatched, 5);
    assert_int_equal(count_sizes(ACRE_TRACE_ALLOC, 7001, 7010), 10);
    assert_int_equal(count_sizes(ACRE_TRACE_FREE, 7006, 7010), 5);
    assert_int_equal(count_sizes(ACRE_TRACE_ALLOC, 8001, 8003), 3);
}

static void many_forks_beside_a_thread(void **state)
{
    (void)state;
    assert_int_equal(record("", subject, "fork-many"), 0);
    assert_int_equal(totals().processes, 101);
    assert_int_equal(totals().unmatched, 0);
    assert_int_equal(count_sizes(ACRE_TRACE_ALLOC, 7001, 7001), 100);
    assert_int_equal(count_sizes(ACRE_TRACE_ALLOC, 1000, 1099), 20000);
}

static void programs_executed_are_sections_of_their_own(void **state)
{
    static const char *const modes[] = { "exec", "vfork", "spawn" };
    enum { AT_ONCE = 1 }; /* whichever of the two calls first has the first section */

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct acre_trace_input *input;

        assert_int_equal(record("", subject, modes[i]), 0);
        expect_nothing_lost(2);
        input = open_trace();
        seek_alloc(input, 7001);
        if (i == AT_ONCE)
            assert_int_equal(acre_trace_input_rewind(input), ACRE_TRACE_OK);
        else
            seek_op(input, ACRE_TRACE_PROCESS);
        expect_sequence(input, 2, 1000);
        acre_trace_input_close(input);
    }
}

static void expect_failed(
    struct acre_trace_input *input, enum acre_trace_call call, uint64_t size, uint64_t align)
{
    struct acre_trace_event event = next(input);

    assert_int_equal(event.op, ACRE_TRACE_FAILED);
    assert_int_equal(event.call, call);
    assert_true(event.size == size);
    assert_true(event.align == align);
}

static void failed_calls_are_recorded(void **state)
{
    struct acre_trace_input *input;
    struct acre_trace_event event;

    (void)state;
    assert_int_equal(record("", subject, "failed"), 0);
    expect_nothing_lost(1);
    input = open_trace();
    seek_alloc(input, SEQUENCE_MARK);
    expect_failed(input, ACRE_TRACE_MALLOC, PTRDIFF_MAX, 0);
    expect_failed(input, ACRE_TRACE_CALLOC, SIZE_MAX, 0);
    expect_failed(input, ACRE_TRACE_REALLOC, PTRDIFF_MAX, 0);
    expect_failed(input, ACRE_TRACE_REALLOC, SIZE_MAX, 0);
    expect_failed(input, ACRE_TRACE_MEMALIGN, PTRDIFF_MAX, 64);
    event = next(input);
    assert_int_equal(event.op, ACRE_TRACE_FREE);
    assert_int_equal(event.size, SEQUENCE_MARK);
    acre_trace_input_close(input);
}

static void expect_pair(
    struct acre_trace_input *input, enum acre_trace_call call, uint64_t size, uint64_t align)
{
    struct acre_trace_event event = next(input);

    assert_int_equal(event.op, ACRE_TRACE_ALLOC);
    assert_int_equal(event.call, call);
    assert_int_equal(event.size, size);
    assert_int_equal(event.align, align);
    event = next(input);
    assert_int_equal(event.op, ACRE_TRACE_FREE);
    assert_int_equal(event.size, size);
}

static void every_call_has_its_kind(void **state)
{
    struct acre_trace_input *input;
    struct acre_trace_event event;

    (void)state;
    assert_int_equal(record("", subject, "kinds"), 0);
    expect_nothing_lost(1);
    input = open_trace();
    seek_alloc(input, SEQUENCE_MARK);
    expect_pair(input, ACRE_TRACE_MALLOC, 11, 0);
    expect_pair(input, ACRE_TRACE_CALLOC, 12, 0);
    expect_pair(input, ACRE_TRACE_MEMALIGN, 128, 64);
    expect_pair(input, ACRE_TRACE_MEMALIGN, 13, (uint64_t)sysconf(_SC_PAGESIZE));
    event = next(input);
    assert_int_equal(event.size, 1);
    event = next(input);
    assert_int_equal(event.op, ACRE_TRACE_RESIZE);
    assert_int_equal(event.old_size, 1);
    assert_int_equal(event.size, 14);
    event = next(input);
    assert_int_equal(event.op, ACRE_TRACE_FREE);
    expect_pair(input, ACRE_TRACE_MALLOC, 15, 0);
    event = next(input);
    assert_int_equal(event.op, ACRE_TRACE_FREE);
    assert_int_equal(event.size, SEQUENCE_MARK);
    acre_trace_input_close(input);
}

static void closed_descriptors_do_not_matter(void **state)
{
    (void)state;
    assert_int_equal(record("", subject, "closed"), 0);
    expect_nothing_lost(1);
    expect_sequence_alone(2, 1000);
    assert_int_equal(count_sizes(ACRE_TRACE_ALLOC, 1000, 1000) >= 20, true);
}

static void times_rise(void **state)
{
    struct acre_trace_input *input;
    struct acre_trace_event event;
    uint64_t before = 0;

    (void)state;
    assert_int_equal(record("--times", subject, "short"), 0);
    input = open_trace();
    do {
        event = next(input);
        if (event.op == ACRE_TRACE_END || event.op == ACRE_TRACE_PROCESS)
            continue;
        assert_true(event.time_ns >= before);
        before = event.time_ns;
    } while (event.op != ACRE_TRACE_END);
    assert_true(before > 1000);
    acre_trace_input_close(input);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_sequence_is_recorded_exactly),
        cmocka_unit_test(a_small_ring_is_enough),
        cmocka_unit_test(threads_free_each_others_blocks),
        cmocka_unit_test(each_threads_calls_keep_their_order),
        cmocka_unit_test(a_forked_child_inherits_its_parents_blocks),
        cmocka_unit_test(a_fork_past_the_library_does_not_harm_the_parent),
        cmocka_unit_test(many_forks_beside_a_thread),
        cmocka_unit_test(programs_executed_are_sections_of_their_own),
        cmocka_unit_test(failed_calls_are_recorded),
        cmocka_unit_test(every_call_has_its_kind),
        cmocka_unit_test(closed_descriptors_do_not_matter),
        cmocka_unit_test(times_rise),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
