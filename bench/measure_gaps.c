/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Are the gaps in front of aligned blocks lost? A pool of 1 MiB is filled with 4 KiB blocks aligned
 * to 4 KiB, and what remains with blocks of 64 bytes.
 */
#include "measures.h"

#include <stdio.h>

static size_t fill(const struct acre_plugin *table, void *self, size_t size, size_t align)
{
    size_t count = 0;
    while (table->alloc(self, size, align))
        count++;
    return count;
}

void bench_measure_gaps(const struct bench_child *child, struct bench_result *result)
{
    enum { POOL = 1 << 20, PAGE = 4096, SMALL = 64 };
    const struct acre_plugin *table = child->bound.table;
    void *pool = bench_pool_map(POOL, true);
    bool own = table->flags & ACRE_PLUGIN_OWN_MEMORY;
    void *self = own || !pool ? NULL : table->create(pool, POOL);
    if (!self) {
        result->outcome = BENCH_CANNOT;
        snprintf(result->text, sizeof result->text, "no instance in 1 MiB");
        return;
    }
    size_t pages = fill(table, self, PAGE, PAGE);
    size_t smalls = fill(table, self, SMALL, BENCH_PLAIN_ALIGN);
    result->value[0] = (double)pages;
    result->value[1] = (double)smalls;
}
