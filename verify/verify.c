/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "fault/fault.h"
#include "misuse/misuse.h"
#include "verify/kit.h"

#include <string.h>

struct suite {
    const char *name;
    const struct test_case *cases;
};

static const struct suite suites[] = {
    { "conformance", alloc_cases },
    { "conformance", free_cases },
    { "conformance", resize_cases },
    { "conformance", region_cases },
    { "conformance", account_cases },
    { "conformance", walk_cases },
    { "misuse", size_misuses },
    { "misuse", pointer_misuses },
    { "misuse", region_misuses },
#if ACRE_WRAP
    { "fault", fault_cases },
#endif
};

static const struct suite plugin_suite = { "plugin", kit_plugin_cases };

static const char model_rule[] = "random operations beside a model";

/* One pass over the rules. */
struct pass {
    const struct acre_subject *subject;
    struct acre_verify_options options;
    struct acre_verify_counts counts;
    struct kit_verdict verdict;
    bool ended;
};

static bool wanted(const struct pass *pass, const char *suite, const char *rule)
{
    const char *only = pass->options.only;
    return only == NULL || strstr(rule, only) != NULL || strstr(suite, only) != NULL;
}

static void count_outcome(struct acre_verify_counts *counts, enum acre_rule_outcome outcome)
{
    counts->passed += outcome == ACRE_RULE_PASSED;
    counts->broken += outcome == ACRE_RULE_BROKEN;
    counts->not_claimed += outcome == ACRE_RULE_NOT_CLAIMED;
    counts->not_run += outcome == ACRE_RULE_NOT_RUN;
}

static void tell(struct pass *pass, const char *suite, const char *rule)
{
    const struct kit_verdict *verdict = &pass->verdict;
    struct acre_rule_result result = { suite, rule, verdict->outcome, verdict->text, verdict->where,
        verdict->operations };
    count_outcome(&pass->counts, verdict->outcome);
    if (pass->options.tell != NULL && !pass->options.tell(pass->options.arg, &result))
        pass->ended = true;
}

static void run_rule(struct pass *pass, const char *suite, const struct test_case *test_case)
{
    const char *why = case_left_out(pass->subject, test_case);
    memset(&pass->verdict, 0, sizeof pass->verdict);
    if (why == NULL)
        kit_case(&pass->verdict, pass->subject, test_case, pass->options.seconds);
    else {
        pass->verdict.outcome = ACRE_RULE_NOT_CLAIMED;
        snprintf(pass->verdict.text, sizeof pass->verdict.text, "%s", why);
    }
    tell(pass, suite, test_case->name);
}

static void run_suite(struct pass *pass, const struct suite *suite)
{
    for (const struct test_case *test_case = suite->cases; test_case->name != NULL; test_case++) {
        if (!pass->ended && wanted(pass, suite->name, test_case->name))
            run_rule(pass, suite->name, test_case);
    }
}

static void run_all(struct pass *pass)
{
    if ((pass->subject->caps & ACRE_SUBJECT_PLAIN) != 0)
        run_suite(pass, &plugin_suite);
    for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++)
        run_suite(pass, &suites[i]);
    if (!pass->ended && wanted(pass, "model", model_rule)) {
        kit_model(&pass->verdict, pass->subject, &pass->options);
        tell(pass, "model", model_rule);
    }
}

struct acre_verify_counts acre_verify(
    const struct acre_subject *subject, const struct acre_verify_options *options)
{
    struct pass pass = { .subject = subject, .options = *options };
    run_all(&pass);
    return pass.counts;
}

struct acre_verify_counts acre_verify_plugin(
    const struct acre_plugin *plugin, const struct acre_verify_options *options)
{
    struct acre_subject subject;
    struct pass pass = { .subject = &subject, .options = *options };
    if ((plugin->flags & ACRE_PLUGIN_OWN_MEMORY) != 0) {
        pass.verdict.outcome = ACRE_RULE_NOT_CLAIMED;
        snprintf(pass.verdict.text, sizeof pass.verdict.text,
            "it finds its memory itself: all rules are about a pool");
        tell(&pass, "plugin", "it works in a pool");
    } else if (kit_subject_of_plugin(plugin, &subject, options->seconds, pass.verdict.text,
                   sizeof pass.verdict.text)) {
        run_all(&pass);
    } else {
        pass.verdict.outcome = ACRE_RULE_BROKEN;
        tell(&pass, "plugin", "it works in a pool");
    }
    return pass.counts;
}
