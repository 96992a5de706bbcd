/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* cJSON with every block from a pool: a document built, printed, parsed and compared. */
#include "hooks/pool.h"

#include <acre/hooks/cjson.h>

enum { POOL = 4 << 20, ITEMS = 40 };

/* Adds an object to a list; false: no memory. */
static bool add_item(cJSON *list, int number)
{
    cJSON *item = cJSON_CreateObject();
    if (item == NULL)
        return false;
    if (cJSON_AddNumberToObject(item, "number", number) == NULL ||
        cJSON_AddStringToObject(item, "text", "some words \"quoted\"") == NULL ||
        cJSON_AddTrueToObject(item, "sure") == NULL) {
        cJSON_Delete(item);
        return false;
    }
    return cJSON_AddItemToArray(list, item) != 0;
}

static bool build(cJSON *list)
{
    for (int i = 0; i < ITEMS; i++)
        if (!add_item(list, i))
            return false;
    return true;
}

/* Prints a value and parses that. */
static enum outcome there_and_back(const cJSON *list)
{
    char *text = cJSON_Print(list);
    if (text == NULL)
        return NO_MEMORY;
    cJSON *parsed = cJSON_Parse(text);
    cJSON_free(text);
    if (parsed == NULL)
        return NO_MEMORY;
    assert_int_equal(cJSON_GetArraySize(parsed), ITEMS);
    assert_true(cJSON_Compare(list, parsed, 1));
    cJSON_Delete(parsed);
    return DONE;
}

static enum outcome work(struct pool *pool)
{
    enum outcome outcome = NO_MEMORY;
    acre_hook_cjson_install(pool->bytes);
    cJSON *list = cJSON_CreateArray();
    if (list != NULL && build(list))
        outcome = there_and_back(list);
    cJSON_Delete(list);
    return outcome;
}

int main(void)
{
    static const struct pool_job job = { "builds, prints, parses", work, POOL, 1 << 12 };
    return pool_run_job("cjson", &job);
}
