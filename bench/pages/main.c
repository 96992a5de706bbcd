/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* acre-bench-pages: page allocators on the cases of docs/benchmarks.md. */
#include "pages.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_WRONG = 2, ROUNDS = 9, ROUNDS_MAX = 64 };

static const char help[] = "usage: acre-bench-pages [OPTION]...\n"
                           "Measures page allocators, with a page-by-page search beside them.\n"
                           "\n"
                           "  --with=FILE    also a page allocator from a shared object\n"
                           "                 (acre/plugin.h); --plugin=FILE is the same\n"
                           "  --smoke        shortened: does it work at all?\n"
                           "  --rounds=N     rounds, 1 to 64, of which the median counts (9)\n"
                           "  --seed=N       seed of the occupancies (1)\n"
                           "  --json         the report as JSON\n"
                           "  --help         this text\n";

static bool parse_number(const char *text, unsigned long long most, unsigned long long *value)
{
    char *end;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return errno == 0 && *text >= '0' && *text <= '9' && *end == '\0' && *value <= most;
}

static bool parse_one(struct pages_options *options, const char *word)
{
    unsigned long long value;
    if (strcmp(word, "--json") == 0)
        return options->json = true;
    if (strcmp(word, "--smoke") == 0)
        return options->smoke = true;
    if (strncmp(word, "--with=", 7) == 0)
        return pages_add_plugin(word + 7);
    if (strncmp(word, "--plugin=", 9) == 0)
        return pages_add_plugin(word + 9);
    if (strncmp(word, "--seed=", 7) == 0 && parse_number(word + 7, UINT64_MAX, &value)) {
        options->seed = value;
        return true;
    }
    if (strncmp(word, "--rounds=", 9) == 0 && parse_number(word + 9, ROUNDS_MAX, &value) &&
        value != 0) {
        options->rounds = (unsigned)value;
        return true;
    }
    fprintf(stderr, "acre-bench-pages: what is '%s'? --help lists the options\n", word);
    return false;
}

int main(int argc, char **argv)
{
    static struct pages_result results[PAGES_CONTESTANTS_MAX];
    struct pages_options options = { .rounds = ROUNDS, .seed = 1 };
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            fputs(help, stdout);
            return EXIT_SUCCESS;
        }
        if (!parse_one(&options, argv[i]))
            return EXIT_WRONG;
    }
    if (options.smoke)
        options.rounds = 1;
    for (size_t who = 0; who < pages_contestant_count; who++) {
        if (!pages_verify(&pages_contestants[who]))
            return EXIT_FAILURE;
        pages_measure(&pages_contestants[who], &options, &results[who]);
    }
    if (options.json)
        return pages_print_json(results, &options) ? EXIT_SUCCESS : EXIT_FAILURE;
    pages_print(results, &options);
    return EXIT_SUCCESS;
}
