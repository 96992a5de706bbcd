/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/** The trace format: what is written is read back. */
#include "trace_stream.h"

static void crc_is_the_common_one(void **state)
{
    (void)state;
    assert_int_equal(acre_trace_crc(0, "123456789", 9), 0xcbf43926u);
    assert_int_equal(acre_trace_crc(acre_trace_crc(0, "1234", 4), "56789", 5), 0xcbf43926u);
    assert_int_equal(acre_trace_crc(0, "", 0), 0);
}

static void every_event_comes_back(void **state)
{
    struct acre_trace_writer writer;
    struct acre_trace_reader reader;
    struct acre_trace_event event;
    struct stream stream;
    struct purse purse = { 0 };
    uint64_t a, b, c;

    (void)state;
    start(&writer, &stream, sizeof buffer);
    assert_int_equal(acre_trace_write_alloc(&writer, ACRE_TRACE_MALLOC, 24, 0, &a), 0);
    assert_int_equal(acre_trace_write_thread(&writer, 3), 0);
    assert_int_equal(acre_trace_write_time(&writer, 1000), 0);
    assert_int_equal(acre_trace_write_alloc(&writer, ACRE_TRACE_CALLOC, 0, 0, &b), 0);
    assert_int_equal(acre_trace_write_alloc(&writer, ACRE_TRACE_MEMALIGN, 77, 4096, &c), 0);
    assert_int_equal(acre_trace_write_resize(&writer, &a, UINT64_MAX), 0);
    assert_int_equal(acre_trace_write_failed_resize(&writer, c, 5), 0);
    assert_int_equal(
        acre_trace_write_failed(&writer, ACRE_TRACE_MEMALIGN, 9, UINT64_C(1) << 63), 0);
    assert_int_equal(acre_trace_write_time(&writer, 10), 0);
    assert_int_equal(acre_trace_write_free(&writer, b), 0);
    assert_int_equal(acre_trace_write_time(&writer, 1500), 0);
    assert_int_equal(acre_trace_write_thread(&writer, 0), 0);
    assert_int_equal(acre_trace_write_free(&writer, a), 0);
    assert_int_equal(acre_trace_write_process_end(&writer, 2, 1), 0);
    assert_int_equal(acre_trace_writer_close(&writer, NULL), 0);

    assert_int_equal(open_reader(&reader, &stream, &purse, 0), ACRE_TRACE_OK);
    event = expect(&reader, ACRE_TRACE_PROCESS);
    assert_int_equal(event.about->pid, 42);
    assert_int_equal(event.about->parent_pid, 7);
    assert_string_equal(event.about->name, "program");
    event = expect(&reader, ACRE_TRACE_ALLOC);
    assert_int_equal(event.slot, 0);
    assert_int_equal(event.size, 24);
    assert_int_equal(event.align, 0);
    assert_int_equal(event.call, ACRE_TRACE_MALLOC);
    assert_int_equal(event.thread, 0);
    event = expect(&reader, ACRE_TRACE_ALLOC);
    assert_int_equal(event.slot, 1);
    assert_int_equal(event.size, 0);
    assert_int_equal(event.call, ACRE_TRACE_CALLOC);
    assert_int_equal(event.thread, 3);
    assert_int_equal(event.time_ns, 1000);
    event = expect(&reader, ACRE_TRACE_ALLOC);
    assert_int_equal(event.slot, 2);
    assert_int_equal(event.align, 4096);
    assert_int_equal(event.call, ACRE_TRACE_MEMALIGN);
    event = expect(&reader, ACRE_TRACE_RESIZE);
    assert_int_equal(event.slot, 0);
    assert_int_equal(event.old_size, 24);
    assert_true(event.size == UINT64_MAX);
    event = expect(&reader, ACRE_TRACE_FAILED);
    assert_true(event.has_slot);
    assert_int_equal(event.slot, 2);
    assert_int_equal(event.call, ACRE_TRACE_REALLOC);
    assert_int_equal(event.size, 5);
    assert_int_equal(event.old_size, 77);
    event = expect(&reader, ACRE_TRACE_FAILED);
    assert_false(event.has_slot);
    assert_int_equal(event.call, ACRE_TRACE_MEMALIGN);
    assert_true(event.align == UINT64_C(1) << 63);
    event = expect(&reader, ACRE_TRACE_FREE);
    assert_int_equal(event.slot, 1);
    assert_int_equal(event.time_ns, 1000);
    event = expect(&reader, ACRE_TRACE_FREE);
    assert_int_equal(event.slot, 0);
    assert_true(event.size == UINT64_MAX);
    assert_int_equal(event.time_ns, 1500);
    assert_int_equal(event.thread, 0);
    event = expect(&reader, ACRE_TRACE_PROCESS_END);
    assert_int_equal(event.totals.events, 8);
    assert_int_equal(event.totals.lost, 2);
    assert_int_equal(event.totals.unmatched, 1);
    event = expect(&reader, ACRE_TRACE_END);
    assert_int_equal(event.totals.processes, 1);
    assert_int_equal(event.totals.events, 8);
    assert_int_equal(acre_trace_reader_next(&reader, &event), ACRE_TRACE_DONE);
    acre_trace_reader_close(&reader);
    assert_int_equal(purse.held, 0);
    free(stream.bytes);
}

static void an_empty_trace_is_a_trace(void **state)
{
    struct acre_trace_writer writer;
    struct stream stream = { 0 };
    const struct acre_trace_sink sink = { put, &stream };

    (void)state;
    assert_int_equal(acre_trace_writer_open(&writer, &sink, buffer, ACRE_TRACE_BUFFER_MIN), 0);
    assert_int_equal(acre_trace_writer_close(&writer, NULL), 0);
    assert_int_equal(read_all(&stream, NULL), ACRE_TRACE_DONE);
    free(stream.bytes);
}

static uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/** The model: what each slot holds, learnt from the events and compared with what was written. */
enum { LIVE = 3000, STEPS = 200000 };

struct model {
    uint64_t ordinal[LIVE];
    uint64_t size[LIVE];
    bool live[LIVE];
};

static uint64_t random_size(uint64_t *seed)
{
    return random_next(seed) >> (random_next(seed) % 61 + 3);
}

static void write_step(
    struct acre_trace_writer *writer, struct model *model, unsigned at, uint64_t *seed)
{
    if (!model->live[at]) {
        model->size[at] = random_size(seed);
        assert_int_equal(acre_trace_write_alloc(
                             writer, ACRE_TRACE_MALLOC, model->size[at], 0, &model->ordinal[at]),
            0);
        model->live[at] = true;
    } else if (random_next(seed) % 4 == 0) {
        model->size[at] = random_size(seed);
        assert_int_equal(acre_trace_write_resize(writer, &model->ordinal[at], model->size[at]), 0);
    } else {
        assert_int_equal(acre_trace_write_free(writer, model->ordinal[at]), 0);
        model->live[at] = false;
    }
}

/** Follows the same steps on the reader's side, with its slot for each of the model's blocks. */
static void read_step(struct acre_trace_reader *reader, struct model *model, uint32_t *slots,
    unsigned at, uint64_t *seed)
{
    struct acre_trace_event event;

    if (!model->live[at]) {
        event = expect(reader, ACRE_TRACE_ALLOC);
        slots[at] = event.slot;
        model->live[at] = true;
        model->size[at] = random_size(seed);
    } else if (random_next(seed) % 4 == 0) {
        event = expect(reader, ACRE_TRACE_RESIZE);
        assert_true(event.old_size == model->size[at]);
        model->size[at] = random_size(seed);
    } else {
        event = expect(reader, ACRE_TRACE_FREE);
        model->live[at] = false;
    }
    assert_int_equal(event.slot, slots[at]);
    assert_true(event.slot < LIVE);
    assert_true(event.size == model->size[at]);
}

static void a_long_random_trace_comes_back(void **state)
{
    static const size_t capacities[] = { ACRE_TRACE_BUFFER_MIN, 4096, sizeof buffer };
    static struct model model;
    static uint32_t slots[LIVE];
    struct acre_trace_writer writer;
    struct acre_trace_reader reader;
    struct stream stream;

    (void)state;
    for (size_t i = 0; i < sizeof capacities / sizeof capacities[0]; i++) {
        uint64_t seed = 88172645463325252u + i;
        struct purse purse = { 0 };

        memset(&model, 0, sizeof model);
        start(&writer, &stream, capacities[i]);
        for (unsigned step = 0; step < STEPS; step++)
            write_step(&writer, &model, (unsigned)(random_next(&seed) % LIVE), &seed);
        finish(&writer);

        memset(&model, 0, sizeof model);
        seed = 88172645463325252u + i;
        stream.step = i == 1 ? 7 : 0;
        assert_int_equal(open_reader(&reader, &stream, &purse, 0), ACRE_TRACE_OK);
        expect(&reader, ACRE_TRACE_PROCESS);
        for (unsigned step = 0; step < STEPS; step++)
            read_step(&reader, &model, slots, (unsigned)(random_next(&seed) % LIVE), &seed);
        expect(&reader, ACRE_TRACE_PROCESS_END);
        expect(&reader, ACRE_TRACE_END);
        acre_trace_reader_close(&reader);
        free(stream.bytes);
    }
}

static void common_calls_take_one_byte(void **state)
{
    struct acre_trace_writer writer;
    struct stream stream;
    uint64_t ordinal;
    size_t before;

    (void)state;
    start(&writer, &stream, sizeof buffer);
    before = writer.used;
    for (unsigned size = 8; size <= 512; size += 8)
        assert_int_equal(acre_trace_write_alloc(&writer, ACRE_TRACE_MALLOC, size, 0, &ordinal), 0);
    for (uint64_t i = 0; i < 64; i++)
        assert_int_equal(acre_trace_write_free(&writer, i), 0);
    assert_int_equal(writer.used - before, 128);
    finish(&writer);
    assert_int_equal(read_all(&stream, NULL), ACRE_TRACE_DONE);
    free(stream.bytes);
}

static void two_sections_are_two_heaps(void **state)
{
    const struct acre_trace_process child = { 43, 42, ACRE_TRACE_FORKED, 1, "" };
    struct acre_trace_writer writer;
    struct acre_trace_reader reader;
    struct acre_trace_event event;
    struct stream stream;
    struct purse purse = { 0 };
    uint64_t ordinal;

    (void)state;
    start(&writer, &stream, sizeof buffer);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(acre_trace_write_alloc(&writer, ACRE_TRACE_MALLOC, 1, 0, &ordinal), 0);
    assert_int_equal(acre_trace_write_process_end(&writer, 0, 0), 0);
    assert_int_equal(acre_trace_write_process(&writer, &child), 0);
    assert_int_equal(acre_trace_write_alloc(&writer, ACRE_TRACE_MALLOC, 9, 0, &ordinal), 0);
    assert_int_equal(ordinal, 0);
    assert_int_equal(acre_trace_write_alloc(&writer, ACRE_TRACE_MALLOC, 8, 0, &ordinal), 0);
    finish(&writer);

    assert_int_equal(open_reader(&reader, &stream, &purse, 0), ACRE_TRACE_OK);
    do {
        assert_int_equal(acre_trace_reader_next(&reader, &event), ACRE_TRACE_OK);
    } while (event.op != ACRE_TRACE_PROCESS_END);
    event = expect(&reader, ACRE_TRACE_PROCESS);
    assert_int_equal(event.process, 1);
    assert_int_equal(event.about->origin, ACRE_TRACE_FORKED);
    event = expect(&reader, ACRE_TRACE_ALLOC);
    assert_true(event.inherited);
    assert_int_equal(event.slot, 0);
    event = expect(&reader, ACRE_TRACE_ALLOC);
    assert_false(event.inherited);
    assert_int_equal(event.slot, 1);
    expect(&reader, ACRE_TRACE_PROCESS_END);
    event = expect(&reader, ACRE_TRACE_END);
    assert_int_equal(event.totals.processes, 2);
    assert_int_equal(event.totals.events, 5002);
    acre_trace_reader_close(&reader);
    free(stream.bytes);
}

static void the_writer_refuses_nonsense(void **state)
{
    const struct acre_trace_process process = { 1, 0, ACRE_TRACE_STARTED, 0, "x" };
    const struct acre_trace_process alien = { 1, 0, (enum acre_trace_origin)2, 0, "x" };
    struct acre_trace_writer writer;
    struct stream stream;
    const struct acre_trace_sink sink = { put, &stream };
    uint64_t ordinal = 0;
    size_t used;

    (void)state;
    assert_int_equal(acre_trace_writer_open(NULL, &sink, buffer, 512), ACRE_TRACE_INVALID_PARAM);
    assert_int_equal(acre_trace_writer_open(&writer, NULL, buffer, 512), ACRE_TRACE_INVALID_PARAM);
    assert_int_equal(acre_trace_writer_open(&writer, &sink, NULL, 512), ACRE_TRACE_INVALID_PARAM);
    assert_int_equal(acre_trace_writer_open(&writer, &sink, buffer, 511), ACRE_TRACE_INVALID_PARAM);
    start(&writer, &stream, 512);
    used = writer.used;
    assert_int_equal(acre_trace_write_process(&writer, &process), ACRE_TRACE_INVALID_PARAM);
    assert_int_equal(acre_trace_writer_close(&writer, NULL), ACRE_TRACE_INVALID_PARAM);
    assert_int_equal(acre_trace_write_free(&writer, 0), ACRE_TRACE_INVALID_PARAM);
    assert_int_equal(acre_trace_write_resize(&writer, &ordinal, 1), ACRE_TRACE_INVALID_PARAM);
    assert_int_equal(acre_trace_write_resize(&writer, NULL, 1), ACRE_TRACE_INVALID_PARAM);
    assert_int_equal(acre_trace_write_failed_resize(&writer, 0, 1), ACRE_TRACE_INVALID_PARAM);
    assert_int_equal(acre_trace_write_alloc(&writer, ACRE_TRACE_MEMALIGN, 1, 3, &ordinal),
        ACRE_TRACE_INVALID_PARAM);
    assert_int_equal(acre_trace_write_alloc(&writer, ACRE_TRACE_MEMALIGN, 1, 0, &ordinal),
        ACRE_TRACE_INVALID_PARAM);
    assert_int_equal(acre_trace_write_alloc(&writer, ACRE_TRACE_MALLOC, 1, 8, &ordinal),
        ACRE_TRACE_INVALID_PARAM);
    assert_int_equal(acre_trace_write_alloc(&writer, ACRE_TRACE_REALLOC, 1, 0, &ordinal),
        ACRE_TRACE_INVALID_PARAM);
    assert_int_equal(
        acre_trace_write_alloc(&writer, ACRE_TRACE_MALLOC, 1, 0, NULL), ACRE_TRACE_INVALID_PARAM);
    assert_int_equal(
        acre_trace_write_failed(&writer, ACRE_TRACE_CALLOC, 1, 8), ACRE_TRACE_INVALID_PARAM);
    assert_int_equal(
        acre_trace_write_thread(&writer, ACRE_TRACE_THREAD_MAX + 1), ACRE_TRACE_INVALID_PARAM);
    assert_int_equal(writer.used, used);
    assert_int_equal(acre_trace_write_process_end(&writer, 0, 0), 0);
    assert_int_equal(acre_trace_write_process_end(&writer, 0, 0), ACRE_TRACE_INVALID_PARAM);
    assert_int_equal(acre_trace_write_thread(&writer, 0), ACRE_TRACE_INVALID_PARAM);
    assert_int_equal(acre_trace_write_time(&writer, 0), ACRE_TRACE_INVALID_PARAM);
    assert_int_equal(acre_trace_write_process(&writer, &alien), ACRE_TRACE_INVALID_PARAM);
    assert_int_equal(acre_trace_writer_close(&writer, NULL), 0);
    assert_int_equal(acre_trace_writer_close(&writer, NULL), ACRE_TRACE_INVALID_PARAM);
    assert_int_equal(acre_trace_write_process(&writer, &process), ACRE_TRACE_INVALID_PARAM);
    assert_int_equal(read_all(&stream, NULL), ACRE_TRACE_DONE);
    free(stream.bytes);
}

static void a_sink_that_fails_is_reported_from_then_on(void **state)
{
    struct acre_trace_writer writer;
    struct stream stream;
    uint64_t ordinal;
    enum acre_trace_status status = ACRE_TRACE_OK;

    (void)state;
    start(&writer, &stream, 512);
    stream.refuse = true;
    for (int i = 0; i < 1000 && status == ACRE_TRACE_OK; i++)
        status = acre_trace_write_alloc(&writer, ACRE_TRACE_MALLOC, 8, 0, &ordinal);
    assert_int_equal(status, ACRE_TRACE_WRITE_FAILED);
    stream.refuse = false;
    assert_int_equal(acre_trace_writer_flush(&writer), ACRE_TRACE_WRITE_FAILED);
    assert_int_equal(acre_trace_write_process_end(&writer, 0, 0), ACRE_TRACE_WRITE_FAILED);
    free(stream.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc_is_the_common_one),
        cmocka_unit_test(every_event_comes_back),
        cmocka_unit_test(an_empty_trace_is_a_trace),
        cmocka_unit_test(a_long_random_trace_comes_back),
        cmocka_unit_test(common_calls_take_one_byte),
        cmocka_unit_test(two_sections_are_two_heaps),
        cmocka_unit_test(the_writer_refuses_nonsense),
        cmocka_unit_test(a_sink_that_fails_is_reported_from_then_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
