/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* uthash with a handle for each table: the pool is an expression where the file uses uthash. */
#include "hooks/pool.h"

#define ACRE_HOOK_UTHASH_BYTES (owner->bytes)
#include <acre/hooks/uthash.h>

enum { POOL = 1 << 20, ENTRIES = 200 };

struct entry {
    int id;
    UT_hash_handle hh;
};

static struct entry entries[2][ENTRIES];

static struct entry *add_all(const struct pool *owner, struct entry *list)
{
    struct entry *head = NULL;
    for (int id = 0; id < ENTRIES; id++) {
        list[id].id = id;
        HASH_ADD_INT(head, id, &list[id]);
    }
    return head;
}

static void clear(const struct pool *owner, struct entry *head)
{
    HASH_CLEAR(hh, head);
    assert_null(head);
}

static void each_table_in_its_pool(void **state)
{
    struct pool pools[2];
    struct entry *heads[2];
    for (int i = 0; i < 2; i++) {
        assert_true(pool_open(&pools[i], *state, POOL));
        heads[i] = add_all(&pools[i], entries[i]);
        assert_int_equal(acre_stats(pools[i].base).live_blocks, 2);
    }
    for (int i = 0; i < 2; i++) {
        clear(&pools[i], heads[i]);
        pool_assert_empty(&pools[i]);
        assert_int_equal(acre_stats(pools[1].base).live_blocks, i == 0 ? 2 : 0);
    }
    for (int i = 0; i < 2; i++)
        pool_close(&pools[i]);
}

int main(void)
{
    static const struct pool_case cases[] = {
        { "each table in its own pool", each_table_in_its_pool },
    };
    return pool_run("uthash each", cases, sizeof cases / sizeof cases[0]);
}
