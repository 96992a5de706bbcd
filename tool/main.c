/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* acre: measures which allocator suits a program. This file knows the subcommands. */
#include "cli/options.h"
#include "registry/nearest.h"
#include "replay/execute.h"
#include "tool/command.h"
#include "tool/compare/recording_cost.h"
#include "tool/record/launch.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

struct subcommand {
    const char *name;
    int (*main)(int argc, char **argv);
    const char *text;
};

static const struct subcommand subcommands[] = {
    { "run", acre_cmd_run, "run a command on one of acre's allocators" },
    { "record", acre_cmd_record, "record every allocation of a command in a trace" },
    { "replay", acre_cmd_replay, "replay a trace on every allocator and print measurements" },
    { "compare", acre_cmd_compare, "recommend an allocator for a program, with reasons" },
    { "info", acre_cmd_info, "list the processes of a trace, and problems of the recording" },
    { "map", acre_cmd_map, "draw the layout of a trace's blocks in a pool" },
    { "verify", acre_cmd_verify, "test an allocator of your own and print a report card" },
    { "convert", acre_cmd_convert, "convert a trace to text, or text to a trace" },
    { "bench", acre_cmd_bench, "measure the allocators on synthetic workloads" },
};

#define SUBCOMMANDS (sizeof subcommands / sizeof *subcommands)

static const struct subcommand *find_subcommand(const char *name)
{
    for (size_t i = 0; i < SUBCOMMANDS; i++)
        if (strcmp(subcommands[i].name, name) == 0)
            return &subcommands[i];
    return NULL;
}

static void print_overview(FILE *out)
{
    fputs("usage: acre SUBCOMMAND [OPTION]... [ARGUMENT]...\n\n"
          "Records the allocations of a program, replays them on several allocators, and\n"
          "recommends one. Also runs unmodified programs on any of acre's "
          "allocators.\n\nsubcommands:\n",
        out);
    for (size_t i = 0; i < SUBCOMMANDS; i++)
        fprintf(out, "  %-8s %s\n", subcommands[i].name, subcommands[i].text);
    fputs("  help     show the help of a subcommand\n\noptions:\n"
          "  -h, --help     print this help\n"
          "      --version  print the version\n\n"
          "For the options of a subcommand: acre SUBCOMMAND --help\n",
        out);
}

static int unknown_subcommand(const char *name)
{
    const char *names[SUBCOMMANDS + 2];
    for (size_t i = 0; i < SUBCOMMANDS; i++)
        names[i] = subcommands[i].name;
    names[SUBCOMMANDS] = "help";
    names[SUBCOMMANDS + 1] = NULL;
    const char *kind = name[0] == '-' ? "option" : "subcommand";
    const char *nearest = acre_nearest(name, names);
    if (nearest)
        acre_complain("", "unknown %s '%s', did you mean '%s'?", kind, name, nearest);
    else
        acre_complain("", "unknown %s '%s'", kind, name);
    fputs("Try 'acre --help'.\n", stderr);
    return ACRE_EXIT_USAGE;
}

static int help(int argc, char **argv)
{
    char help_option[] = "--help";
    if (argc < 2 || strcmp(argv[1], "help") == 0) {
        print_overview(stdout);
        return ACRE_EXIT_OK;
    }
    const struct subcommand *subcommand = find_subcommand(argv[1]);
    if (!subcommand)
        return unknown_subcommand(argv[1]);
    return subcommand->main(2, (char *[]){ argv[1], help_option, NULL });
}

static int dispatch(int argc, char **argv)
{
    if (argc < 2) {
        print_overview(stderr);
        return ACRE_EXIT_USAGE;
    }
    const struct subcommand *subcommand = find_subcommand(argv[1]);
    if (subcommand)
        return subcommand->main(argc - 1, argv + 1);
    if (strcmp(argv[1], "help") == 0)
        return help(argc - 1, argv + 1);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return help(1, argv);
    if (strcmp(argv[1], "--version") == 0) {
        puts("acre " ACRE_VERSION);
        return ACRE_EXIT_OK;
    }
    return unknown_subcommand(argv[1]);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], REPLAY_WORKER_WORD) == 0)
        return replay_worker_main(argc, argv, &(struct replay_role){ .find = NULL });
    if (argc > 1 && strcmp(argv[1], COMPARE_CALLS_WORD) == 0)
        return compare_calls_main(argc, argv);
    /* A limit on the size of files is an error to report. */
    launch_ignore_signal(SIGXFSZ);
    int code = dispatch(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        acre_complain("", "cannot write to standard output");
        return ACRE_EXIT_FAILED;
    }
    return code;
}
