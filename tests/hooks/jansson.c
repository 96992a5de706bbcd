/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * jansson with every block from a pool: a document built, dumped, loaded and compared. No token is
 * longer than 15 characters: the loader of jansson 2.14 loses the rest of a longer one, without a
 * word, when the request to make room for it is refused.
 */
#include "hooks/pool.h"

#include <acre/hooks/jansson.h>

enum { POOL = 4 << 20, ITEMS = 50 };

/* A new list of objects, or null. */
static json_t *build(void)
{
    json_t *list = json_array();
    for (int i = 0; i < ITEMS && list != NULL; i++) {
        json_t *item = json_object();
        if (item == NULL || json_object_set_new(item, "number", json_integer(i)) != 0 ||
            json_object_set_new(item, "text", json_string("a \"quote\"")) != 0 ||
            json_array_append(list, item) != 0) {
            json_decref(list);
            list = NULL;
        }
        json_decref(item);
    }
    return list;
}

/* Dumps a value and loads that. */
static enum outcome there_and_back(const json_t *list)
{
    char *text = json_dumps(list, JSON_INDENT(2) | JSON_SORT_KEYS);
    if (text == NULL)
        return NO_MEMORY;
    json_t *loaded = json_loads(text, 0, NULL);
    acre_hook_jansson_free(text);
    if (loaded == NULL)
        return NO_MEMORY;
    assert_int_equal(json_array_size(loaded), ITEMS);
    assert_true(json_equal(list, loaded));
    json_decref(loaded);
    return DONE;
}

static enum outcome work(struct pool *pool)
{
    acre_hook_jansson_install(pool->bytes);
    json_t *list = build();
    enum outcome outcome = list != NULL ? there_and_back(list) : NO_MEMORY;
    json_decref(list);
    return outcome;
}

int main(void)
{
    static const struct pool_job job = { "builds, dumps, loads", work, POOL, 1 << 12 };
    return pool_run_job("jansson", &job);
}
