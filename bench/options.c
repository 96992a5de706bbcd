/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "options.h"
#include "number/number.h"

#include <string.h>

static const char *const parts[] = { "time", "latency", "instructions", "pool", "worst", "gaps",
    "scaling", NULL };

bool bench_wanted(const struct bench_options *options, const char *part)
{
    return options->only.count == 0 || acre_text_list_has(&options->only, part);
}

static bool is_part(const char *name)
{
    size_t at = 0;
    while (parts[at] && strcmp(parts[at], name) != 0)
        at++;
    return parts[at] != NULL;
}

/* What the option table cannot check. */
static enum acre_parsed check_bench(
    struct bench_options *options, const struct acre_usage *usage, const char *seed)
{
    size_t number = 0;
    for (size_t i = 0; i < options->only.count; i++)
        if (!is_part(options->only.items[i])) {
            acre_usage_error(usage, "--only=%s: no such part", options->only.items[i]);
            return ACRE_PARSED_WRONG;
        }
    if (options->rounds > BENCH_MAX_ROUNDS) {
        acre_usage_error(usage, "--rounds: not a number from 1 to %d", BENCH_MAX_ROUNDS);
        return ACRE_PARSED_WRONG;
    }
    if (acre_parse_count(seed, &number) != ACRE_NUMBER_OK) {
        acre_usage_error(usage, "--seed=%s: not a number", seed);
        return ACRE_PARSED_WRONG;
    }
    options->seed = number;
    return ACRE_PARSED_OK;
}

enum acre_parsed bench_options_parse(struct bench_options *options, int argc, char **argv)
{
    const char *seed = "1";
    const struct acre_option table[] = {
        { "smoke", 's', ACRE_OPTION_FLAG, NULL, "shortened workloads, one round (seconds)",
            &options->smoke },
        { "workload", 'w', ACRE_OPTION_LIST, "NAME", "only this workload; may be repeated",
            &options->workloads },
        { "allocator", 'a', ACRE_OPTION_LIST, "NAME",
            "only this backend, beside the system's malloc; may be\nrepeated",
            &options->allocators },
        { "with", 0, ACRE_OPTION_LIST, "FILE",
            "measure the plugin FILE as well (acre/plugin.h); may\nbe repeated",
            &options->plugins },
        { "plugin", 0, ACRE_OPTION_LIST, "FILE", "the same as --with", &options->plugins },
        { "trace", 't', ACRE_OPTION_LIST, "FILE",
            "use a recorded trace as a workload, alone or beside\nthose named; may be repeated",
            &options->traces },
        { "only", 'o', ACRE_OPTION_LIST, "PART",
            "only this part: time, latency, instructions, pool,\nworst, gaps, scaling; may be "
            "repeated",
            &options->only },
        { "rounds", 'r', ACRE_OPTION_COUNT, "N", "rounds of timing, 1 to 64 (default: 5)",
            &options->rounds },
        { "seed", 0, ACRE_OPTION_TEXT, "N", "seed of the workloads (default: 1)", &seed },
        { "commit", 0, ACRE_OPTION_TEXT, "ID", "stated in the report", &options->commit },
        { "json", 'j', ACRE_OPTION_FLAG, NULL, "print JSON instead of tables", &options->json },
        { "list", 'l', ACRE_OPTION_FLAG, NULL, "list the backends and the workloads",
            &options->list },
        { .name = NULL },
    };
    const struct acre_usage usage = { "-bench", "",
        "Measures allocators on fixed workloads, all of them in turn in one run.", table, false };
    *options = (struct bench_options){ .commit = "unknown" };
    enum acre_parsed parsed = acre_options_parse(&usage, &argc, argv);
    if (parsed != ACRE_PARSED_OK)
        return parsed;
    if (argc) {
        acre_usage_error(&usage, "unexpected argument '%s'", argv[0]);
        return ACRE_PARSED_WRONG;
    }
    return check_bench(options, &usage, seed);
}
