/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* An interrupted replay prints what it has and ends by the signal. */
#include "tool/spawn.h"
#include "tool/traces.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

static struct spawned spawned;
static const char *trace;

/* The plugin hangs for good at its fiftieth block, so that the signal comes in time. */
static int make_trace(void **state)
{
    (void)state;
    trace = trace_path("interrupted.acre");
    trace_hundred_blocks(trace);
    return setenv("ACRE_TEST_FAULT", "hang", 1);
}

static void table_of_what_is_done(void **state)
{
    (void)state;
    spawn_acre_and_interrupt(&spawned, SIGINT, "replay", "-a", "system", "-w",
        built("tests/test_plugin.so"), trace, NULL);
    assert_int_equal(spawned.signal, SIGINT);
    assert_string_equal(spawned.err, "");
    assert_non_null(strstr(spawned.out, "100 operations: 100 allocated"));
    assert_non_null(strstr(spawned.out, "\nsystem "));
    assert_non_null(strstr(spawned.out, "interrupted: not everything was measured\n"));
}

static void json_of_what_is_done(void **state)
{
    (void)state;
    spawn_acre_and_interrupt(&spawned, SIGTERM, "replay", "--json", "-a", "system", "-w",
        built("tests/test_plugin.so"), trace, NULL);
    assert_int_equal(spawned.signal, SIGTERM);
    cJSON *json = cJSON_Parse(spawned.out);
    assert_non_null(json);
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(json, "interrupted")));
    cJSON_Delete(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_of_what_is_done),
        cmocka_unit_test(json_of_what_is_done),
    };
    return cmocka_run_group_tests(tests, make_trace, NULL);
}
