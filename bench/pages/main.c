/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* acre-bench-pages: page allocators on the cases of docs/benchmarks.md. */
#include "pages.h"

#include "bench/callgrind.h"
#include "cli/options.h"
#include "number/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 9, ROUNDS_MAX = 64 };

/* What the program tells itself to do: CHILD NUMBER PERCENT SEED [FILE], a backend's number in the
 * list. */
#define CHILD "churn"

static int run_pages_child(int argc, char **argv)
{
    enum { NUMBER = 2, PERCENT, SEED, PLUGIN };
    struct pages_options options = { .seed = strtoull(argv[SEED], NULL, 10) };
    size_t who = strtoul(argv[NUMBER], NULL, 10);
    if (argc > PLUGIN && pages_add_plugin(argv[PLUGIN]))
        who = pages_backend_count - 1;
    bool good = who < pages_backend_count && pages_churn_counted(&pages_backends[who], &options,
                                                 (unsigned)strtoul(argv[PERCENT], NULL, 10));
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Instructions of a pair of calls; no number: they were not counted. */
static double count_churn(size_t number, const struct pages_options *options, unsigned percent)
{
    char arguments[512];
    const char *path = pages_backends[number].path;
    snprintf(arguments, sizeof arguments, CHILD " %zu %u %llu %s%s%s", number, percent,
        (unsigned long long)options->seed, path ? "'" : "", path ? path : "", path ? "'" : "");
    double all = callgrind_count_self(PAGES_COUNTED, arguments);
    return all < 0 ? (double)NAN : all / PAGES_COUNTED_PAIRS;
}

static void count_churns(
    size_t number, const struct pages_options *options, struct pages_result *result)
{
    bool counts = !options->smoke && !pages_backends[number].linear && callgrind_is_there();
    for (int i = 0; i < PAGES_OCCUPANCIES; i++)
        result->churn_counted[i] =
            counts ? count_churn(number, options, pages_occupancies[i]) : (double)NAN;
}

/* @return an enum acre_exit; `*help` is set when the help was all that was wanted. */
static int parse_pages(struct pages_options *options, int argc, char **argv, bool *help)
{
    const char *seed = "1";
    struct acre_text_list with = { .count = 0 };
    const struct acre_option table[] = {
        { "with", 0, ACRE_OPTION_LIST, "FILE",
            "measure the page allocator FILE as well\n(acre/plugin.h); may be repeated", &with },
        { "plugin", 0, ACRE_OPTION_LIST, "FILE", "the same as --with", &with },
        { "smoke", 's', ACRE_OPTION_FLAG, NULL, "shortened: does it work at all?",
            &options->smoke },
        { "rounds", 'r', ACRE_OPTION_COUNT, "N", "rounds, of which the median counts (default: 9)",
            &options->rounds },
        { "seed", 0, ACRE_OPTION_TEXT, "N", "seed of the occupancies (default: 1)", &seed },
        { "json", 'j', ACRE_OPTION_FLAG, NULL, "print JSON instead of tables", &options->json },
        { .name = NULL },
    };
    const struct acre_usage usage = { "-bench-pages", "",
        "Measures page allocators, with a page-by-page search beside them.", table, false };
    size_t number = 0;
    enum acre_parsed parsed = acre_options_parse(&usage, &argc, argv);
    *help = parsed == ACRE_PARSED_HELP;
    if (parsed != ACRE_PARSED_OK)
        return *help ? ACRE_EXIT_OK : ACRE_EXIT_USAGE;
    if (argc)
        return acre_usage_error(&usage, "unexpected argument '%s'", argv[0]);
    if (options->rounds > ROUNDS_MAX)
        return acre_usage_error(&usage, "--rounds: not a number from 1 to %d", ROUNDS_MAX);
    if (acre_parse_count(seed, &number) != ACRE_NUMBER_OK)
        return acre_usage_error(&usage, "--seed=%s: not a number", seed);
    options->seed = number;
    for (size_t i = 0; i < with.count; i++)
        if (!pages_add_plugin(with.items[i]))
            return ACRE_EXIT_USAGE;
    return ACRE_EXIT_OK;
}

int main(int argc, char **argv)
{
    static struct pages_result results[PAGES_BACKENDS_MAX];
    struct pages_options options = { .rounds = ROUNDS, .seed = 1 };
    bool help = false;
    if (argc >= 5 && strcmp(argv[1], CHILD) == 0)
        return run_pages_child(argc, argv);
    int code = parse_pages(&options, argc, argv, &help);
    if (code != ACRE_EXIT_OK || help)
        return code;
    if (options.smoke)
        options.rounds = 1;
    for (size_t who = 0; who < pages_backend_count; who++) {
        if (!pages_verify(&pages_backends[who]))
            return EXIT_FAILURE;
        pages_measure(&pages_backends[who], &options, &results[who]);
        count_churns(who, &options, &results[who]);
    }
    double conditions[PAGES_CONDITIONS];
    pages_measure_conditions(&options, (size_t)1 << (options.smoke ? 14 : 20), conditions);
    if (options.json)
        return pages_print_json(results, conditions, &options) ? EXIT_SUCCESS : EXIT_FAILURE;
    pages_print(results, conditions, &options);
    return EXIT_SUCCESS;
}
