/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/** The collector against rings written by hand: what a program cannot be made to do at will. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tool/record/spool_process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOG2 = 8, CAPACITY = 1 << LOG2, RING_SIZE = SPOOL_PAGE + CAPACITY * 32 };

static char folder[] = "/tmp/acre-test-spool-XXXXXX";

/* ---- a ring ---- */

struct bench {
    struct spool_process process;
    struct spool_file file;
    char trace[64];
    struct spool_ring *ring;
    struct spool_event *events;
    uint64_t next;
};

static void set_up_ring(struct bench *bench, uint32_t number)
{
    char path[4096];
    int fd;

    snprintf(bench->trace, sizeof bench->trace, "%s/trace-%u", folder, number);
    bench->file = (struct spool_file){ .fd = open(bench->trace, O_WRONLY | O_CREAT, 0600) };
    assert_true(bench->file.fd >= 0);
    bench->process = spool_process_new(folder, &bench->file, number, LOG2);
    bench->next = 0;
    spool_process_path(&bench->process, path);
    fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, RING_SIZE), 0);
    bench->ring = mmap(NULL, RING_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(bench->ring != MAP_FAILED);
    close(fd);
    bench->events = (void *)((char *)bench->ring + SPOOL_PAGE);
    bench->ring->pid = 100 + number;
    bench->ring->allocated = CAPACITY;
    strcpy(bench->ring->name, "bench");
}

static void set_up(struct bench *bench, uint32_t number)
{
    set_up_ring(bench, number);
    atomic_store(&bench->ring->ready, 1);
    spool_process_look(&bench->process);
    assert_true(bench->process.seen && bench->process.heir);
}

static void put_at(struct bench *bench, uint64_t order, unsigned op, uint32_t thread,
    uint64_t address, uint64_t size)
{
    struct spool_event *event = &bench->events[order % CAPACITY];

    event->address = address;
    event->size = size;
    atomic_store(&event->head, spool_head(order, LOG2, thread, 6, op));
}

static void put(struct bench *bench, unsigned op, uint32_t thread, uint64_t address, uint64_t size)
{
    put_at(bench, bench->next++, op, thread, address, size);
}

static size_t collect(struct bench *bench)
{
    return spool_process_read(&bench->process, SIZE_MAX, SPOOL_RUNNING);
}

static struct acre_trace_input *open_trace(const struct bench *bench)
{
    struct acre_trace_input *input = acre_trace_input_open(bench->trace, 0);

    assert_non_null(input);
    return input;
}

/** Ends the section and opens the trace that it makes alone. */
static struct acre_trace_input *finish(struct bench *bench)
{
    struct acre_trace_input *input;

    spool_process_read(&bench->process, SIZE_MAX, SPOOL_FINAL);
    spool_process_end(&bench->process);
    assert_int_equal(bench->process.error, 0);
    assert_int_equal(acre_trace_output_close(bench->file.output), ACRE_TRACE_OK);
    spool_process_release(&bench->process);
    munmap(bench->ring, RING_SIZE);
    input = open_trace(bench);
    unlink(bench->trace);
    return input;
}

static struct acre_trace_event expect(
    struct acre_trace_input *input, enum acre_trace_op op, uint64_t size)
{
    struct acre_trace_event event;

    if (acre_trace_input_next(input, &event) != ACRE_TRACE_OK)
        fail_msg("%s", acre_trace_input_message(input));
    assert_int_equal(event.op, op);
    assert_int_equal(event.size, size);
    return event;
}

static void expect_end(struct acre_trace_input *input, uint64_t lost, uint64_t unmatched)
{
    struct acre_trace_event event = expect(input, ACRE_TRACE_PROCESS_END, 0);

    assert_int_equal(event.totals.lost, lost);
    assert_int_equal(event.totals.unmatched, unmatched);
    expect(input, ACRE_TRACE_END, 0);
    acre_trace_input_close(input);
}

/* ---- tests ---- */

static void an_event_is_read_once_it_is_there(void **state)
{
    struct bench bench;
    struct acre_trace_input *input;

    (void)state;
    set_up(&bench, 0);
    assert_int_equal(collect(&bench), 0);
    put(&bench, SPOOL_MALLOC, 0, 0x1000, 10);
    assert_int_equal(collect(&bench), 1);
    assert_int_equal(bench.ring->tail, 1);
    assert_int_equal(collect(&bench), 0);
    input = finish(&bench);
    expect(input, ACRE_TRACE_PROCESS, 0);
    expect(input, ACRE_TRACE_ALLOC, 10);
    expect_end(input, 0, 0);
}

static void a_missing_event_is_waited_for(void **state)
{
    struct bench bench;
    struct acre_trace_input *input;

    (void)state;
    set_up(&bench, 0);
    put_at(&bench, 1, SPOOL_FREE, 1, 0x1000, 0);
    assert_int_equal(collect(&bench), 0);
    put_at(&bench, 0, SPOOL_MALLOC, 0, 0x1000, 10);
    assert_int_equal(collect(&bench), 2);
    /* The wait for one is not held against the next. */
    bench.process.patience_ns = UINT64_MAX / 2;
    put_at(&bench, 3, SPOOL_FREE, 1, 0x2000, 0);
    assert_int_equal(collect(&bench), 0);
    put_at(&bench, 2, SPOOL_MALLOC, 0, 0x2000, 20);
    bench.process.stalled_since_ns = 1;
    bench.process.stalled_at = 0;
    put_at(&bench, 5, SPOOL_FREE, 1, 0x3000, 0);
    bench.process.patience_ns = 1000000000000;
    assert_int_equal(collect(&bench), 2);
    put_at(&bench, 4, SPOOL_MALLOC, 0, 0x3000, 30);
    assert_int_equal(collect(&bench), 2);
    input = finish(&bench);
    expect(input, ACRE_TRACE_PROCESS, 0);
    for (uint64_t size = 10; size <= 30; size += 10) {
        expect(input, ACRE_TRACE_ALLOC, size);
        expect(input, ACRE_TRACE_FREE, size);
    }
    expect_end(input, 0, 0);
}

static void a_missing_event_is_given_up_in_the_end(void **state)
{
    struct bench bench;
    struct acre_trace_input *input;

    (void)state;
    for (int while_running = 0; while_running < 2; while_running++) {
        set_up(&bench, 0);
        bench.process.patience_ns = while_running ? 0 : UINT64_MAX;
        put_at(&bench, 2, SPOOL_MALLOC, 0, 0x1000, 10);
        assert_int_equal(collect(&bench), while_running);
        input = finish(&bench);
        expect(input, ACRE_TRACE_PROCESS, 0);
        expect(input, ACRE_TRACE_ALLOC, 10);
        expect_end(input, 2, 0);
    }
}

static void the_ring_goes_round(void **state)
{
    struct bench bench;
    struct acre_trace_input *input;

    (void)state;
    set_up(&bench, 0);
    for (unsigned lap = 0; lap < 5; lap++) {
        for (unsigned i = 0; i < CAPACITY; i++)
            put(&bench, SPOOL_MALLOC, 0, 0x1000 + 16 * bench.next, lap * CAPACITY + i);
        assert_int_equal(collect(&bench), CAPACITY);
        assert_int_equal(bench.ring->tail, bench.next);
    }
    input = finish(&bench);
    expect(input, ACRE_TRACE_PROCESS, 0);
    for (unsigned i = 0; i < 5 * CAPACITY; i++)
        expect(input, ACRE_TRACE_ALLOC, i);
    expect_end(input, 0, 0);
}

static void nothing_is_read_past_the_room_in_the_file(void **state)
{
    struct bench bench;
    struct acre_trace_input *input;

    (void)state;
    set_up(&bench, 0);
    atomic_store(&bench.ring->allocated, 1);
    put(&bench, SPOOL_MALLOC, 0, 0x1000, 10);
    put(&bench, SPOOL_MALLOC, 0, 0x2000, 20);
    assert_int_equal(collect(&bench), 1);
    atomic_store(&bench.ring->allocated, CAPACITY);
    assert_int_equal(collect(&bench), 1);
    input = finish(&bench);
    expect(input, ACRE_TRACE_PROCESS, 0);
    expect(input, ACRE_TRACE_ALLOC, 10);
    expect(input, ACRE_TRACE_ALLOC, 20);
    expect_end(input, 0, 0);
}

static void resizes_of_two_threads_cross(void **state)
{
    struct bench bench;
    struct acre_trace_input *input;
    struct acre_trace_event event;

    (void)state;
    set_up(&bench, 0);
    put(&bench, SPOOL_MALLOC, 0, 0x1000, 10);
    put(&bench, SPOOL_MALLOC, 1, 0x2000, 20);
    put(&bench, SPOOL_RESIZE_BEGIN, 0, 0x1000, 11);
    put(&bench, SPOOL_RESIZE_BEGIN, 1, 0x2000, 21);
    /* The second gets the place that the first has left. */
    put(&bench, SPOOL_RESIZE_END, 1, 0x1000, 21);
    put(&bench, SPOOL_RESIZE_END, 0, 0x3000, 11);
    put(&bench, SPOOL_FREE, 0, 0x1000, 0);
    input = finish(&bench);
    expect(input, ACRE_TRACE_PROCESS, 0);
    expect(input, ACRE_TRACE_ALLOC, 10);
    expect(input, ACRE_TRACE_ALLOC, 20);
    event = expect(input, ACRE_TRACE_RESIZE, 21);
    assert_int_equal(event.slot, 1);
    assert_int_equal(event.thread, 1);
    event = expect(input, ACRE_TRACE_RESIZE, 11);
    assert_int_equal(event.slot, 0);
    event = expect(input, ACRE_TRACE_FREE, 21);
    assert_int_equal(event.slot, 1);
    expect_end(input, 0, 0);
}

static void odd_resizes_are_told_apart(void **state)
{
    struct bench bench;
    struct acre_trace_input *input;
    struct acre_trace_event event;

    (void)state;
    set_up(&bench, 0);
    put(&bench, SPOOL_MALLOC, 0, 0x1000, 10);
    put(&bench, SPOOL_RESIZE_BEGIN, 0, 0x1000, 99); /* fails: the block stays */
    put(&bench, SPOOL_RESIZE_END, 0, 0, 99);
    put(&bench, SPOOL_RESIZE_BEGIN, 0, 0x1000, 0); /* frees it */
    put(&bench, SPOOL_RESIZE_END, 0, 0, 0);
    put(&bench, SPOOL_RESIZE_BEGIN, 0, 0x5000, 50); /* of a block not known: a new one */
    put(&bench, SPOOL_RESIZE_END, 0, 0x6000, 50);
    put(&bench, SPOOL_RESIZE_END, 0, 0x7000, 70);   /* its beginning was lost */
    put(&bench, SPOOL_RESIZE_BEGIN, 0, 0x6000, 60); /* the process ends within */
    input = finish(&bench);
    expect(input, ACRE_TRACE_PROCESS, 0);
    expect(input, ACRE_TRACE_ALLOC, 10);
    event = expect(input, ACRE_TRACE_FAILED, 99);
    assert_true(event.has_slot && event.old_size == 10);
    expect(input, ACRE_TRACE_FREE, 10);
    expect(input, ACRE_TRACE_ALLOC, 50);
    expect(input, ACRE_TRACE_ALLOC, 70);
    expect_end(input, 0, 2);
}

static void contradictions_are_counted(void **state)
{
    struct bench bench;
    struct acre_trace_input *input;

    (void)state;
    set_up(&bench, 0);
    put(&bench, SPOOL_FREE, 0, 0x9000, 0); /* never allocated */
    put(&bench, SPOOL_MALLOC, 0, 0x1000, 10);
    put(&bench, SPOOL_MEMALIGN, 0, 0x1000, 20); /* its free was not seen */
    put(&bench, SPOOL_CALLOC, 0, 0, 30);
    atomic_store(&bench.ring->lost, 5);
    input = finish(&bench);
    expect(input, ACRE_TRACE_PROCESS, 0);
    expect(input, ACRE_TRACE_ALLOC, 10);
    expect(input, ACRE_TRACE_FREE, 10);
    assert_int_equal(expect(input, ACRE_TRACE_ALLOC, 20).align, 64);
    assert_int_equal(expect(input, ACRE_TRACE_FAILED, 30).call, ACRE_TRACE_CALLOC);
    expect_end(input, 6, 1);
}

static void a_child_gets_the_heap_of_the_fork(void **state)
{
    struct bench parent, child;
    struct acre_trace_input *input;

    (void)state;
    set_up(&parent, 0);
    set_up_ring(&child, 1);
    child.ring->forked = 1;
    child.ring->has_fork_order = 1;
    child.ring->fork_order = 3;
    atomic_store(&child.ring->ready, 1);
    spool_process_look(&child.process);
    assert_true(child.process.seen && !child.process.heir);
    put(&child, SPOOL_FREE, 0, 0x2000, 0);
    assert_int_equal(collect(&child), 0);
    assert_false(spool_process_inherit(&child.process, &parent.process));

    put(&parent, SPOOL_MALLOC, 0, 0x1000, 10);
    put(&parent, SPOOL_MALLOC, 0, 0x2000, 20);
    put(&parent, SPOOL_MALLOC, 0, 0x3000, 30);
    put(&parent, SPOOL_FORK, 0, 0, 0);
    put(&parent, SPOOL_FREE, 0, 0x1000, 0);
    collect(&parent);
    assert_true(spool_process_inherit(&child.process, &parent.process));
    input = finish(&child);
    assert_int_equal(expect(input, ACRE_TRACE_PROCESS, 0).about->inherited, 3);
    expect(input, ACRE_TRACE_ALLOC, 10);
    expect(input, ACRE_TRACE_ALLOC, 20);
    assert_true(expect(input, ACRE_TRACE_ALLOC, 30).inherited);
    expect(input, ACRE_TRACE_FREE, 20);
    expect_end(input, 0, 0);
    acre_trace_input_close(finish(&parent));
}

/** What was read is in the file once it is flushed, whatever happens to the recorder. */
static void what_is_flushed_can_be_read(void **state)
{
    struct bench bench;
    struct acre_trace_input *input;
    struct acre_trace_event event;

    (void)state;
    set_up(&bench, 0);
    for (uint64_t round = 1; round <= 3; round++) {
        put(&bench, SPOOL_MALLOC, 0, 0x1000 * round, round);
        collect(&bench);
        spool_process_flush(&bench.process);
        input = open_trace(&bench);
        expect(input, ACRE_TRACE_PROCESS, 0);
        for (uint64_t size = 1; size <= round; size++)
            expect(input, ACRE_TRACE_ALLOC, size);
        event = expect(input, ACRE_TRACE_PROCESS_END, 0);
        assert_true(event.cut);
        assert_int_equal(event.totals.events, round);
        assert_int_equal(acre_trace_input_next(input, &event), ACRE_TRACE_TRUNCATED);
        acre_trace_input_close(input);
    }
    acre_trace_input_close(finish(&bench));
}

/** A file that cannot be written is an error of the process, and nothing else happens. */
static void a_failure_to_write_is_kept(void **state)
{
    struct bench bench;

    (void)state;
    set_up(&bench, 0);
    close(bench.file.fd);
    bench.file.fd = open("/dev/full", O_WRONLY);
    put(&bench, SPOOL_MALLOC, 0, 0x1000, 10);
    assert_int_equal(collect(&bench), 1);
    assert_int_equal(bench.process.error, ENOSPC);
    put(&bench, SPOOL_FREE, 0, 0x1000, 0);
    assert_int_equal(collect(&bench), 1);
    spool_process_flush(&bench.process);
    spool_process_end(&bench.process);
    assert_int_equal(bench.file.error, ENOSPC);
    acre_trace_output_abandon(bench.file.output);
    spool_process_release(&bench.process);
    munmap(bench.ring, RING_SIZE);
    unlink(bench.trace);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_read_once_it_is_there),
        cmocka_unit_test(a_missing_event_is_waited_for),
        cmocka_unit_test(a_missing_event_is_given_up_in_the_end),
        cmocka_unit_test(the_ring_goes_round),
        cmocka_unit_test(nothing_is_read_past_the_room_in_the_file),
        cmocka_unit_test(resizes_of_two_threads_cross),
        cmocka_unit_test(odd_resizes_are_told_apart),
        cmocka_unit_test(contradictions_are_counted),
        cmocka_unit_test(a_child_gets_the_heap_of_the_fork),
        cmocka_unit_test(what_is_flushed_can_be_read),
        cmocka_unit_test(a_failure_to_write_is_kept),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
