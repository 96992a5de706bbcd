/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* acre bench: hands over to the benchmark program. */
#include "cli/options.h"
#include "tool/command.h"

#include <string.h>

static const struct acre_option no_options[] = { { .name = NULL } };

static const struct acre_usage usage = { "bench", "[ARGUMENT]...",
    "Measures the allocators on synthetic workloads. Passes its arguments to\n"
    "acre-bench; 'acre bench -- --help' lists them.",
    no_options, true };

int acre_cmd_bench(int argc, char **argv)
{
    char program[ACRE_PATH_ROOM];
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        acre_usage_print(&usage);
        return ACRE_EXIT_OK;
    }
    if (!acre_find_companion(program, "acre-bench", ACRE_BINDIR)) {
        acre_complain("bench", "cannot find '%s', here or installed", program);
        return ACRE_EXIT_FAILED;
    }
    argv[0] = program;
    if (argc > 1 && strcmp(argv[1], "--") == 0) {
        argv[1] = program;
        argv++;
    }
    return acre_become("bench", argv);
}
