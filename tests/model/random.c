/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Random operations over every backend beside the oracle.
 *
 * usage: model.random [quick|full|soak|SEED...] [BACKEND...]
 * soak runs 10^7 operations over each backend, or over those named.
 * ACRE_SEEDS="SEED ..." in the environment has the same effect. A failing seed is printed with the
 * shortest run found that still fails, in the format that tests/regress replays.
 */
#include "support/trial.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    QUICK_SEEDS = 12,
    QUICK_OPS = 1000,
    SPARSE_OPS = 400,
    FULL_SEEDS = 25,
    FULL_OPS = 4000,
    SOAK_SEEDS = 250,
    SOAK_OPS = 40000,
    MOST_SEEDS = 256,
    MOST_BACKENDS = 32
};

static struct {
    uint64_t seeds[MOST_SEEDS];
    size_t seed_count;
    size_t ops;
    const struct acre_subject *chosen[MOST_BACKENDS + 1]; /* none: all */
    size_t chosen_count;
} plan;

static void report(
    const struct acre_subject *backend, uint64_t seed, struct op *ops, struct trial *trial)
{
    size_t count = trial->done < plan.ops ? trial->done + 1 : plan.ops;
    print_error("%s: seed %ju: operation %zu: %s\n", backend->name, (uintmax_t)seed, trial->done,
        trial->failure);
    count = trial_shrink(backend, ops, count, trial);
    print_error("# %s: %s\n", backend->name, trial->failure);
    for (size_t i = 0; i < count; i++) {
        char text[OP_TEXT];
        op_print(text, &ops[i]);
        print_error("%s\n", text);
    }
}

static void runs_without_fault(void **state)
{
    const struct acre_subject *backend = *state;
    struct op *ops = malloc(plan.ops * sizeof *ops);
    assert_non_null(ops);
    bool good = true;
    size_t left_out = 0;
    for (size_t i = 0; good && i < plan.seed_count; i++) {
        struct trial trial;
        trial_ops(plan.seeds[i], ops, plan.ops);
        good = trial_run(backend, ops, plan.ops, &trial);
        if (!good)
            report(backend, plan.seeds[i], ops, &trial);
        left_out += trial.left_out;
    }
    if (left_out > 0)
        print_message("%s: %zu calls with bad pointers left out\n", backend->name, left_out);
    free(ops);
    assert_true(good);
}

static void plan_seeds(size_t count, size_t ops)
{
    for (size_t i = 0; i < count; i++)
        plan.seeds[i] = i + 1;
    plan.seed_count = count;
    plan.ops = ops;
}

static bool plan_seed(const char *text)
{
    char *end;
    errno = 0;
    uint64_t seed = strtoull(text, &end, 0);
    if (errno != 0 || end == text || *end != '\0' || plan.seed_count == MOST_SEEDS)
        return false;
    plan.seeds[plan.seed_count++] = seed;
    plan.ops = FULL_OPS;
    return true;
}

static bool plan_backend(const char *word)
{
    const struct acre_subject *backend = backend_find(word);
    if (backend == NULL || plan.chosen_count == MOST_BACKENDS)
        return false;
    plan.chosen[plan.chosen_count++] = backend;
    return true;
}

static bool plan_words(char *words)
{
    char *rest = words;
    for (char *word; (word = strtok_r(NULL, " ", &rest)) != NULL;) {
        if (strcmp(word, "quick") == 0)
            plan_seeds(QUICK_SEEDS, QUICK_OPS);
        else if (strcmp(word, "full") == 0)
            plan_seeds(FULL_SEEDS, FULL_OPS);
        else if (strcmp(word, "soak") == 0)
            plan_seeds(SOAK_SEEDS, SOAK_OPS);
        else if (!plan_seed(word) && !plan_backend(word))
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct CMUnitTest tests[MOST_BACKENDS];
    size_t count = 0;
    char *seeds = getenv("ACRE_SEEDS");
    plan_seeds(QUICK_SEEDS, QUICK_OPS);
    bool sparse = getenv("ACRE_VALGRIND") != NULL; /* each takes fifty times as long */
    if (seeds != NULL || (argc > 1 && argv[1][0] >= '0' && argv[1][0] <= '9'))
        plan.seed_count = 0;
    bool good = seeds == NULL || plan_words(seeds);
    for (int i = 1; i < argc && seeds == NULL; i++)
        good = good && plan_words(argv[i]);
    if (!good) {
        fprintf(stderr, "usage: %s [quick|full|soak|SEED...] [BACKEND...]\n", argv[0]);
        return 2;
    }
    if (sparse) {
        plan.seed_count = 1;
        plan.ops = plan.ops < SPARSE_OPS ? plan.ops : SPARSE_OPS;
    }
    const struct acre_subject *const *chosen = plan.chosen_count > 0 ? plan.chosen : backends;
    for (; chosen[count] != NULL && count < MOST_BACKENDS; count++)
        tests[count] = (struct CMUnitTest){ chosen[count]->name, runs_without_fault, NULL, NULL,
            (void *)(uintptr_t)chosen[count] };
    return _cmocka_run_group_tests("model", tests, count, NULL, NULL);
}
