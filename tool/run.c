/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* acre run: a command with its malloc family served by an allocator of acre. */
#include "cli/options.h"
#include "registry/registry.h"
#include "tool/allocators.h"
#include "tool/command.h"
#include "tool/record/launch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PRELOAD "libacre-malloc.so"

/* A heap per thread is an object of its own, so that neither pays for the other. */
#define THREADED "threaded"
#define THREADED_PRELOAD "libacre-threads.so"

struct run_options {
    const char *allocator;
    size_t pool;
    bool stats;
};

static bool set_size_variable(const char *name, size_t bytes)
{
    char text[32];
    snprintf(text, sizeof text, "%zu", bytes);
    return setenv(name, text, 1) == 0;
}

/* Puts `library` in front of what is preloaded already. */
static bool prepend_preload(const char *library)
{
    const char *before = getenv("LD_PRELOAD");
    if (!before || !*before)
        return setenv("LD_PRELOAD", library, 1) == 0;
    size_t room = strlen(library) + strlen(before) + 2;
    char *both = malloc(room);
    if (!both)
        return false;
    snprintf(both, room, "%s:%s", library, before);
    bool set = setenv("LD_PRELOAD", both, 1) == 0;
    free(both);
    return set;
}

static bool is_threaded(const struct run_options *options)
{
    return strcmp(options->allocator, THREADED) == 0;
}

static bool set_run_environment(const struct run_options *options, const char *library)
{
    bool set = prepend_preload(library);
    if (is_threaded(options))
        set = set && unsetenv("ACRE_ALLOCATOR") == 0;
    else
        set = set && setenv("ACRE_ALLOCATOR", options->allocator, 1) == 0;
    if (options->pool)
        set = set && set_size_variable("ACRE_POOL", options->pool);
    if (options->stats)
        set = set && setenv("ACRE_STATS", "1", 1) == 0;
    return set;
}

static int run_command(const struct run_options *options, char **command)
{
    char library[ACRE_PATH_ROOM];
    if (!acre_find_preload("run", library, is_threaded(options) ? THREADED_PRELOAD : PRELOAD))
        return ACRE_EXIT_FAILED;
    if (!set_run_environment(options, library)) {
        acre_complain("run", "cannot set the environment: %s", strerror(errno));
        return ACRE_EXIT_FAILED;
    }
    const char *obstacle = launch_obstacle(command[0]);
    if (obstacle)
        acre_complain("run", "warning: '%s' will use its own malloc: %s", command[0], obstacle);
    return acre_become("run", command);
}

int acre_cmd_run(int argc, char **argv)
{
    struct run_options chosen = { .allocator = NULL };
    const struct acre_option options[] = {
        { "allocator", 'a', ACRE_OPTION_TEXT, "NAME",
            "allocator to serve COMMAND, or 'threaded', a heap\nper thread (default: tlsf-quick)",
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
        "COMMAND must be dynamically linked. Exits as COMMAND does; with 127 when COMMAND\n"
        "is not found, 126 when it cannot be executed.",
        options, true };
    enum acre_parsed parsed = acre_options_parse(&usage, &argc, argv);
    if (parsed != ACRE_PARSED_OK)
        return parsed == ACRE_PARSED_HELP ? ACRE_EXIT_OK : ACRE_EXIT_USAGE;
    if (!chosen.allocator && acre_backend_default())
        chosen.allocator = acre_backend_default()->name;
    if (!chosen.allocator || (!is_threaded(&chosen) && !acre_backend_find(chosen.allocator)))
        return acre_unknown_allocator(&usage, chosen.allocator ? chosen.allocator : "", NULL);
    if (argc == 0)
        return acre_usage_error(&usage, "no command given");
    return run_command(&chosen, argv);
}
