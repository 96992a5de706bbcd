/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* ACRE_ASSERT: it stops a build with ACRE_ASSERTS, and evaluates nothing in any other. */
#include "base/compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#if ACRE_ASSERTS
static jmp_buf failed;
static const char *text;

/* Takes the place of the one that aborts. */
_Noreturn void acre_assert_fail(const char *condition, const char *file, int line)
{
    (void)file;
    (void)line;
    text = condition;
    longjmp(failed, 1);
}
#endif

static int evaluated;

static bool evaluate(bool value)
{
    evaluated++;
    return value;
}

static void holding_condition_passes(void **state)
{
    (void)state;
    (void)evaluate; /* used also where assertions are off */
    evaluated = 0;
    ACRE_ASSERT(evaluate(true));
    assert_int_equal(evaluated, ACRE_ASSERTS);
}

static void broken_condition_stops(void **state)
{
    (void)state;
    evaluated = 0;
#if ACRE_ASSERTS
    if (setjmp(failed) == 0) {
        ACRE_ASSERT(evaluate(false));
        fail_msg("the assertion passed");
    }
    assert_string_equal(text, "evaluate(false)");
#else
    ACRE_ASSERT(evaluate(false));
#endif
    assert_int_equal(evaluated, ACRE_ASSERTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holding_condition_passes),
        cmocka_unit_test(broken_condition_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
