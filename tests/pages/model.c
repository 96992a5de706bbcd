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

enum { STEPS = 2000 };

static uint64_t first_seed = 1;
static uint64_t seeds = 200;

static void test_random_runs(void **state)
{
    static struct pages_model model;
    uint64_t seed;

    (void)state;
    for (seed = first_seed; seed < first_seed + seeds; seed++) {
        struct rng rng = { seed };
        int step;

        pages_model_start(&model, &rng);
        for (step = 0; step < STEPS; step++)
            pages_model_step(&model, &rng);
        pages_model_end(&model);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_random_runs) };

    if (argc > 1)
        first_seed = strtoull(argv[1], NULL, 10);
    if (argc > 2)
        seeds = strtoull(argv[2], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
