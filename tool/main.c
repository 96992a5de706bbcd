/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* acre: measures which allocator suits a program. This file knows the subcommands. */
#include "registry/nearest.h"
#include "replay/execute.h"
#include "tool/command.h"
#include "tool/options.h"

#include <stdio.h>
#include <string.h>

struct subcommand {
    const char *name;
    int (*main)(int argc, char **argv);
    const char *text;
};

static const struct subcommand subcommands[] = {
    { "run", acre_cmd_run, "run a command with its malloc served by an allocator of acre" },
    { "record", acre_cmd_record, "record every allocation of a command in a trace" },
    { "replay", acre_cmd_replay, "replay a trace on every allocator and compare them" },
    { "compare", acre_cmd_compare, "say which allocator suits a program, and why" },
    { "map", acre_cmd_map, "draw where the blocks of a trace lie in a pool" },
    { "convert", acre_cmd_convert, "turn a trace into text, or text into a trace" },
    { "bench", acre_cmd_bench, "measure the allocators on made-up workloads" },
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
          "Runs a program on other allocators, records what it asks of its allocator, and\n"
          "replays that on each of them to see which one serves it best.\n\nsubcommands:\n",
        out);
    for (size_t i = 0; i < SUBCOMMANDS; i++)
        fprintf(out, "  %-8s %s\n", subcommands[i].name, subcommands[i].text);
    fputs("  help     explain a subcommand\n\noptions:\n"
          "  -h, --help     print this help\n"
          "      --version  print the version\n\n"
          "'acre help SUBCOMMAND' or 'acre SUBCOMMAND --help' explains one.\n",
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
        return replay_worker_main(argc, argv);
    int code = dispatch(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        acre_complain("", "standard output could not be written");
        return ACRE_EXIT_FAILED;
    }
    return code;
}
