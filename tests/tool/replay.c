/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* acre replay on traces whose outcome is known, on allocators that misbehave, and on bad files. */
#include "replay/counter.h"
#include "tool/spawn.h"
#include "tool/traces.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

static struct spawned spawned;
static const char *plugin;
static const char *hundred;
static const char *churn;

static int make_traces(void **state)
{
    (void)state;
    plugin = built("tests/test_plugin.so");
    hundred = trace_path("hundred.acre");
    churn = trace_path("churn.acre");
    trace_hundred_blocks(hundred);
    trace_churn(churn, 20000);
    return 0;
}

/* The JSON on standard output; the caller deletes it. */
static cJSON *parse_output(void)
{
    const char *end = NULL;
    cJSON *json = cJSON_ParseWithOpts(spawned.out, &end, 0);
    if (!json || strcmp(end, "\n") != 0)
        fail_msg("this is no JSON: %s", spawned.out);
    return json;
}

static const cJSON *process_of(const cJSON *json, int index)
{
    return cJSON_GetArrayItem(cJSON_GetObjectItem(json, "processes"), index);
}

static const cJSON *row_of(const cJSON *process, const char *name)
{
    const cJSON *row;
    cJSON_ArrayForEach(row, cJSON_GetObjectItem(process, "allocators"))
    {
        if (strcmp(cJSON_GetStringValue(cJSON_GetObjectItem(row, "name")), name) == 0)
            return row;
    }
    fail_msg("no row for %s", name);
    return NULL;
}

static double number(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItem(object, name);
    if (!cJSON_IsNumber(item))
        fail_msg("%s is no number", name);
    return item->valuedouble;
}

static int count(const cJSON *object, const char *name)
{
    double value = number(object, name);
    return (int)value;
}

/* 100 blocks of 160 bytes and a control structure of 64: a bump allocator needs 16,064 bytes. */
static void smallest_pool_is_exact(void **state)
{
    (void)state;
    spawn_acre(
        &spawned, "replay", "--json", "-r1", "-a", "system", "--with", plugin, hundred, NULL);
    assert_int_equal(spawned.code, 0);
    assert_string_equal(spawned.err, "");
    cJSON *json = parse_output();
    const cJSON *process = process_of(json, 0);
    const cJSON *bump = row_of(process, "bump");
    assert_int_equal(count(process, "peak_live_bytes"), 16000);
    assert_int_equal(count(process, "peak_live_blocks"), 100);
    assert_int_equal(count(process, "operations"), 100);
    assert_int_equal(count(bump, "smallest_pool_bytes"), 16064);
    assert_true(number(bump, "smallest_pool_per_peak_live") > 1.0039);
    assert_true(number(bump, "smallest_pool_per_peak_live") < 1.0041);
    assert_int_equal(count(bump, "failed_operations"), 0);
    assert_true(
        cJSON_IsNull(cJSON_GetObjectItem(row_of(process, "system"), "smallest_pool_bytes")));
    cJSON_Delete(json);
}

static void figures_make_sense(void **state)
{
    (void)state;
    spawn_acre(&spawned, "replay", "--json", "-r", "3", churn, NULL);
    assert_int_equal(spawned.code, 0);
    cJSON *json = parse_output();
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(json, "interrupted")));
    const cJSON *process = process_of(json, 0);
    assert_int_equal(count(process, "operations"), 20000);
    assert_int_equal(count(process, "replays"), 3);
    const cJSON *row;
    cJSON_ArrayForEach(row, cJSON_GetObjectItem(process, "allocators"))
    {
        const cJSON *steps = cJSON_GetObjectItem(row, "operation_" ACRE_CLOCK_UNIT);
        assert_true(cJSON_IsTrue(cJSON_GetObjectItem(row, "verified")));
        assert_true(number(row, "ns_per_operation") > 0.0);
        assert_true(number(steps, "median") <= number(steps, "p99"));
        assert_true(number(steps, "p99") <= number(steps, "p99_9"));
        assert_true(number(steps, "p99_9") <= number(steps, "worst"));
        assert_int_equal(count(row, "failed_operations"), 0);
    }
    cJSON_Delete(json);
}

/* Every allocator built in completes in some pool that is larger than the peak, but not absurdly.
 */
static void built_in_allocators_fit(void **state)
{
    size_t fitted = 0;
    (void)state;
    spawn_acre(&spawned, "replay", "--json", "-r1", churn, NULL);
    assert_int_equal(spawned.code, 0);
    cJSON *json = parse_output();
    const cJSON *row;
    cJSON_ArrayForEach(row, cJSON_GetObjectItem(process_of(json, 0), "allocators"))
    {
        /* An arena gives nothing back before its end: its pool is of all that was asked for. */
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(row, "name"));
        if (cJSON_IsNull(cJSON_GetObjectItem(row, "pool_bytes")) || strcmp(name, "arena") == 0)
            continue;
        fitted++;
        assert_true(number(row, "smallest_pool_per_peak_live") > 1.0);
        double pool = number(row, "smallest_pool_bytes");
        double peak = pool / number(row, "smallest_pool_per_peak_live");
        assert_true(pool < 3.0 * peak + (1 << 20)); /* the threaded heap's map and records */
    }
    cJSON_Delete(json);
    if (!fitted) {
        print_message("no allocator is built in\n");
        skip();
    }
}

static void table_has_a_row_for_each(void **state)
{
    (void)state;
    spawn_acre(&spawned, "replay", "-r1", "-w", plugin, hundred, NULL);
    assert_int_equal(spawned.code, 0);
    assert_string_equal(spawned.err, "");
    has(spawned.out, "process 0: hundred, pid 10, 1 thread\n");
    has(spawned.out, "100 operations: 100 allocated, 0 freed, 0 resized\n");
    has(spawned.out, "peak live: 16,000 bytes (15.6 KiB) requested, in at most 100 blocks\n");
    has(spawned.out, "\nsystem ");
    has(spawned.out, "\nbump ");
    has(spawned.out, " 16,064 ");
    has(spawned.out, " 1.004 ");
    has(spawned.out, "verified: ");
}

static void pool_can_be_given(void **state)
{
    (void)state;
    spawn_acre(&spawned, "replay", "-r1", "--no-pool-search", "--pool=8064", "-a", "system", "-w",
        plugin, hundred, NULL);
    assert_int_equal(spawned.code, 0);
    has(spawned.out, "bump could not serve 50 operations in a pool of 8064 bytes\n");
    assert_null(strstr(spawned.out, "16,064"));
    spawn_acre(&spawned, "replay", "-r1", "--pool=63", "-a", "system", "-w", plugin, hundred, NULL);
    assert_int_equal(spawned.code, 0);
    has(spawned.out, "bump cannot work in a pool of 63 bytes\n");
    has(spawned.out, "16,064");
}

static void json_goes_to_a_file_as_well(void **state)
{
    static char text[SPAWN_ROOM];
    const char *path = trace_path("replay.json");
    (void)state;
    spawn_acre(&spawned, "replay", "-r1", "-a", "system", "-o", path, hundred, NULL);
    assert_int_equal(spawned.code, 0);
    has(spawned.out, "\nsystem ");
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    cJSON *json = cJSON_Parse(text);
    assert_int_equal(count(process_of(json, 0), "operations"), 100);
    cJSON_Delete(json);
    spawn_acre(&spawned, "replay", "-r1", "-a", "system", "-o", "/no/such/file", hundred, NULL);
    assert_int_equal(spawned.code, 1);
    has(spawned.err, "acre replay: cannot write '/no/such/file': No such file");
    has(spawned.out, "\nsystem ");
}

static void faulty_allocators_are_found(void **state)
{
    static const struct {
        const char *fault, *message;
    } cases[] = {
        { "overlap", "was overwritten" },
        { "misaligned", "the block is not aligned to 16 bytes" },
        { "outside", "the block lies outside the pool" },
        { "scribble", "was overwritten" },
        { "forget", "was overwritten" },
        { "crash", "its process was killed by signal 6 (Aborted) (verifying)" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        setenv("ACRE_TEST_FAULT", cases[i].fault, 1);
        spawn_acre(&spawned, "replay", "-r1", "-a", "system", "-w", plugin, churn, NULL);
        if (spawned.code != 1)
            fail_msg("%s: code %d: %s", cases[i].fault, spawned.code, spawned.out);
        has(spawned.out, "bump (broken) ");
        has(spawned.out, "bump is broken: ");
        has(spawned.out, cases[i].message);
        has(spawned.out, "\nsystem ");
        assert_null(strstr(spawned.out, "verified: "));
    }
}

static void faults_are_in_the_json(void **state)
{
    (void)state;
    setenv("ACRE_TEST_FAULT", "misaligned", 1);
    spawn_acre(&spawned, "replay", "--json", "-r1", "-a", "system", "-w", plugin, churn, NULL);
    assert_int_equal(spawned.code, 1);
    cJSON *json = parse_output();
    const cJSON *bump = row_of(process_of(json, 0), "bump");
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(bump, "verified")));
    has(cJSON_GetStringValue(cJSON_GetObjectItem(bump, "fault")), "not aligned");
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(bump, "ns_per_operation")));
    cJSON_Delete(json);
}

static void allocator_that_serves_nothing(void **state)
{
    (void)state;
    setenv("ACRE_TEST_FAULT", "refuse", 1);
    spawn_acre(&spawned, "replay", "-r1", "-a", "system", "-w", plugin, hundred, NULL);
    assert_int_equal(spawned.code, 0);
    has(spawned.out, "bump could not serve 100 operations");
    has(spawned.out, "bump does not complete in a pool of any size\n");
}

/* A plugin with memory of its own: no pool, and a resize is an allocation, a copy and a free. */
static void plugin_without_a_pool(void **state)
{
    (void)state;
    spawn_acre(&spawned, "replay", "--json", "-r1", "-a", "system", "-w",
        built("tests/own_plugin.so"), churn, NULL);
    assert_int_equal(spawned.code, 0);
    cJSON *json = parse_output();
    const cJSON *own = row_of(process_of(json, 0), "own");
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(own, "verified")));
    assert_true(number(own, "ns_per_operation") > 0.0);
    assert_true(number(cJSON_GetObjectItem(own, "operation_" ACRE_CLOCK_UNIT), "worst") > 0.0);
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(own, "pool_bytes")));
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(own, "smallest_pool_bytes")));
    assert_true(
        number(own, "resident_growth_bytes") >= number(process_of(json, 0), "peak_live_bytes"));
    cJSON_Delete(json);
}

static void plugins_that_are_none(void **state)
{
    (void)state;
    spawn_acre(&spawned, "replay", "-w", built("tests/no_plugin.so"), hundred, NULL);
    assert_int_equal(spawned.code, 1);
    has(spawned.err, "no_plugin.so is not an acre plugin: it does not export 'acre_plugin'");
    spawn_acre(&spawned, "replay", "-w", "/no/such.so", hundred, NULL);
    assert_int_equal(spawned.code, 1);
    has(spawned.err, "cannot load /no/such.so: ");
    spawn_acre(&spawned, "replay", "-w", plugin, "-w", plugin, hundred, NULL);
    assert_int_equal(spawned.code, 1);
    has(spawned.err, "two allocators are called 'bump'");
}

/* Three processes: 2, 5 and 5 operations. */
static const char *three_processes(void)
{
    static const int sizes[] = { 2, 5, 5 };
    const char *path = trace_path("three.acre");
    struct trace_made made = trace_begin(path);
    for (uint32_t i = 0; i < 3; i++) {
        trace_process(&made, 20 + i, i ? "child" : "parent");
        for (int j = 0; j < sizes[i]; j++)
            trace_alloc(&made, 100, 0);
        trace_process_end(&made);
    }
    trace_end(&made);
    return path;
}

static void processes_are_chosen(void **state)
{
    const char *path = three_processes();
    (void)state;
    spawn_acre(&spawned, "replay", "-r1", "-a", "system", path, NULL);
    assert_int_equal(spawned.code, 0);
    has(spawned.out, "process 1 (of 0..2): child, pid 21, 1 thread\n");
    has(spawned.out, "\n42 % of the operations in the trace; --process chooses another process\n");
    spawn_acre(&spawned, "replay", "-r1", "-a", "system", "--process=0", path, NULL);
    assert_int_equal(spawned.code, 0);
    has(spawned.out, "process 0 (of 0..2): parent, pid 20, 1 thread\n");
    spawn_acre(&spawned, "replay", "-r1", "-a", "system", "--process", "3", path, NULL);
    assert_int_equal(spawned.code, 1);
    has(spawned.err, "the trace has no process 3 (choose from 0 to 2)");
    spawn_acre(&spawned, "replay", "-r1", "-a", "system", "--process=all", "--json", path, NULL);
    assert_int_equal(spawned.code, 0);
    cJSON *json = parse_output();
    assert_int_equal(count(process_of(json, 0), "operations_in_trace"), 12);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "processes")), 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(count(process_of(json, i), "pid"), 20 + i);
    cJSON_Delete(json);
}

/* Of several tables each has its rows, and the notes stand once, below the last. */
static void notes_stand_once(void **state)
{
    const char *const note = "\nverified: no block misplaced";
    (void)state;
    spawn_acre(&spawned, "replay", "-r1", "-a", "system", "--process=all", three_processes(), NULL);
    assert_int_equal(spawned.code, 0);
    const char *second = strstr(spawned.out, "\n\nprocess 1 (of 0..2)");
    const char *third = strstr(spawned.out, "\n\nprocess 2 (of 0..2)");
    assert_true(second && third && second < third);
    assert_true(strstr(spawned.out, note) > third);
    assert_null(strstr(spawned.out, "--process chooses"));
}

static void trace_from_a_pipe(void **state)
{
    char script[9000];
    (void)state;
    snprintf(
        script, sizeof script, "cat '%s' | '%s' replay -r1 -a system -", hundred, built("acre"));
    spawn(&spawned, (const char *[]){ "/bin/sh", "-c", script, NULL });
    assert_int_equal(spawned.code, 0);
    has(spawned.out, "process 0: hundred");
}

static void sizes_of_zero_and_giants(void **state)
{
    const char *path = trace_path("odd.acre");
    struct trace_made made = trace_begin(path);
    (void)state;
    trace_process(&made, 1, "odd");
    uint64_t none = trace_alloc(&made, 0, 0);
    uint64_t page = trace_alloc(&made, 0, 4096);
    uint64_t giant = trace_alloc(&made, UINT64_C(1) << 23, 0);
    none = trace_resize(&made, none, 0);
    page = trace_resize(&made, page, 5000);
    trace_free(&made, giant);
    trace_free(&made, page);
    trace_free(&made, none);
    trace_process_end(&made);
    trace_end(&made);
    spawn_acre(&spawned, "replay", "-r1", path, "-w", plugin, NULL);
    assert_int_equal(spawned.code, 0);
    has(spawned.out, "8 operations: 3 allocated, 3 freed, 2 resized\n");
    has(spawned.out, "verified: ");
}

/* One block that no machine has room for, and one alignment that none has. */
static void one_block(const char *path, uint64_t size, uint64_t align)
{
    struct trace_made made = trace_begin(path);
    trace_process(&made, 1, "giant");
    trace_alloc(&made, size, align);
    trace_process_end(&made);
    trace_end(&made);
}

static void giants_fail_and_nothing_else(void **state)
{
    const char *path = trace_path("giant.acre");
    (void)state;
    setenv("ASAN_OPTIONS", "allocator_may_return_null=1", 1);
    one_block(path, UINT64_C(1) << (sizeof(void *) == 8 ? 45 : 30), 0);
    spawn_acre(&spawned, "replay", "-r1", "--no-pool-search", path, "-w", plugin, NULL);
    assert_int_equal(spawned.code, 0);
    if (sizeof(void *) == 8) /* a pool of half the addresses of a 32-bit machine can be had */
        has(spawned.out, "bump cannot work in a pool of ");
    one_block(path, 1, UINT64_C(1) << (sizeof(void *) == 8 ? 45 : 30));
    spawn_acre(&spawned, "replay", "-r1", path, "-w", plugin, NULL);
    assert_int_equal(spawned.code, 0);
    if (sizeof(void *) == 8) /* 2^30 bytes of alignment are nothing out of the way elsewhere */
        has(spawned.out, "system could not serve 1 operation\n");
    has(spawned.out, "bump could not serve 1 operation in a pool of ");
    has(spawned.out, "bump does not complete in a pool of any size\n");
}

static void is_refused(const char *path, const char *message)
{
    spawn_acre(&spawned, "replay", "-r1", path, NULL);
    assert_int_equal(spawned.code, 1);
    assert_string_equal(spawned.out, "");
    has(spawned.err, "acre replay: ");
    has(spawned.err, message);
    assert_int_equal(strchr(spawned.err, '\n') - spawned.err, strlen(spawned.err) - 1);
}

static void write_file(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static void bad_files_are_refused(void **state)
{
    static const char text[] = "This is not a trace at all, but a line of text.\n";
    const char *path = trace_path("bad.acre");
    (void)state;
    is_refused("/no/such/trace.acre", "No such file");
    is_refused("/", "");
    write_file(path, "", 0);
    is_refused(path, "bad.acre");
    write_file(path, text, sizeof text - 1);
    is_refused(path, "bad.acre");
}

static void trace_without_operations(void **state)
{
    const char *path = trace_path("empty.acre");
    struct trace_made made = trace_begin(path);
    (void)state;
    trace_end(&made);
    is_refused(path, "the trace has no process");
    made = trace_begin(path);
    trace_process(&made, 1, "idle");
    trace_process_end(&made);
    trace_end(&made);
    is_refused(path, "nothing to replay: no allocation was recorded");
}

/* A trace that asks for what no machine can give. */
static void absurd_trace(void **state)
{
    const char *path = trace_path("absurd.acre");
    struct trace_made made = trace_begin(path);
    (void)state;
    trace_process(&made, 1, "absurd");
    trace_alloc(&made, UINT64_MAX, 0);
    trace_process_end(&made);
    trace_end(&made);
    is_refused(path, "process 0 cannot be replayed: more bytes live at once");
}

static size_t read_file(const char *path, unsigned char *bytes, size_t room)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(bytes, 1, room, file);
    fclose(file);
    return size;
}

/* Cut short, or one bit turned: an error, or (in bytes that say nothing) the same trace. */
static void damaged_traces_are_refused(void **state)
{
    static unsigned char bytes[4096];
    const char *path = trace_path("damaged.acre");
    size_t size = read_file(hundred, bytes, sizeof bytes);
    (void)state;
    for (size_t cut = 0; cut < size; cut += size / 12 + 1) {
        write_file(path, bytes, cut);
        is_refused(path, "damaged.acre");
    }
    for (size_t at = 0; at < size; at += size / 12 + 1) {
        bytes[at] ^= 0x10;
        write_file(path, bytes, size);
        bytes[at] ^= 0x10;
        spawn_acre(&spawned, "replay", "-r1", "-a", "system", path, NULL);
        if (spawned.code == 0)
            has(spawned.out, "100 operations: 100 allocated, 0 freed, 0 resized\n");
        else
            has(spawned.err, "damaged.acre");
        assert_true(spawned.code == 0 || spawned.code == 1);
    }
}

#define TEST(name) cmocka_unit_test_setup(name, no_fault)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(smallest_pool_is_exact),
        TEST(figures_make_sense),
        TEST(built_in_allocators_fit),
        TEST(table_has_a_row_for_each),
        TEST(pool_can_be_given),
        TEST(json_goes_to_a_file_as_well),
        TEST(faulty_allocators_are_found),
        TEST(faults_are_in_the_json),
        TEST(allocator_that_serves_nothing),
        TEST(plugin_without_a_pool),
        TEST(plugins_that_are_none),
        TEST(processes_are_chosen),
        TEST(notes_stand_once),
        TEST(trace_from_a_pipe),
        TEST(sizes_of_zero_and_giants),
        TEST(giants_fail_and_nothing_else),
        TEST(bad_files_are_refused),
        TEST(trace_without_operations),
        TEST(absurd_trace),
        TEST(damaged_traces_are_refused),
    };
    return cmocka_run_group_tests(tests, make_traces, NULL);
}
