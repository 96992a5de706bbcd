/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/verify/card.h"

#include <string.h>

cJSON *card_json(const struct card_subject *subject)
{
    cJSON *card = cJSON_CreateObject();
    cJSON_AddStringToObject(card, "name", subject->name);
    cJSON_AddStringToObject(card, "version", subject->version);
    cJSON_AddStringToObject(card, "file", subject->file);
    cJSON_AddStringToObject(card, "kind", subject->plugin ? "plugin" : "subject");
    if (cJSON_AddArrayToObject(card, "rules") != NULL)
        return card;
    cJSON_Delete(card);
    return NULL;
}

/* The lines of a text. */
static cJSON *lines_json(const char *text)
{
    cJSON *lines = cJSON_CreateArray();
    while (*text != '\0') {
        char line[256];
        size_t length = strcspn(text, "\n");
        size_t kept = length < sizeof line ? length : sizeof line - 1;
        memcpy(line, text, kept);
        line[kept] = '\0';
        cJSON_AddItemToArray(lines, cJSON_CreateString(line));
        text += length + (text[length] == '\n');
    }
    return lines;
}

static const char *outcome_word(enum acre_rule_outcome outcome)
{
    static const char *const words[] = { [ACRE_RULE_PASSED] = "passed",
        [ACRE_RULE_BROKEN] = "broken",
        [ACRE_RULE_NOT_CLAIMED] = "not claimed",
        [ACRE_RULE_NOT_RUN] = "not run" };
    return words[outcome];
}

bool card_json_rule(cJSON *card, const struct acre_rule_result *result)
{
    cJSON *rule = cJSON_CreateObject();
    cJSON_AddStringToObject(rule, "suite", result->suite);
    cJSON_AddStringToObject(rule, "rule", result->rule);
    cJSON_AddStringToObject(rule, "outcome", outcome_word(result->outcome));
    cJSON_AddStringToObject(rule, "text", result->text);
    cJSON_AddStringToObject(rule, "where", result->where);
    cJSON_AddItemToObject(rule, "operations", lines_json(result->operations));
    return cJSON_AddItemToArray(cJSON_GetObjectItem(card, "rules"), rule);
}

void card_json_counts(cJSON *card, const struct acre_verify_counts *counts)
{
    cJSON_AddNumberToObject(card, "passed", counts->passed);
    cJSON_AddNumberToObject(card, "broken", counts->broken);
    cJSON_AddNumberToObject(card, "not_claimed", counts->not_claimed);
    cJSON_AddNumberToObject(card, "not_run", counts->not_run);
}
