/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What is recorded through the wrapper on TLSF is a trace: the reader delivers every call again, in
 * order, and the tool replays it. */
#include "support/rng.h"
#include "tool/spawn.h"
#include "trace/trace_file.h"

#include <acre/tlsf.h>
#include <acre/wrap.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { POOL = 1 << 16, SLOTS = 64, STEPS = 5000 };

static _Alignas(4096) unsigned char pool[POOL];
static struct acre_tlsf tlsf;
static struct acre_tracer tracer;
static struct acre_bytes bytes;
static FILE *file;
static char path[] = "/tmp/acre-test-tracer-XXXXXX";
static uint64_t now;

/* A call as it was made; `which` numbers the blocks in the order in which they were handed out. */
struct call {
    enum acre_trace_op op;
    size_t which;
    size_t size;
    size_t align; /* 0: natural */
};

static struct call calls[2 * STEPS];
static size_t made;

struct block {
    void *ptr;
    size_t which;
};

static struct block blocks[SLOTS];
static size_t handed_out;

static void print(void *arg, const void *text, size_t size)
{
    assert_int_equal(fwrite(text, 1, size, arg), size);
}

static uint64_t tick(void *arg)
{
    (void)arg;
    return now += 100;
}

static void note(enum acre_trace_op op, size_t which, size_t size, size_t align)
{
    calls[made++] = (struct call){ op, which, size, align };
}

static void alloc(struct block *block, size_t size, size_t align)
{
    struct acre_ptr got = acre_alloc(bytes, acre_layout(size, align));
    size_t noted = align > ACRE_NATURAL_ALIGN ? align : 0;
    block->ptr = got.ptr;
    block->which = handed_out;
    handed_out += got.ptr != NULL;
    note(got.ptr != NULL ? ACRE_TRACE_ALLOC : ACRE_TRACE_FAILED, block->which, size, noted);
}

static void resize(struct block *block, size_t size)
{
    struct acre_ptr got = acre_realloc(bytes, block->ptr, acre_layout(size, 1));
    block->ptr = got.ptr != NULL ? got.ptr : block->ptr;
    note(got.ptr != NULL ? ACRE_TRACE_RESIZE : ACRE_TRACE_FAILED, block->which, size, 0);
}

static void give(struct block *block)
{
    assert_int_equal(acre_dealloc(bytes, block->ptr), ACRE_OK);
    block->ptr = NULL;
    note(ACRE_TRACE_FREE, block->which, 0, 0);
}

static void step(struct rng *rng)
{
    struct block *block = &blocks[rng_below(rng, SLOTS)];
    size_t size = rng_below(rng, 3000);
    if (block->ptr == NULL)
        alloc(block, size, (size_t)1 << rng_below(rng, 9));
    else if (rng_below(rng, 3) == 0)
        resize(block, size);
    else
        give(block);
}

static int record(void **state)
{
    struct rng rng = { 7 };
    struct acre_tracer_sink sink = { print, tick, NULL };
    int out = mkstemp(path);
    (void)state;
    file = out < 0 ? NULL : fdopen(out, "w");
    if (file == NULL)
        return -1;
    sink.arg = file;
    acre_tracer_wrap(&tracer, acre_tlsf_bytes(&tlsf), sink);
    bytes = acre_tracer_bytes(&tracer);
    if (acre_bytes_init(bytes, pool, POOL) != ACRE_OK)
        return -1;
    acre_tracer_begin(&tracer, "wrapped");
    for (size_t i = 0; i < STEPS; i++)
        step(&rng);
    acre_tracer_end(&tracer);
    return fclose(file);
}

static int clear(void **state)
{
    (void)state;
    return unlink(path);
}

static void assert_call(
    const struct acre_trace_event *event, const struct call *call, const size_t *names)
{
    bool failed_alloc = call->op == ACRE_TRACE_FAILED && event->call != ACRE_TRACE_REALLOC;
    assert_int_equal(event->op, call->op);
    if (call->op != ACRE_TRACE_FREE)
        assert_int_equal(event->size, call->size);
    if (call->op == ACRE_TRACE_ALLOC || failed_alloc)
        assert_int_equal(event->align, call->align);
    if (call->op != ACRE_TRACE_ALLOC && !failed_alloc)
        assert_int_equal(names[event->slot], call->which);
}

static void the_reader_delivers_every_call(void **state)
{
    static size_t names[SLOTS * 2];
    struct acre_trace_event event;
    struct acre_trace_input *input = acre_trace_input_open(path, 0);
    size_t seen = 0;
    uint64_t time = 0;
    (void)state;
    assert_int_equal(acre_trace_input_status(input), ACRE_TRACE_OK);
    assert_int_equal(acre_trace_input_next(input, &event), ACRE_TRACE_OK);
    assert_int_equal(event.op, ACRE_TRACE_PROCESS);
    assert_string_equal(event.about->name, "wrapped");
    while (acre_trace_input_next(input, &event) == ACRE_TRACE_OK && seen < made) {
        if (event.op == ACRE_TRACE_ALLOC)
            names[event.slot] = calls[seen].which;
        assert_call(&event, &calls[seen++], names);
        assert_true(event.time_ns > time);
        time = event.time_ns;
    }
    assert_int_equal(seen, made);
    assert_int_equal(event.op, ACRE_TRACE_PROCESS_END);
    assert_int_equal(event.totals.events, made);
    assert_int_equal(acre_trace_input_next(input, &event), ACRE_TRACE_OK);
    assert_int_equal(acre_trace_input_next(input, &event), ACRE_TRACE_DONE);
    acre_trace_input_close(input);
}

static void the_work_was_of_every_kind(void **state)
{
    size_t counts[ACRE_TRACE_END + 1] = { 0 };
    (void)state;
    for (size_t i = 0; i < made; i++)
        counts[calls[i].op]++;
    assert_true(counts[ACRE_TRACE_ALLOC] > 500);
    assert_true(counts[ACRE_TRACE_FREE] > 500);
    assert_true(counts[ACRE_TRACE_RESIZE] > 300);
    assert_true(counts[ACRE_TRACE_FAILED] > 50);
}

static void the_tool_replays_it(void **state)
{
    static struct spawned spawned;
    (void)state;
    spawn_acre(&spawned, "replay", "-r1", "--no-pool-search", "-a", "tlsf", path, NULL);
    if (spawned.code != 0)
        fail_msg("acre replay: exit code %d, %s", spawned.code, spawned.err);
    assert_non_null(strstr(spawned.out, "wrapped"));
    assert_non_null(strstr(spawned.out, "tlsf"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reader_delivers_every_call),
        cmocka_unit_test(the_work_was_of_every_kind),
        cmocka_unit_test(the_tool_replays_it),
    };
    return cmocka_run_group_tests_name("tracer replay", tests, record, clear);
}
