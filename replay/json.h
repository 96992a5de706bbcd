/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Numbers in JSON.
 */
#ifndef ACRE_REPLAY_JSON_H
#define ACRE_REPLAY_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

/** Adds a count. */
static inline void replay_json_count(cJSON *object, const char *name, uint64_t number)
{
    cJSON_AddNumberToObject(object, name, (double)number);
}

/** Adds a number when it is known, else null. */
static inline void replay_json_known(cJSON *object, const char *name, bool known, double number)
{
    if (known)
        cJSON_AddNumberToObject(object, name, number);
    else
        cJSON_AddNullToObject(object, name);
}

/** Adds a text, or null for an empty one. */
static inline void replay_json_text(cJSON *object, const char *name, const char *text)
{
    if (text[0])
        cJSON_AddStringToObject(object, name, text);
    else
        cJSON_AddNullToObject(object, name);
}

#endif
