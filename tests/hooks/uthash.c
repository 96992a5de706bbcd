/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* uthash with its tables and the entries in a pool: added, found, sorted, deleted. */
#include "hooks/pool.h"

#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(entry) (refused = (entry))
#include <acre/hooks/uthash.h>

enum { POOL = 4 << 20, ENTRIES = 1000 };

struct entry {
    int id;
    int square;
    UT_hash_handle hh;
};

static struct entry *refused; /* the last entry that found no memory for its table */

static bool add(struct acre_bytes bytes, struct entry **head, int id)
{
    struct entry *entry = ACRE_NEW(bytes, struct entry);
    if (entry == NULL)
        return false;
    entry->id = id;
    entry->square = id * id;
    refused = NULL;
    HASH_ADD_INT(*head, id, entry);
    if (refused == NULL)
        return true;
    assert_ptr_equal(refused, entry);
    acre_dealloc(bytes, entry);
    return false;
}

static int by_id(const struct entry *a, const struct entry *b)
{
    return (a->id > b->id) - (a->id < b->id);
}

static void use(struct acre_bytes bytes, struct entry **head)
{
    int next = 0;
    HASH_SORT(*head, by_id);
    for (struct entry *entry = *head; entry != NULL; entry = entry->hh.next)
        assert_int_equal(entry->id, next++);
    assert_int_equal(next, ENTRIES);
    for (int id = 0; id < ENTRIES; id += 3) {
        struct entry *entry = NULL;
        HASH_FIND_INT(*head, &id, entry);
        assert_int_equal(entry->square, id * id);
        HASH_DEL(*head, entry);
        assert_int_equal(acre_dealloc(bytes, entry), ACRE_OK);
    }
}

static enum outcome work(struct pool *pool)
{
    struct entry *head = NULL;
    struct entry *entry;
    struct entry *after;
    int added = 0;
    acre_hook_uthash_install(pool->bytes);
    while (added < ENTRIES && add(pool->bytes, &head, added * 7 % ENTRIES))
        added++;
    assert_int_equal(HASH_COUNT(head), added);
    if (added == ENTRIES)
        use(pool->bytes, &head);
    HASH_ITER(hh, head, entry, after)
    {
        HASH_DEL(head, entry);
        assert_int_equal(acre_dealloc(pool->bytes, entry), ACRE_OK);
    }
    return added == ENTRIES ? DONE : NO_MEMORY;
}

int main(void)
{
    static const struct pool_job job = { "adds, finds, deletes", work, POOL, 1 << 12 };
    return pool_run_job("uthash", &job);
}
