/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * Random operations on the bitmap allocator beside the oracle, from fixed seeds.
 * usage: model [first seed [how many]]: other seeds than the fixed ones.
 */
#include "pages_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { STEPS = 2000, LARGE_STEPS = 500, LARGE_SEEDS = 4 };

static uint64_t first_seed = 1;
static uint64_t seeds = 200;
static uint64_t seed;

_Noreturn void pages_model_fail(const char *text, int line)
{
    print_error("seed %ju, pages_model.c:%d: %s\n", (uintmax_t)seed, line, text);
    _fail(__FILE__, __LINE__);
    abort();
}

static struct pages_model model;

static void run(struct choices *choices, int steps)
{
    while (steps-- != 0)
        pages_model_step(&model, choices);
    pages_model_end(&model);
}

static void test_random_runs(void **state)
{
    (void)state;
    for (seed = first_seed; seed < first_seed + seeds; seed++) {
        struct choices choices = { { seed }, NULL, 0 };

        pages_model_start(&model, &choices);
        run(&choices, STEPS);
    }
}

/** Over ten groups of 4096 pages and two levels of nodes. */
static void test_large_range(void **state)
{
    (void)state;
    for (seed = first_seed; seed < first_seed + LARGE_SEEDS; seed++) {
        struct choices choices = { { seed }, NULL, 0 };

        pages_model_start_large(&model, &choices);
        run(&choices, LARGE_STEPS);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_runs),
        cmocka_unit_test(test_large_range),
    };

    if (getenv("ACRE_VALGRIND") != NULL)
        seeds = 6; /* each takes twenty times as long */
    if (argc > 1)
        first_seed = strtoull(argv[1], NULL, 10);
    if (argc > 2)
        seeds = strtoull(argv[2], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
