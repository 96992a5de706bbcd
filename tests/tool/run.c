/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* acre run, with a library in place of the drop-in malloc that does nothing. */
#include "tool/spawn.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct spawned spawned;

/* A tool of 32 bits serves no program of 64 bits, as env and sh are. */
static void skip_on_narrow_tools(void)
{
    if (sizeof(void *) == 4) {
        print_message("the program it runs is 64-bit\n");
        skip();
    }
}

/* A folder with the tool in it and what is to be preloaded beside it: a library that does nothing.
 */
static char folder[4000];
static char copied_tool[4096];

static int copy(const char *from, const char *to)
{
    spawn(&spawned, (const char *[]){ "cp", from, to, NULL });
    return spawned.code;
}

static int make_folder(void **state)
{
    char library[4096];
    (void)state;
    snprintf(folder, sizeof folder, "%s/tests/run_folder", getenv("ACRE_BUILD"));
    snprintf(copied_tool, sizeof copied_tool, "%s/acre", folder);
    snprintf(library, sizeof library, "%s/libacre-malloc.so", folder);
    mkdir(folder, 0777);
    return copy(built("acre"), copied_tool) + copy(built("tests/no_plugin.so"), library);
}

static void run_sets_the_environment(void **state)
{
    char preload[4096];
    (void)state;
    skip_on_narrow_tools();
    setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 1);
    setenv("LD_PRELOAD", built("tests/no_plugin.so"), 1);
    spawn(&spawned,
        (const char *[]){ copied_tool, "run", "--pool=3M", "--stats", "--", "env", NULL });
    unsetenv("LD_PRELOAD");
    assert_int_equal(spawned.code, 0);
    has(spawned.out, "ACRE_ALLOCATOR=threaded\n");
    has(spawned.out, "ACRE_POOL=3145728\n");
    has(spawned.out, "ACRE_STATS=1\n");
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s/libacre-malloc.so:%s\n", folder,
        built("tests/no_plugin.so"));
    has(spawned.out, preload);
}

static void run_prefers_its_option_to_the_environment(void **state)
{
    (void)state;
    skip_on_narrow_tools();
    setenv("ACRE_ALLOCATOR", "buddy", 1);
    spawn(&spawned, (const char *[]){ copied_tool, "run", "-a", "slab", "env", NULL });
    unsetenv("ACRE_ALLOCATOR");
    assert_int_equal(spawned.code, 0);
    has(spawned.out, "ACRE_ALLOCATOR=slab\n");
}

/* Mallocs that are not acre's have names too. */
static void run_takes_mallocs(void **state)
{
    (void)state;
    setenv("ACRE_ALLOCATOR", "slab", 1);
    spawn(&spawned, (const char *[]){ copied_tool, "run", "-a", "system", "env", NULL });
    unsetenv("ACRE_ALLOCATOR");
    assert_int_equal(spawned.code, 0);
    assert_null(strstr(spawned.out, "ACRE_ALLOCATOR="));
    assert_null(strstr(spawned.out, "LD_PRELOAD="));
    spawn(
        &spawned, (const char *[]){ copied_tool, "run", "-a", "system", "-p", "1M", "env", NULL });
    assert_int_equal(spawned.code, 2);
    has(spawned.err, "'system' is not one of acre's allocators");
    spawn(&spawned, (const char *[]){
                        copied_tool, "run", "-a", "system", built("tests/static_program"), NULL });
    assert_int_equal(spawned.code, 5); /* its own: nothing is loaded into it */
}

static void run_leaves_the_environment_alone(void **state)
{
    (void)state;
    skip_on_narrow_tools();
    spawn(&spawned, (const char *[]){ copied_tool, "run", "env", NULL });
    assert_int_equal(spawned.code, 0);
    assert_null(strstr(spawned.out, "ACRE_POOL="));
    assert_null(strstr(spawned.out, "ACRE_STATS="));
}

static void run_passes_exit_codes_on(void **state)
{
    (void)state;
    skip_on_narrow_tools();
    spawn(&spawned, (const char *[]){ copied_tool, "run", "sh", "-c", "exit 37", NULL });
    assert_int_equal(spawned.code, 37);
    spawn(&spawned, (const char *[]){ copied_tool, "run", "--", "sh", "-c", "kill -9 $$", NULL });
    assert_int_equal(spawned.signal, SIGKILL);
    spawn(&spawned, (const char *[]){ copied_tool, "run", "no-such-command-here", NULL });
    assert_int_equal(spawned.code, 127);
    has(spawned.err, "acre run: cannot run 'no-such-command-here': No such file or directory");
    spawn(&spawned, (const char *[]){ copied_tool, "run", "slab/2048", "ls", NULL });
    assert_int_equal(spawned.code, 127);
    has(spawned.err,
        "'slab/2048' is an allocator, not a command: acre run --allocator=slab/2048 -- COMMAND");
    spawn(&spawned, (const char *[]){ copied_tool, "run", "/", NULL });
    assert_int_equal(spawned.code, 126);
}

static void run_refuses_static_programs(void **state)
{
    (void)state;
    skip_on_narrow_tools();
    spawn(&spawned,
        (const char *[]){ copied_tool, "run", "--", built("tests/static_program"), NULL });
    assert_int_equal(spawned.code, 126);
    has(spawned.err, "static_program' cannot be served: it is statically linked");
    spawn(
        &spawned, (const char *[]){ copied_tool, "run", "--", built("tests/musl_program"), NULL });
    assert_int_equal(spawned.code, 126);
    has(spawned.err, "musl_program' cannot be served: it is linked to musl");
    spawn(&spawned, (const char *[]){ copied_tool, "run", "true", NULL });
    assert_int_equal(spawned.code, 0);
    assert_string_equal(spawned.err, "");
}

static void run_without_its_library(void **state)
{
    char library[4096];
    (void)state;
    snprintf(library, sizeof library, "%s/libacre-malloc.so", folder);
    assert_int_equal(unlink(library), 0);
    spawn(&spawned, (const char *[]){ copied_tool, "run", "true", NULL });
    assert_int_equal(spawned.code, 1);
    has(spawned.err, "libacre-malloc.so', here or installed");
    spawn(&spawned, (const char *[]){ copied_tool, "bench", NULL });
    assert_int_equal(spawned.code, 1);
    has(spawned.err, "acre-bench', here or installed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_sets_the_environment),
        cmocka_unit_test(run_prefers_its_option_to_the_environment),
        cmocka_unit_test(run_takes_mallocs),
        cmocka_unit_test(run_leaves_the_environment_alone),
        cmocka_unit_test(run_passes_exit_codes_on),
        cmocka_unit_test(run_refuses_static_programs),
        cmocka_unit_test(run_without_its_library),
    };
    return cmocka_run_group_tests(tests, make_folder, NULL);
}
