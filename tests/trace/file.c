/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/** Traces in files: compressed and plain, read twice, damaged, absent. */
#include "trace_stream.h"

#include "trace/trace_file.h"

#include <stdio.h>
#include <unistd.h>
#include <zstd.h>

enum { BLOCKS = 20000 };

static char path[] = "/tmp/acre-trace-XXXXXX";

static int make_path(void **state)
{
    int fd;

    (void)state;
    strcpy(path + sizeof path - 7, "XXXXXX");
    fd = mkstemp(path);
    if (fd < 0)
        return -1;
    return close(fd);
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

static void put_file(const void *bytes, size_t count)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
}

static size_t get_file(unsigned char *bytes, size_t capacity)
{
    FILE *file = fopen(path, "rb");
    size_t count;

    assert_non_null(file);
    count = fread(bytes, 1, capacity, file);
    assert_int_equal(fclose(file), 0);
    return count;
}

static void write_blocks(struct acre_trace_writer *writer)
{
    static uint64_t ordinals[BLOCKS];
    const struct acre_trace_process process = { 1, 0, ACRE_TRACE_STARTED, 0, "blocks" };

    assert_int_equal(acre_trace_write_process(writer, &process), 0);
    for (unsigned i = 0; i < BLOCKS; i++)
        assert_int_equal(
            acre_trace_write_alloc(writer, ACRE_TRACE_MALLOC, i * 2654435761u, 0, &ordinals[i]), 0);
    for (unsigned i = 0; i < BLOCKS; i++)
        assert_int_equal(acre_trace_write_free(writer, ordinals[i * 7919u % BLOCKS]), 0);
    assert_int_equal(acre_trace_write_process_end(writer, 0, 0), 0);
}

static void write_file(void)
{
    struct acre_trace_output *output = acre_trace_output_create(path, 3);

    assert_non_null(output);
    write_blocks(acre_trace_output_writer(output));
    assert_int_equal(acre_trace_output_close(output), ACRE_TRACE_OK);
}

/** Reads on to the end; counts the events of blocks. */
static unsigned count_events(struct acre_trace_input *input)
{
    struct acre_trace_event event;
    unsigned count = 0;

    while (acre_trace_input_next(input, &event) == ACRE_TRACE_OK)
        count += event.op == ACRE_TRACE_ALLOC || event.op == ACRE_TRACE_FREE;
    return count;
}

static enum acre_trace_status read_file(const char **message)
{
    static char kept[1024];
    struct acre_trace_input *input = acre_trace_input_open(path, 0);
    enum acre_trace_status status;

    assert_non_null(input);
    count_events(input);
    status = acre_trace_input_status(input);
    strncpy(kept, acre_trace_input_message(input), sizeof kept - 1);
    *message = kept;
    acre_trace_input_close(input);
    return status;
}

static void a_compressed_file_is_read_twice(void **state)
{
    struct acre_trace_input *input;
    struct acre_trace_event event;

    (void)state;
    write_file();
    input = acre_trace_input_open(path, 0);
    assert_non_null(input);
    assert_int_equal(acre_trace_input_status(input), ACRE_TRACE_OK);
    assert_int_equal(count_events(input), 2 * BLOCKS);
    assert_int_equal(acre_trace_input_status(input), ACRE_TRACE_DONE);
    assert_true(acre_trace_input_progress(input) > 0.99);
    assert_int_equal(acre_trace_input_rewind(input), ACRE_TRACE_OK);
    assert_int_equal(acre_trace_input_next(input, &event), ACRE_TRACE_OK);
    assert_int_equal(acre_trace_input_rewind(input), ACRE_TRACE_OK);
    assert_int_equal(count_events(input), 2 * BLOCKS);
    acre_trace_input_close(input);
}

static void a_plain_file_is_read(void **state)
{
    struct acre_trace_input *input;
    struct acre_trace_writer writer;
    struct stream stream = { 0 };
    const struct acre_trace_sink sink = { put, &stream };

    (void)state;
    assert_int_equal(acre_trace_writer_open(&writer, &sink, buffer, 1000), 0);
    write_blocks(&writer);
    assert_int_equal(acre_trace_writer_close(&writer, NULL), 0);
    put_file(stream.bytes, stream.size);
    free(stream.bytes);
    input = acre_trace_input_open(path, 0);
    assert_int_equal(count_events(input), 2 * BLOCKS);
    assert_int_equal(acre_trace_input_status(input), ACRE_TRACE_DONE);
    acre_trace_input_close(input);
}

static void frames_one_after_another_are_one_stream(void **state)
{
    struct stream stream = { 0 };
    struct acre_trace_writer writer;
    const struct acre_trace_sink sink = { put, &stream };
    static unsigned char compressed[1 << 20];
    size_t first, second;
    const char *message;

    (void)state;
    assert_int_equal(acre_trace_writer_open(&writer, &sink, buffer, 1000), 0);
    write_blocks(&writer);
    assert_int_equal(acre_trace_writer_close(&writer, NULL), 0);
    first = ZSTD_compress(compressed, sizeof compressed, stream.bytes, 20, 1);
    second = ZSTD_compress(
        compressed + first, sizeof compressed - first, stream.bytes + 20, stream.size - 20, 1);
    assert_false(ZSTD_isError(first) || ZSTD_isError(second));
    put_file(compressed, first + second);
    free(stream.bytes);
    assert_int_equal(read_file(&message), ACRE_TRACE_DONE);
}

static void an_open_section_cannot_be_closed_over(void **state)
{
    const struct acre_trace_process process = { 1, 0, ACRE_TRACE_STARTED, 0, "open" };
    struct acre_trace_output *output = acre_trace_output_create(path, 1);

    (void)state;
    assert_int_equal(acre_trace_write_process(acre_trace_output_writer(output), &process), 0);
    assert_null(acre_trace_output_section(output));
    assert_int_equal(acre_trace_output_close(output), ACRE_TRACE_INVALID_PARAM);
}

static void standard_streams_are_named_by_a_dash(void **state)
{
    const int in = dup(STDIN_FILENO), out = dup(STDOUT_FILENO);
    struct acre_trace_output *output;
    struct acre_trace_input *input;
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    dup2(ends[0], STDIN_FILENO);
    dup2(ends[1], STDOUT_FILENO);
    output = acre_trace_output_create("-", 1);
    assert_int_equal(acre_trace_output_close(output), ACRE_TRACE_OK);
    close(ends[1]);
    dup2(out, STDOUT_FILENO);
    input = acre_trace_input_open("-", 0);
    assert_int_equal(count_events(input), 0);
    assert_int_equal(acre_trace_input_status(input), ACRE_TRACE_DONE);
    assert_non_null(strstr(acre_trace_input_message(input), "standard input"));
    assert_int_equal(acre_trace_input_rewind(input), ACRE_TRACE_READ_FAILED);
    acre_trace_input_close(input);
    dup2(in, STDIN_FILENO);
    close(ends[0]);
    close(in);
    close(out);
}

static void progress_rises_to_one(void **state)
{
    struct acre_trace_input *input;
    struct acre_trace_event event;
    double before = 0;

    (void)state;
    write_file();
    input = acre_trace_input_open(path, 0);
    while (acre_trace_input_next(input, &event) == ACRE_TRACE_OK) {
        double now = acre_trace_input_progress(input);

        assert_true(now >= before && now <= 1.0);
        before = now;
    }
    assert_true(before > 0.99);
    acre_trace_input_close(input);
}

static void cut_files_are_noticed(void **state)
{
    static unsigned char bytes[1 << 20];
    size_t size;
    const char *message;

    (void)state;
    write_file();
    size = get_file(bytes, sizeof bytes);
    assert_true(size > 1000 && size < sizeof bytes);
    for (size_t cut = size - 20; cut > 100; cut -= cut / 3) {
        put_file(bytes, cut);
        assert_int_equal(read_file(&message), ACRE_TRACE_TRUNCATED);
        assert_non_null(strstr(message, path));
        assert_non_null(strstr(message, "at byte"));
    }
}

static void damaged_frames_are_noticed(void **state)
{
    static unsigned char bytes[1 << 20];
    size_t size;
    const char *message;

    (void)state;
    write_file();
    size = get_file(bytes, sizeof bytes - 1);
    for (size_t at = 8; at < size; at += size / 50) {
        enum acre_trace_status status;

        bytes[at] ^= 0x10;
        put_file(bytes, size);
        bytes[at] ^= 0x10;
        status = read_file(&message);
        assert_true(status > ACRE_TRACE_DONE);
    }
    bytes[size] = 'x';
    put_file(bytes, size + 1);
    assert_true(read_file(&message) > ACRE_TRACE_DONE);
}

static void what_is_no_trace_is_named(void **state)
{
    const char *message;

    (void)state;
    put_file("just text\n", 10);
    assert_int_equal(read_file(&message), ACRE_TRACE_FOREIGN);
    put_file("", 0);
    assert_int_equal(read_file(&message), ACRE_TRACE_FOREIGN);
    put_file("(\xb5/\xfd", 4);
    assert_true(read_file(&message) > ACRE_TRACE_DONE);
}

static void system_errors_are_named(void **state)
{
    struct acre_trace_input *input = acre_trace_input_open("/nonexistent/trace", 0);
    struct acre_trace_event event;

    (void)state;
    assert_int_equal(acre_trace_input_status(input), ACRE_TRACE_READ_FAILED);
    assert_non_null(strstr(acre_trace_input_message(input), "No such file"));
    assert_int_equal(acre_trace_input_next(input, &event), ACRE_TRACE_READ_FAILED);
    assert_int_equal(acre_trace_input_rewind(input), ACRE_TRACE_READ_FAILED);
    acre_trace_input_close(input);
    input = acre_trace_input_open("/", 0);
    assert_int_equal(acre_trace_input_status(input), ACRE_TRACE_READ_FAILED);
    assert_non_null(strstr(acre_trace_input_message(input), "directory"));
    acre_trace_input_close(input);
    acre_trace_input_close(NULL);
    assert_null(acre_trace_output_create("/nonexistent/trace", 3));
}

static void a_full_disk_is_reported(void **state)
{
    struct acre_trace_output *output = acre_trace_output_create("/dev/full", 3);

    (void)state;
    assert_non_null(output);
    assert_int_equal(acre_trace_output_close(output), ACRE_TRACE_WRITE_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_compressed_file_is_read_twice, make_path, remove_path),
        cmocka_unit_test_setup_teardown(a_plain_file_is_read, make_path, remove_path),
        cmocka_unit_test_setup_teardown(
            frames_one_after_another_are_one_stream, make_path, remove_path),
        cmocka_unit_test_setup_teardown(
            an_open_section_cannot_be_closed_over, make_path, remove_path),
        cmocka_unit_test(standard_streams_are_named_by_a_dash),
        cmocka_unit_test_setup_teardown(progress_rises_to_one, make_path, remove_path),
        cmocka_unit_test_setup_teardown(cut_files_are_noticed, make_path, remove_path),
        cmocka_unit_test_setup_teardown(damaged_frames_are_noticed, make_path, remove_path),
        cmocka_unit_test_setup_teardown(what_is_no_trace_is_named, make_path, remove_path),
        cmocka_unit_test(system_errors_are_named),
        cmocka_unit_test(a_full_disk_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
