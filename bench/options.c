/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: acre-bench [OPTION]...\n"
    "Measures allocators on fixed workloads, the backends in turn in one run.\n"
    "\n"
    "  --smoke           shortened workloads, one round: does it work at all? (seconds)\n"
    "  --workload=NAME   only this workload (repeatable)\n"
    "  --allocator=NAME  only this backend, beside the system's malloc (repeatable)\n"
    "  --with=FILE       a backend from a shared object, see acre/plugin.h (repeatable);\n"
    "                    --plugin=FILE is the same\n"
    "  --trace=FILE      a recorded trace as a workload, alone or beside those named\n"
    "                    (repeatable)\n"
    "  --only=PART       only this part: time, latency, instructions, pool, worst, gaps,\n"
    "                    scaling (repeatable)\n"
    "  --rounds=N        rounds of timing, each with every backend (5)\n"
    "  --seed=N          seed of the workloads (1)\n"
    "  --commit=ID       stated in the report\n"
    "  --json            the report as JSON\n"
    "  --list            name the backends and the workloads, and end\n"
    "  --help            this text\n";

static const char *const parts[] = { "time", "latency", "instructions", "pool", "worst", "gaps",
    "scaling", NULL };

static const struct option long_options[] = {
    { "smoke", no_argument, NULL, 's' },
    { "json", no_argument, NULL, 'j' },
    { "list", no_argument, NULL, 'l' },
    { "help", no_argument, NULL, 'h' },
    { "workload", required_argument, NULL, 'w' },
    { "allocator", required_argument, NULL, 'a' },
    { "with", required_argument, NULL, 'p' },
    { "plugin", required_argument, NULL, 'p' },
    { "trace", required_argument, NULL, 't' },
    { "only", required_argument, NULL, 'o' },
    { "rounds", required_argument, NULL, 'r' },
    { "seed", required_argument, NULL, 'e' },
    { "commit", required_argument, NULL, 'c' },
    { NULL, 0, NULL, 0 },
};

bool bench_list_has(const struct bench_list *list, const char *item)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->item[i], item) == 0)
            return true;
    return false;
}

bool bench_wanted(const struct bench_options *options, const char *part)
{
    return options->only.count == 0 || bench_list_has(&options->only, part);
}

static bool append(struct bench_list *list, const char *item)
{
    if (list->count == BENCH_LIST_MAX) {
        fprintf(stderr, "acre-bench: too many options of one kind\n");
        return false;
    }
    list->item[list->count++] = item;
    return true;
}

static bool append_part(struct bench_list *list, const char *item)
{
    for (size_t i = 0; parts[i]; i++)
        if (strcmp(parts[i], item) == 0)
            return append(list, item);
    fprintf(stderr, "acre-bench: --only=%s: no such part\n", item);
    return false;
}

static bool parse_bounded(
    const char *name, const char *text, uint64_t least, uint64_t most, uint64_t *to)
{
    char *end;
    *to = strtoull(text, &end, 10);
    bool good = text[0] >= '0' && text[0] <= '9' && !*end && *to >= least && *to <= most;
    if (!good)
        fprintf(stderr, "acre-bench: --%s=%s: not a number from %llu to %llu\n", name, text,
            (unsigned long long)least, (unsigned long long)most);
    return good;
}

static bool take_bench_option(struct bench_options *options, int option)
{
    uint64_t rounds;
    switch (option) {
    case 's':
        options->smoke = true;
        return true;
    case 'j':
        options->json = true;
        return true;
    case 'l':
        options->list = true;
        return true;
    case 'c':
        options->commit = optarg;
        return true;
    case 'w':
        return append(&options->workloads, optarg);
    case 'a':
        return append(&options->allocators, optarg);
    case 'p':
        return append(&options->plugins, optarg);
    case 't':
        return append(&options->traces, optarg);
    case 'o':
        return append_part(&options->only, optarg);
    case 'e':
        return parse_bounded("seed", optarg, 0, UINT64_MAX, &options->seed);
    case 'r':
        if (!parse_bounded("rounds", optarg, 1, BENCH_MAX_ROUNDS, &rounds))
            return false;
        options->rounds = (unsigned)rounds;
        return true;
    default:
        return false;
    }
}

enum bench_parsed bench_options_parse(struct bench_options *options, int argc, char **argv)
{
    int option;
    *options = (struct bench_options){ .seed = 1, .commit = "unknown" };
    while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        if (option == 'h') {
            fputs(help, stdout);
            return BENCH_PARSED_HELP;
        }
        if (!take_bench_option(options, option)) {
            fprintf(stderr, "Try 'acre-bench --help'.\n");
            return BENCH_PARSED_WRONG;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "acre-bench: unexpected argument '%s'\nTry 'acre-bench --help'.\n",
            argv[optind]);
        return BENCH_PARSED_WRONG;
    }
    return BENCH_PARSED;
}
