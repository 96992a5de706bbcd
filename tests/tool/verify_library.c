/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The library acre-conformance, called as a program of someone else would. */
#include "support/backends.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

extern const struct acre_subject backend_naive;

struct told {
    size_t count;
    size_t stop_after;
    char last[128];
    bool broken_has_text;
};

static bool tell(void *arg, const struct acre_rule_result *result)
{
    struct told *told = arg;
    snprintf(told->last, sizeof told->last, "%s: %s", result->suite, result->rule);
    if (result->outcome == ACRE_RULE_BROKEN)
        told->broken_has_text = result->text[0] != '\0' && result->operations[0] != '\0';
    return ++told->count != told->stop_after;
}

static struct acre_verify_counts verify(
    const struct acre_subject *subject, struct told *told, const char *only)
{
    struct acre_verify_options options = { .only = only, .tell = tell, .arg = told, .runs = 1 };
    return acre_verify(subject, &options);
}

static void every_rule_is_told(void **state)
{
    struct told told = { .count = 0 };
    (void)state;
    struct acre_verify_counts counts = verify(&backend_naive, &told, "null");
    assert_true(counts.passed >= 3);
    assert_int_equal(counts.broken + counts.not_run, 0);
    assert_int_equal(told.count, counts.passed + counts.not_claimed);
    assert_string_equal(told.last, "misuse: 32: null arena");
}

static void it_ends_when_told(void **state)
{
    struct told told = { .stop_after = 2 };
    (void)state;
    struct acre_verify_counts counts = verify(&backend_naive, &told, NULL);
    assert_int_equal(told.count, 2);
    assert_int_equal(counts.passed, 2);
}

static void a_broken_rule_has_operations(void **state)
{
    struct told told = { .stop_after = 0 };
    (void)state;
    struct acre_verify_counts counts =
        verify(backend_find("broken-twice"), &told, "double free at once");
    assert_int_equal(counts.broken, 1);
    assert_true(told.broken_has_text);
}

static void without_a_listener(void **state)
{
    struct acre_verify_options options = { .only = "model", .runs = 1, .seed = 7 };
    (void)state;
    assert_int_equal(acre_verify(&backend_naive, &options).passed, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_is_told),
        cmocka_unit_test(it_ends_when_told),
        cmocka_unit_test(a_broken_rule_has_operations),
        cmocka_unit_test(without_a_listener),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
