/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* acre run: a command with its malloc family served by an allocator of acre. */
#include "cli/options.h"
#include "registry/registry.h"
#include "tool/allocators.h"
#include "tool/command.h"
#include "tool/environment.h"
#include "tool/record/launch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct run_options {
    const char *allocator;
    size_t pool;
    bool stats;
};

/* Acre's own: the others take neither a pool nor --stats. */
static bool is_acres_own(const char *name)
{
    return acre_backend_find(name) != NULL;
}

static int run_command(const struct run_options *options, char **command)
{
    char library[ACRE_PATH_ROOM];
    struct replay_backend backend = { .allocator = options->allocator, .preload = library };
    if (is_acres_own(options->allocator)) {
        if (!acre_find_preload("run", library, ACRE_DROP_IN_OBJECT))
            return ACRE_EXIT_FAILED;
    } else if (acre_find_malloc(&backend, options->allocator) != ACRE_MALLOC_FOUND) {
        return acre_absent_malloc("run", options->allocator);
    }
    const struct acre_served served = { .library = backend.preload,
        .allocator = backend.allocator,
        .tunables = backend.tunables,
        .pool = options->pool,
        .stats = options->stats };
    if (!acre_set_served(&served)) {
        acre_complain("run", "cannot set the environment: %s", strerror(errno));
        return ACRE_EXIT_FAILED;
    }
    const char *refusal = served.library ? launch_refusal(command[0]) : NULL;
    if (refusal) {
        acre_complain("run", "'%s' cannot be served: %s", command[0], refusal);
        return ACRE_EXIT_CANNOT_EXECUTE;
    }
    const char *obstacle = served.library ? launch_obstacle(command[0]) : NULL;
    if (obstacle)
        acre_complain("run", "warning: '%s' will use its own malloc: %s", command[0], obstacle);
    return acre_become("run", command);
}

static const char *default_allocator(void)
{
    if (acre_backend_find(ACRE_THREADED_NAME))
        return ACRE_THREADED_NAME;
    return acre_backend_default() ? acre_backend_default()->name : "";
}

static bool is_known(const char *name)
{
    const char *const *each = acre_malloc_names;
    while (*each && strcmp(*each, name) != 0)
        each++;
    return *each || acre_backend_find(name);
}

int acre_cmd_run(int argc, char **argv)
{
    struct run_options chosen = { .allocator = NULL };
    const struct acre_option options[] = {
        { "allocator", 'a', ACRE_OPTION_TEXT, "NAME",
            "allocator to serve COMMAND, also system, system-keep,\njemalloc, mimalloc or tcmalloc "
            "(default: threaded,\nwhich has a heap per thread)",
            &chosen.allocator },
        { "pool", 'p', ACRE_OPTION_SIZE, "SIZE",
            "memory limit, with an optional suffix K, M, G or T\n(default: no limit)",
            &chosen.pool },
        { "stats", 's', ACRE_OPTION_FLAG, NULL,
            "print the allocator's statistics when a process exits", &chosen.stats },
        { .name = NULL },
    };
    const struct acre_usage usage = { "run", "[--] COMMAND [ARGUMENT]...",
        "Runs COMMAND, its threads and its child processes on one of acre's allocators.\n"
        "Exits as COMMAND does; with 127 when COMMAND is not found, 126 when it cannot be\n"
        "executed, is statically linked, linked to musl, or for another architecture.",
        options, true };
    enum acre_parsed parsed = acre_options_parse(&usage, &argc, argv);
    if (parsed != ACRE_PARSED_OK)
        return parsed == ACRE_PARSED_HELP ? ACRE_EXIT_OK : ACRE_EXIT_USAGE;
    if (!chosen.allocator)
        chosen.allocator = default_allocator();
    if (!is_known(chosen.allocator))
        return acre_unknown_allocator(&usage, chosen.allocator, true, NULL);
    if ((chosen.pool || chosen.stats) && !is_acres_own(chosen.allocator))
        return acre_usage_error(
            &usage, "--pool and --stats: '%s' is not one of acre's allocators", chosen.allocator);
    if (argc == 0)
        return acre_usage_error(&usage, "no command given");
    if (is_known(argv[0]) && !acre_is_command(argv[0])) {
        acre_complain("run",
            "'%s' is an allocator, not a command: acre run --allocator=%s -- COMMAND", argv[0],
            argv[0]);
        return ACRE_EXIT_NOT_FOUND;
    }
    return run_command(&chosen, argv);
}
