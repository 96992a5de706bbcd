/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The made-up programs: traces that can be read, the same each time, of the kind they promise. */
#include "tool/compare/scenario.h"
#include "tool/spawn.h"
#include "tool/traces.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct spawned spawned;

/* What a trace comes to. */
struct sum {
    uint64_t allocs, frees, resizes, live, peak, aligned, hash;
};

static void add(struct sum *sum, const struct acre_trace_event *event)
{
    sum->hash = sum->hash * UINT64_C(6364136223846793005) + event->size * 8 + event->op;
    if (event->op == ACRE_TRACE_ALLOC) {
        sum->allocs++;
        sum->aligned += event->align > 16;
        sum->live += event->size;
    } else if (event->op == ACRE_TRACE_FREE) {
        sum->frees++;
        sum->live -= event->size;
    } else if (event->op == ACRE_TRACE_RESIZE) {
        sum->resizes++;
        sum->live += event->size - event->old_size;
    }
    sum->peak = sum->live > sum->peak ? sum->live : sum->peak;
}

static struct sum sum_of(const struct compare_scenario *scenario, const char *path)
{
    struct sum sum = { 0 };
    struct acre_trace_event event;
    assert_true(compare_scenario_write(scenario, path));
    struct acre_trace_input *input = acre_trace_input_open(path, 0);
    while (acre_trace_input_next(input, &event) == ACRE_TRACE_OK)
        add(&sum, &event);
    assert_int_equal(acre_trace_input_status(input), ACRE_TRACE_DONE);
    acre_trace_input_close(input);
    return sum;
}

static void each_is_the_same_each_time(void **state)
{
    const char *path = trace_path("scenario.acre");
    (void)state;
    for (const struct compare_scenario *each = compare_scenarios; each->name; each++) {
        struct sum first = sum_of(each, path);
        struct sum second = sum_of(each, path);
        assert_memory_equal(&first, &second, sizeof first);
        if (first.allocs < 20000 || first.allocs > 1000000 || first.frees < 20000)
            fail_msg("%s: %llu allocations", each->name, (unsigned long long)first.allocs);
    }
}

/* What the lines that describe them promise. */
static void each_is_of_its_kind(void **state)
{
    const char *path = trace_path("scenario_kind.acre");
    (void)state;
    struct sum kernel = sum_of(compare_scenario_find("kernel"), path);
    struct sum database = sum_of(compare_scenario_find("database"), path);
    struct sum json = sum_of(compare_scenario_find("json"), path);
    struct sum fragmenter = sum_of(compare_scenario_find("fragmenter"), path);
    assert_true(kernel.aligned > 100 && kernel.aligned < kernel.allocs / 10);
    assert_true(database.resizes > 500 && database.aligned > 2000);
    assert_true(json.resizes > 500 && json.aligned == 0);
    assert_true(fragmenter.peak == UINT64_C(2097152) && fragmenter.resizes == 0);
    assert_true(fragmenter.live > fragmenter.peak / 3);
}

static void unknown_names_are_refused(void **state)
{
    (void)state;
    assert_null(compare_scenario_find("webserver"));
    spawn_acre(&spawned, "compare", "--scenario=webserver", NULL);
    assert_int_equal(spawned.code, 2);
    assert_non_null(strstr(spawned.err, "invalid scenario 'webserver' (choose from kernel, "));
    spawn_acre(&spawned, "compare", "--scenario=kernel", "some.acre", NULL);
    assert_int_equal(spawned.code, 2);
}

static void one_is_compared(void **state)
{
    (void)state;
    spawn_acre(
        &spawned, "compare", "-r1", "-a", "system", "--scenario=json", "--goal=memory", NULL);
    assert_int_equal(spawned.code, 0);
    assert_string_equal(spawned.err, "");
    assert_non_null(strstr(spawned.out, "json: a service that parses documents"));
    assert_non_null(strstr(spawned.out, "process 0: json, 1 thread\n"));
    assert_non_null(strstr(spawned.out, "\nleast memory: system\n"));
}

static void places_that_cannot_be_written(void **state)
{
    (void)state;
    assert_false(compare_scenario_write(compare_scenario_find("json"), "/no/such/folder/file"));
    spawn_acre(&spawned, "compare", "--scenario=json", "--trace=/no/such/folder/file", NULL);
    assert_int_equal(spawned.code, 1);
    assert_non_null(strstr(spawned.err, "cannot write '/no/such/folder/file'"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_the_same_each_time),
        cmocka_unit_test(each_is_of_its_kind),
        cmocka_unit_test(unknown_names_are_refused),
        cmocka_unit_test(one_is_compared),
        cmocka_unit_test(places_that_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
