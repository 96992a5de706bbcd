/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What the tool says to a command line, and the code it ends with. */
#include "registry/registry.h"
#include "tool/spawn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct spawned spawned;

/* A usage error: code 2, nothing on standard output, the message, a pointer to the help. */
static void is_usage_error(const char *message)
{
    assert_int_equal(spawned.code, 2);
    assert_string_equal(spawned.out, "");
    has(spawned.err, message);
    has(spawned.err, "\nTry 'acre");
    has(spawned.err, "--help'.\n");
}

static void version(void **state)
{
    (void)state;
    spawn_acre(&spawned, "--version", NULL);
    assert_int_equal(spawned.code, 0);
    assert_string_equal(spawned.out, "acre " ACRE_VERSION "\n");
    assert_string_equal(spawned.err, "");
}

static void nothing_at_all(void **state)
{
    (void)state;
    spawn_acre(&spawned, NULL);
    assert_int_equal(spawned.code, 2);
    assert_string_equal(spawned.out, "");
    has(spawned.err, "usage: acre ");
}

static void overview(void **state)
{
    static const char *const ways[] = { "--help", "-h", "help" };
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        spawn_acre(&spawned, ways[i], NULL);
        assert_int_equal(spawned.code, 0);
        assert_string_equal(spawned.err, "");
        has(spawned.out, "usage: acre ");
        has(spawned.out, "\n  run ");
        has(spawned.out, "\n  replay ");
    }
    spawn_acre(&spawned, "help", "help", NULL);
    assert_int_equal(spawned.code, 0);
    has(spawned.out, "usage: acre SUBCOMMAND");
}

/* No line of a help is broken by a terminal of 80 columns. */
static void fits_on_a_terminal(const char *text)
{
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
        if (strcspn(line, "\n") > 80)
            fail_msg("too long: %.100s", line);
}

static void help_of_each_subcommand(void **state)
{
    static const char *const names[] = { "run", "record", "replay", "info", "convert", "bench" };
    static char by_option[SPAWN_ROOM];
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char start[64];
        snprintf(start, sizeof start, "usage: acre %s", names[i]);
        spawn_acre(&spawned, names[i], "--help", NULL);
        assert_int_equal(spawned.code, 0);
        assert_memory_equal(spawned.out, start, strlen(start));
        fits_on_a_terminal(spawned.out);
        memcpy(by_option, spawned.out, sizeof by_option);
        spawn_acre(&spawned, "help", names[i], NULL);
        assert_int_equal(spawned.code, 0);
        assert_string_equal(spawned.out, by_option);
    }
}

static void unknown_words(void **state)
{
    (void)state;
    spawn_acre(&spawned, "relpay", NULL);
    is_usage_error("acre: unknown subcommand 'relpay', did you mean 'replay'?");
    spawn_acre(&spawned, "xyzzy", NULL);
    is_usage_error("acre: unknown subcommand 'xyzzy'\n");
    spawn_acre(&spawned, "help", "rnu", NULL);
    is_usage_error("unknown subcommand 'rnu', did you mean 'run'?");
    spawn_acre(&spawned, "--frobnicate", NULL);
    is_usage_error("acre: unknown option '--frobnicate'");
    spawn_acre(&spawned, "run", "--alocator=x", "ls", NULL);
    is_usage_error("acre run: unknown option '--alocator', did you mean '--allocator'?");
    spawn_acre(&spawned, "replay", "-z", "x.acre", NULL);
    is_usage_error("acre replay: unknown option '-z'");
}

static void wrong_values(void **state)
{
    (void)state;
    spawn_acre(&spawned, "run", "--pool=12q", "ls", NULL);
    is_usage_error("acre run: invalid --pool '12q' (expected a size");
    spawn_acre(&spawned, "run", "--pool", "99999999999T", "ls", NULL);
    is_usage_error("acre run: invalid --pool '99999999999T': too large");
    spawn_acre(&spawned, "replay", "--pool=0", "x", NULL);
    is_usage_error("acre replay: invalid --pool '0': must not be 0");
    spawn_acre(&spawned, "replay", "x", "--pool", NULL);
    is_usage_error("acre replay: --pool needs a value: SIZE");
    spawn_acre(&spawned, "replay", "--json=yes", "x", NULL);
    is_usage_error("acre replay: --json takes no value");
    spawn_acre(&spawned, "replay", "--repeat=100", "x", NULL);
    is_usage_error("acre replay: --repeat: at most 99");
    spawn_acre(&spawned, "replay", "--process=some", "x", NULL);
    is_usage_error("acre replay: invalid --process 'some' (expected a number or 'all')");
    spawn_acre(&spawned, "replay", "--process=all", "-", NULL);
    is_usage_error("acre replay: --process=all: standard input can be read only once");
}

static void missing_operands(void **state)
{
    (void)state;
    spawn_acre(&spawned, "run", NULL);
    has(spawned.err, "acre run: ");
    assert_int_equal(spawned.code, 2);
    spawn_acre(&spawned, "replay", NULL);
    is_usage_error("acre replay: no trace given");
    spawn_acre(&spawned, "replay", "a", "b", NULL);
    is_usage_error("acre replay: more than one trace given");
}

static void unknown_allocators_are_listed(void **state)
{
    (void)state;
    spawn_acre(&spawned, "run", "--allocator=nonesuch", "--", "ls", NULL);
    is_usage_error("acre run: unknown allocator 'nonesuch' (choose from ");
    spawn_acre(&spawned, "replay", "-a", "sistem", "x", NULL);
    is_usage_error("acre replay: unknown allocator 'sistem', did you mean 'system'? (choose from ");
    spawn_acre(&spawned, "replay", "-a", "system", "-a", "system", "x", NULL);
    assert_int_equal(spawned.code, 2);
    has(spawned.err, "acre replay: two allocators are called 'system'");
}

/* A backend's name, with a setting or without, means the same to every subcommand. */
static void settings_are_part_of_names(void **state)
{
    (void)state;
    /* Builds with sanitizers have nothing to preload, 32-bit ones nothing to preload it into. */
    bool can_run = sizeof(void *) == 8 && access(built("libacre-malloc.so"), R_OK) == 0;
    for (const struct acre_backend *backend = acre_backends; backend->name; backend++) {
        char twice[80];
        snprintf(twice, sizeof twice, "acre replay: two allocators are called '%s'", backend->name);
        spawn_acre(&spawned, "replay", "-a", backend->name, "-a", backend->name, "x", NULL);
        assert_int_equal(spawned.code, 2);
        has(spawned.err, twice);
        if (!can_run)
            continue;
        spawn_acre(&spawned, "run", "-a", backend->name, "true", NULL);
        assert_int_equal(spawned.code, 0);
        assert_string_equal(spawned.err, "");
    }
}

static void output_that_cannot_be_written(void **state)
{
    char script[4200];
    (void)state;
    if (access("/dev/full", W_OK) != 0)
        skip();
    snprintf(script, sizeof script, "'%s' --help >/dev/full", built("acre"));
    spawn(&spawned, (const char *[]){ "/bin/sh", "-c", script, NULL });
    assert_int_equal(spawned.code, 1);
    has(spawned.err, "cannot write to standard output");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version),
        cmocka_unit_test(nothing_at_all),
        cmocka_unit_test(overview),
        cmocka_unit_test(help_of_each_subcommand),
        cmocka_unit_test(unknown_words),
        cmocka_unit_test(wrong_values),
        cmocka_unit_test(missing_operands),
        cmocka_unit_test(unknown_allocators_are_listed),
        cmocka_unit_test(settings_are_part_of_names),
        cmocka_unit_test(output_that_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
