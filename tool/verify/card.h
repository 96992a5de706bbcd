/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The report card of `acre verify`.
 */
#ifndef ACRE_TOOL_VERIFY_CARD_H
#define ACRE_TOOL_VERIFY_CARD_H

#include <acre/conformance.h>
#include <cjson/cJSON.h>

/** What is tested. */
struct card_subject {
    const char *name;
    const char *version; /**< "unknown" when it says none. */
    const char *file;
    bool plugin; /**< It promises what acre/plugin.h asks, and no more. */
};

void card_print_head(const struct card_subject *subject);

/** One rule: a line, and for a broken one what happened and how to make it happen. */
void card_print_rule(const struct acre_rule_result *result);

void card_print_end(const struct acre_verify_counts *counts);

/** The card as JSON, without its rules and counts; null: no memory. */
cJSON *card_json(const struct card_subject *subject);

/** Adds a rule to the array that `card` has for them. @return false: no memory. */
bool card_json_rule(cJSON *card, const struct acre_rule_result *result);

void card_json_counts(cJSON *card, const struct acre_verify_counts *counts);

#endif
