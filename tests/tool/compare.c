/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* acre compare on traces whose outcome is known, and on bad files and command lines. */
#include "registry/registry.h"
#include "tool/spawn.h"
#include "tool/traces.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
    hundred = trace_path("compare_hundred.acre");
    churn = trace_path("compare_churn.acre");
    trace_hundred_blocks(hundred);
    trace_churn(churn, 5000);
    return 0;
}

/* The comparison in a file that --output named; the caller deletes it. */
static cJSON *parse_file(const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        fail_msg("no file %s: %s", path, spawned.err);
    size_t size = (size_t)ftell(file);
    char *text = calloc(size + 1, 1);
    rewind(file);
    assert_int_equal(fread(text, 1, size, file), size);
    fclose(file);
    cJSON *json = cJSON_Parse(text);
    free(text);
    assert_non_null(json);
    return json;
}

static const cJSON *row_of(const cJSON *json, const char *name)
{
    const cJSON *row;
    cJSON_ArrayForEach(row, cJSON_GetObjectItem(json, "allocators"))
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

static const cJSON *advice_of(const cJSON *json, const char *goal)
{
    return cJSON_GetObjectItem(cJSON_GetObjectItem(json, "recommendations"), goal);
}

static void known_figures_are_exact(void **state)
{
    const char *path = trace_path("compare.json");
    (void)state;
    spawn_acre(&spawned, "compare", "-r2", "-a", "system", "-w", plugin, "-o", path, hundred, NULL);
    assert_int_equal(spawned.code, 0);
    assert_string_equal(spawned.err, "");
    cJSON *json = parse_file(path);
    const cJSON *bump = row_of(json, "bump");
    const cJSON *profile = cJSON_GetObjectItem(json, "profile");
    const cJSON *sizes = cJSON_GetArrayItem(cJSON_GetObjectItem(profile, "sizes"), 0);
    const cJSON *live = cJSON_GetObjectItem(profile, "live_bytes");
    assert_int_equal(count(json, "peak_live_bytes"), 16000);
    assert_int_equal(count(json, "replays"), 2);
    assert_int_equal(count(bump, "smallest_pool_bytes"), 16064);
    assert_true(cJSON_GetArrayItem(sizes, 0)->valueint == 160);
    assert_true(cJSON_GetArrayItem(sizes, 1)->valueint == 100);
    assert_int_equal(cJSON_GetArraySize(live), 100);
    assert_int_equal(cJSON_GetArrayItem(live, 0)->valueint, 160);
    assert_int_equal(cJSON_GetArrayItem(live, 99)->valueint, 16000);
    assert_string_equal(
        cJSON_GetStringValue(cJSON_GetObjectItem(advice_of(json, "memory"), "allocator")), "bump");
    cJSON_Delete(json);
}

/* A backend has one name everywhere; a name that ends in a slash stands for all that begin so. */
static void backends_have_one_name(void **state)
{
    const char *path = trace_path("compare_heap.json");
    (void)state;
    if (!acre_backend_find("heap/slab") || !acre_backend_find("heap/tlsf"))
        skip();
    spawn_acre(&spawned, "compare", "-r1", "-a", "heap/slab", "-a", "slab/1024", "-o", path,
        hundred, NULL);
    assert_int_equal(spawned.code, 0);
    cJSON *json = parse_file(path);
    const cJSON *heap = row_of(json, "heap/slab");
    const cJSON *slab = row_of(json, "slab/1024");
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(heap, "allocator")), "heap/slab");
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(slab, "allocator")), "slab");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "allocators")), 2);
    cJSON_Delete(json);
    spawn_acre(&spawned, "compare", "-r1", "-a", "heap/", hundred, NULL);
    assert_int_equal(spawned.code, 0);
    has(spawned.out, "\nheap/slab ");
    has(spawned.out, "\nheap/tlsf ");
    spawn_acre(&spawned, "compare", "-a", "slab/2047", hundred, NULL);
    assert_int_equal(spawned.code, 2);
    has(spawned.err, "unknown allocator 'slab/2047', did you mean 'slab/2048'? (choose from tlsf");
}

/* Blocks that are all live at once are all resident, and memory that was freed in between counts
 * where it was most. */
static void resident_memory_is_counted(void **state)
{
    const char *trace = trace_path("compare_resident.acre");
    const char *path = trace_path("compare_resident.json");
    struct trace_made made = trace_begin(trace);
    uint64_t blocks[400];
    (void)state;
    trace_process(&made, 1, "resident");
    for (int i = 0; i < 400; i++)
        blocks[i] = trace_alloc(&made, 8000, 0);
    for (int i = 0; i < 400; i++)
        trace_free(&made, blocks[399 - i]);
    trace_process_end(&made);
    trace_end(&made);
    spawn_acre(&spawned, "compare", "-r1", "-a", "system", "-o", path, trace, NULL);
    assert_int_equal(spawned.code, 0);
    cJSON *json = parse_file(path);
    double ratio = number(row_of(json, "system"), "memory_per_peak_live");
    if (ratio < 0.95 || ratio > 3.0)
        fail_msg("%f of what is live", ratio);
    cJSON_Delete(json);
}

static double resident_in_the_end(const cJSON *json, const char *name)
{
    const cJSON *over_time = cJSON_GetObjectItem(row_of(json, name), "over_time");
    const cJSON *resident = cJSON_GetObjectItem(over_time, "resident");
    return cJSON_GetArrayItem(resident, cJSON_GetArraySize(resident) - 1)->valuedouble;
}

#if defined(ACRE_SANITIZED)
enum { SANITIZED = true };
#else
enum { SANITIZED = false };
#endif

/* Large blocks that are freed leave the process of "system" and stay in that of "system-keep". */
static void system_keep_keeps_its_memory(void **state)
{
    if (SANITIZED || sizeof(void *) == 4) {
        print_message("glibc's malloc is replaced here, or keeps no block of 40 MB (32-bit)\n");
        skip();
    }
    const char *trace = trace_path("compare_keep.acre");
    const char *path = trace_path("compare_keep.json");
    struct trace_made made = trace_begin(trace);
    (void)state;
    trace_process(&made, 1, "keep");
    for (int i = 0; i < 3; i++)
        trace_free(&made, trace_alloc(&made, 40000000, 0));
    trace_process_end(&made);
    trace_end(&made);
    spawn_acre(
        &spawned, "compare", "-r1", "-a", "system", "-a", "system-keep", "-o", path, trace, NULL);
    assert_int_equal(spawned.code, 0);
    cJSON *json = parse_file(path);
    assert_string_equal(
        cJSON_GetStringValue(cJSON_GetObjectItem(row_of(json, "system-keep"), "origin")), "tuned");
    assert_true(resident_in_the_end(json, "system") < 4000000.0);
    assert_true(resident_in_the_end(json, "system-keep") > 4000000.0);
    cJSON_Delete(json);
}

/* Every allocator built in takes part, and what is known of each one fits together. */
static void allocators_built_in_take_part(void **state)
{
    const char *path = trace_path("compare_all.json");
    (void)state;
    spawn_acre(&spawned, "compare", "-r2", "-o", path, churn, NULL);
    assert_int_equal(spawned.code, 0);
    cJSON *json = parse_file(path);
    for (const struct acre_backend *kind = acre_backends; kind->name; kind++) {
        const cJSON *row;
        size_t found = !kind->compared;
        cJSON_ArrayForEach(row, cJSON_GetObjectItem(json, "allocators"))
        {
            const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(row, "name"));
            if (strcmp(name, kind->name) != 0)
                continue;
            found++;
            assert_true(cJSON_IsTrue(cJSON_GetObjectItem(row, "verified")));
            assert_true(number(row, "memory_per_peak_live") > 1.0);
            assert_true(number(row, "internal_fragmentation") > 0.0);
            assert_true(number(row, "internal_fragmentation") < 1.0);
            assert_true(number(row, "external_fragmentation") >= 0.0);
            assert_true(number(row, "external_fragmentation") < 1.0);
            assert_true(number(row, "metadata_bytes") < number(row, "smallest_pool_bytes"));
            assert_true(number(row, "ns_per_operation_touched") > 0.0);
            assert_int_equal(count(row, "failed_operations"), 0);
            assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(
                                 cJSON_GetObjectItem(row, "over_time"), "used")),
                512);
        }
        if (!found)
            fail_msg("%s does not take part", kind->name);
    }
    cJSON_Delete(json);
}

/* No operation is lost on the way to the spread of their times. */
static void every_operation_is_in_the_spread(void **state)
{
    const char *path = trace_path("compare_spread.json");
    int sum = 0;
    (void)state;
    spawn_acre(&spawned, "compare", "-r1", "-a", "system", "-o", path, churn, NULL);
    cJSON *json = parse_file(path);
    const cJSON *pair;
    cJSON_ArrayForEach(pair, cJSON_GetObjectItem(row_of(json, "system"), "operation_spread"))
    {
        sum += cJSON_GetArrayItem(pair, 1)->valueint;
    }
    assert_int_equal(sum, 5000);
    cJSON_Delete(json);
}

/* What does not depend on the clock is the same when the operations are read from disk. */
static void long_traces_are_read_from_disk(void **state)
{
    static const char *const same[] = { "smallest_pool_bytes", "metadata_bytes",
        "internal_fragmentation", "external_fragmentation", "failed_operations" };
    const char *long_trace = trace_path("compare_long.acre");
    const char *held = trace_path("compare_held.json");
    const char *streamed = trace_path("compare_streamed.json");
    (void)state;
    trace_churn(long_trace, 70000);
    const char *other_name = acre_backends[0].name ? acre_backends[0].name : "system";
    spawn_acre(
        &spawned, "compare", "-r1", "-a", "system", "-a", other_name, "-o", held, long_trace, NULL);
    assert_int_equal(spawned.code, 0);
    spawn_acre(&spawned, "compare", "-r2", "--hold=4K", "-a", "system", "-a", other_name, "-o",
        streamed, long_trace, NULL);
    assert_int_equal(spawned.code, 0);
    assert_string_equal(spawned.err, "");
    cJSON *left = parse_file(held);
    cJSON *right = parse_file(streamed);
    const cJSON *row;
    cJSON_ArrayForEach(row, cJSON_GetObjectItem(right, "allocators"))
    {
        const cJSON *other = row_of(left, cJSON_GetStringValue(cJSON_GetObjectItem(row, "name")));
        assert_true(cJSON_IsTrue(cJSON_GetObjectItem(row, "verified")));
        for (size_t i = 0; cJSON_IsNumber(cJSON_GetObjectItem(row, "smallest_pool_bytes")) && i < 5;
             i++)
            if (!cJSON_Compare(
                    cJSON_GetObjectItem(row, same[i]), cJSON_GetObjectItem(other, same[i]), true))
                fail_msg("%s differs", same[i]);
        int sum = 0;
        const cJSON *pair;
        cJSON_ArrayForEach(pair, cJSON_GetObjectItem(row, "operation_spread"))
        {
            sum += cJSON_GetArrayItem(pair, 1)->valueint;
        }
        assert_int_equal(sum, 70000);
    }
    assert_true(cJSON_Compare(
        cJSON_GetObjectItem(left, "profile"), cJSON_GetObjectItem(right, "profile"), true));
    cJSON_Delete(left);
    cJSON_Delete(right);
}

static void text_has_tables_and_advice(void **state)
{
    (void)state;
    spawn_acre(&spawned, "compare", "--why", "-r2", "-a", "system", "-w", plugin, hundred, NULL);
    assert_int_equal(spawned.code, 0);
    assert_string_equal(spawned.err, "");
    has(spawned.out, "process 0: hundred, pid 10, 1 thread\n");
    has(spawned.out, "\nallocator ");
    has(spawned.out, " *16,064 ");
    has(spawned.out, " *1.004 ");
    has(spawned.out, "\nleast memory: bump\n");
    has(spawned.out, "\nhighest speed: ");
    has(spawned.out, "\ntightest worst case: ");
    has(spawned.out, "\nbalanced: ");
    assert_null(strstr(spawned.out, " \n"));
}

/* The verdict comes first, a line for each allocator follows, and nothing is coloured in a file. */
static void verdict_comes_first(void **state)
{
    (void)state;
    spawn_acre(&spawned, "compare", "-r2", "-a", "system", "-w", plugin, churn, NULL);
    assert_int_equal(spawned.code, 0);
    assert_true(strncmp(spawned.out, "take ", 5) == 0 || strncmp(spawned.out, "keep ", 5) == 0);
    has(spawned.out, "\nallocator ");
    has(spawned.out, "\nbump ");
    has(spawned.out, "\nsystem ");
    has(spawned.out, "--why shows all figures");
    has(spawned.out, "\nrequests by size in bytes: ");
    assert_null(strstr(spawned.out, "\nleast memory:"));
    assert_null(strchr(spawned.out, '\033'));
    assert_null(strstr(spawned.out, " \n"));
}

static void goal_chooses_the_advice(void **state)
{
    (void)state;
    spawn_acre(&spawned, "compare", "-r1", "-asystem", "--goal=worst", hundred, NULL);
    assert_int_equal(spawned.code, 0);
    has(spawned.out, "\ntightest worst case: system\n");
    assert_null(strstr(spawned.out, "least memory"));
    assert_null(strstr(spawned.out, "balanced"));
}

/* A plugin can be named, stands alone then, and has no setting of another. */
static void plugins_have_names(void **state)
{
    const char *path = trace_path("compare_plugin.json");
    (void)state;
    spawn_acre(
        &spawned, "compare", "--why", "-r1", "-abump", "-w", plugin, "-o", path, hundred, NULL);
    assert_int_equal(spawned.code, 0);
    has(spawned.out, "\nleast memory: bump\n");
    has(spawned.out, "median of 1 alternated replay,");
    cJSON *json = parse_file(path);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "allocators")), 1);
    cJSON_Delete(json);
    static const char *const verbs[] = { "compare", "replay" };
    for (size_t i = 0; i < 2; i++) {
        spawn_acre(&spawned, verbs[i], "-r1", "-abmp", "-w", plugin, hundred, NULL);
        assert_int_equal(spawned.code, 2);
        has(spawned.err, "unknown allocator 'bmp', did you mean 'bump'? (choose from ");
        has(spawned.err, "tcmalloc, bump)");
    }
    spawn_acre(&spawned, "replay", "-r1", "-abump", "-w", plugin, hundred, NULL);
    assert_int_equal(spawned.code, 0);
    assert_null(strstr(spawned.out, "\nsystem "));
}

static void broken_allocator_is_shown(void **state)
{
    (void)state;
    setenv("ACRE_TEST_FAULT", "overlap", 1);
    spawn_acre(&spawned, "compare", "-W", "-r1", "-a", "system", "-w", plugin, hundred, NULL);
    assert_int_equal(spawned.code, 1);
    has(spawned.out, "\nbump (broken) ");
    has(spawned.out, "\nbump is broken: ");
    has(spawned.out, "\nleast memory: system\n");
}

static void interrupted_says_what_is_done(void **state)
{
    (void)state;
    setenv("ACRE_TEST_FAULT", "hang", 1);
    spawn_acre_and_interrupt(
        &spawned, SIGINT, "compare", "--why", "-a", "system", "-w", plugin, hundred, NULL);
    assert_int_equal(spawned.signal, SIGINT);
    assert_string_equal(spawned.err, "");
    has(spawned.out, "100 operations: 100 allocated");
    has(spawned.out, "\nsystem ");
    has(spawned.out, "interrupted: not everything was measured\n");
    has(spawned.out, "\nleast memory: system\n");
    spawn_acre_and_interrupt(
        &spawned, SIGINT, "compare", "--why", "-a", "bump", "-w", plugin, hundred, NULL);
    assert_int_equal(spawned.signal, SIGINT);
    has(spawned.out, "no verdict: interrupted before enough was measured\n\n");
    has(spawned.out, "100 operations: 100 allocated");
    assert_null(strstr(spawned.out, "ns/op")); /* no tables of nothing */
}

static void command_lines_that_are_wrong(void **state)
{
    (void)state;
    spawn_acre(&spawned, "compare", NULL);
    assert_int_equal(spawned.code, 2);
    has(spawned.err, "acre compare: no trace, command or scenario given");
    spawn_acre(&spawned, "compare", "--", NULL);
    assert_int_equal(spawned.code, 2);
    has(spawned.err, "no command given");
    spawn_acre(&spawned, "compare", hundred, "--", "true", NULL);
    assert_int_equal(spawned.code, 2);
    has(spawned.err, "give only one of a trace, a command and a scenario");
    spawn_acre(&spawned, "compare", "--goal=cheap", hundred, NULL);
    assert_int_equal(spawned.code, 2);
    has(spawned.err, "invalid goal 'cheap' (choose from memory, speed, worst, balanced)");
    spawn_acre(&spawned, "compare", "--goal=sped", hundred, NULL);
    assert_int_equal(spawned.code, 2);
    has(spawned.err, "invalid goal 'sped', did you mean 'speed'? (choose from ");
    spawn_acre(&spawned, "compare", "-a", "systen", hundred, NULL);
    assert_int_equal(spawned.code, 2);
    has(spawned.err, "did you mean 'system'?");
    spawn_acre(&spawned, "compare", "-r100", hundred, NULL);
    assert_int_equal(spawned.code, 2);
    spawn_acre(&spawned, "compare", "--scenario=kernl", NULL);
    assert_int_equal(spawned.code, 2);
    has(spawned.err, "invalid scenario 'kernl', did you mean 'kernel'? (choose from ");
    spawn_acre(&spawned, "compare", "true", NULL);
    assert_int_equal(spawned.code, 2);
    has(spawned.err, "no trace 'true'; acre compare -- true records and compares the command");
    spawn_acre(&spawned, "compare", "--process=first", hundred, NULL);
    assert_int_equal(spawned.code, 2);
}

static void bad_files_are_named(void **state)
{
    const char *cut = trace_path("compare_cut.acre");
    (void)state;
    spawn_acre(&spawned, "compare", "/no/such/file", NULL);
    assert_int_equal(spawned.code, 1);
    has(spawned.err, "acre compare: /no/such/file: ");
    trace_churn(cut, 5000);
    assert_int_equal(truncate(cut, 900), 0);
    spawn_acre(&spawned, "compare", cut, NULL);
    assert_int_equal(spawned.code, 1);
    has(spawned.err, cut);
    assert_string_equal(spawned.out, "");
    spawn_acre(&spawned, "compare", "--process=7", hundred, NULL);
    assert_int_equal(spawned.code, 1);
    has(spawned.err, "the trace has no process 7");
    spawn_acre(&spawned, "compare", "-w", "/no/such/plugin.so", hundred, NULL);
    assert_int_equal(spawned.code, 1);
    has(spawned.err, "cannot load /no/such/plugin.so: ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_figures_are_exact),
        cmocka_unit_test(resident_memory_is_counted),
        cmocka_unit_test(system_keep_keeps_its_memory),
        cmocka_unit_test(allocators_built_in_take_part),
        cmocka_unit_test(every_operation_is_in_the_spread),
        cmocka_unit_test(long_traces_are_read_from_disk),
        cmocka_unit_test(text_has_tables_and_advice),
        cmocka_unit_test(verdict_comes_first),
        cmocka_unit_test(goal_chooses_the_advice),
        cmocka_unit_test(plugins_have_names),
        cmocka_unit_test_teardown(broken_allocator_is_shown, no_fault),
        cmocka_unit_test_teardown(interrupted_says_what_is_done, no_fault),
        cmocka_unit_test(command_lines_that_are_wrong),
        cmocka_unit_test(backends_have_one_name),
        cmocka_unit_test(bad_files_are_named),
    };
    return cmocka_run_group_tests(tests, make_traces, NULL);
}
