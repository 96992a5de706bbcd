/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/verify/card.h"

#include <stdio.h>
#include <string.h>

void card_print_head(const struct card_subject *subject)
{
    printf("%s %s: %s of %s\n\n", subject->name, subject->version,
        subject->plugin ? "plugin" : "subject", subject->file);
}

static const char *outcome_text(enum acre_rule_outcome outcome)
{
    switch (outcome) {
    case ACRE_RULE_PASSED:
        return "passed";
    case ACRE_RULE_BROKEN:
        return "BROKEN";
    case ACRE_RULE_NOT_CLAIMED:
        return "not claimed";
    case ACRE_RULE_NOT_RUN:
        break;
    }
    return "NOT RUN";
}

/* Each line of a text, indented. */
static void print_lines(const char *text)
{
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        printf("        %.*s\n", (int)length, text);
        text += length + (text[length] == '\n');
    }
}

void card_print_rule(const struct acre_rule_result *result)
{
    printf("%-11s  %-11s  %s", outcome_text(result->outcome), result->suite, result->rule);
    if (result->outcome == ACRE_RULE_BROKEN) {
        printf("\n      %s%s%s%s\n", result->text, result->where[0] != '\0' ? " (" : "",
            result->where, result->where[0] != '\0' ? ")" : "");
        print_lines(result->operations);
    } else {
        printf("%s%s\n", result->text[0] != '\0' ? ": " : "", result->text);
    }
    fflush(stdout);
}

void card_print_end(const struct acre_verify_counts *counts)
{
    printf("\n%u passed, %u broken, %u not claimed", counts->passed, counts->broken,
        counts->not_claimed);
    if (counts->not_run > 0)
        printf(", %u not run", counts->not_run);
    printf("\n");
}
