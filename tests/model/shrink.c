/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Tests of the test: the model notices every broken allocator, and the run that showed it
 * shrinks to a few operations that survive the way through text.
 */
#include "support/shrink.h"
#include "support/trial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SEEDS = 40, OPS = 1000, SHORT = 8 };

/* The first seed whose run fails; 0 when none does. */
static uint64_t failing_seed(
    const struct acre_subject *backend, struct op *ops, struct trial *trial)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        trial_ops(seed, ops, OPS);
        if (!trial_run(backend, ops, OPS, trial))
            return seed;
    }
    return 0;
}

static void text_round_trip(struct op *ops, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[OP_TEXT];
        op_print(text, &ops[i]);
        assert_int_equal(op_parse(text, &ops[i]), 1);
    }
}

static void broken_allocator_is_found(void **state)
{
    const struct acre_subject *backend = *state;
    struct op *ops = malloc(OPS * sizeof *ops);
    struct trial trial;
    assert_non_null(ops);
    uint64_t seed = failing_seed(backend, ops, &trial);
    assert_int_not_equal(seed, 0);
    size_t count = trial.done < OPS ? trial.done + 1 : OPS;
    count = trial_shrink(backend, ops, count, &trial);
    print_message("%s: seed %ju, %zu operations left: %s\n", backend->name, (uintmax_t)seed, count,
        trial.failure);
    assert_in_range(count, 1, SHORT);
    text_round_trip(ops, count);
    assert_false(trial_run(backend, ops, count, &trial));
    assert_true(trial_run(backends[0], ops, count, &trial));
    free(ops);
}

/* Fails while one operation of three given ones is not among them. */
static bool needs_three(void *arg, const struct op *ops, size_t count)
{
    unsigned seen = 0;
    (void)arg;
    for (size_t i = 0; i < count; i++) {
        if (ops[i].index == 7)
            seen |= 1;
        if (ops[i].index == 20 && seen == 1)
            seen |= 2;
        if (ops[i].index == 33 && seen == 3 && ops[i].size > 100)
            return true;
    }
    return false;
}

static void shrinks_to_the_least(void **state)
{
    struct op ops[100];
    (void)state;
    memset(ops, 0, sizeof ops);
    for (unsigned i = 0; i < 100; i++)
        ops[i] = (struct op){ .verb = OP_ALLOC, .index = i % 50, .size = 1000, .align = 64 };
    size_t count = shrink(ops, 100, needs_three, NULL);
    assert_int_equal(count, 3);
    assert_int_equal(ops[0].index, 7);
    assert_int_equal(ops[1].index, 20);
    assert_int_equal(ops[2].index, 33);
    assert_int_equal(ops[2].size, 101);
    assert_int_equal(ops[2].align, 1);
}

static void every_operation_survives_text(void **state)
{
    struct op *ops = malloc(OPS * sizeof *ops);
    (void)state;
    assert_non_null(ops);
    trial_ops(99, ops, OPS);
    for (size_t i = 0; i < OPS; i++) {
        char first[OP_TEXT];
        char second[OP_TEXT];
        struct op back;
        op_print(first, &ops[i]);
        assert_int_equal(op_parse(first, &back), 1);
        op_print(second, &back);
        assert_string_equal(first, second);
        assert_int_equal(back.size, op_has_size(back.verb) ? ops[i].size : 0);
        assert_int_equal(back.offset, op_has_ptr(back.verb) ? ops[i].offset : 0);
    }
    free(ops);
}

static void bad_text_is_refused(void **state)
{
    static const char *const bad[] = { "allocate s1 1 1", "alloc", "alloc s1", "alloc s1 1",
        "alloc s1 1 1 1", "alloc s64 1 1", "alloc t1 1 1", "alloc s 1 1", "alloc s1 -1 1",
        "alloc s1 1 x", "alloc s1 max*2 1", "alloc s1 99999999999999999999999 1", "free s1+",
        "free s1+0x", "reset now", "init a+0" };
    struct op op;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(op_parse(bad[i], &op), -1);
    assert_int_equal(op_parse("  # nothing\n", &op), 0);
    assert_int_equal(op_parse("\n", &op), 0);
}

int main(void)
{
    struct CMUnitTest tests[64] = {
        cmocka_unit_test(shrinks_to_the_least),
        cmocka_unit_test(every_operation_survives_text),
        cmocka_unit_test(bad_text_is_refused),
    };
    size_t count = 3;
    for (size_t i = 0; broken_backends[i] != NULL; i++)
        tests[count++] = (struct CMUnitTest){ broken_backends[i]->name, broken_allocator_is_found,
            NULL, NULL, (void *)(uintptr_t)broken_backends[i] };
    return _cmocka_run_group_tests("shrink", tests, count, NULL, NULL);
}
