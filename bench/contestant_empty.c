/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The harness's own cost: an allocator that does nothing, called as a plugin is. */
#include "contestants.h"
#include "loop.h"

static void *empty_create(void *pool, size_t size)
{
    (void)size;
    return pool;
}

static void *empty_alloc(void *self, size_t size, size_t align)
{
    (void)size;
    (void)align;
    return self;
}

static void empty_dealloc(void *self, void *ptr, size_t size, size_t align)
{
    (void)self;
    (void)ptr;
    (void)size;
    (void)align;
}

static void *empty_realloc(void *self, void *ptr, size_t old_size, size_t new_size, size_t align)
{
    (void)self;
    (void)old_size;
    (void)new_size;
    (void)align;
    return ptr;
}

BENCH_DEFINE_LOOPS(empty, run->table->alloc, run->table->dealloc, run->table->realloc);

void bench_bind_empty(struct bench_bound *bound)
{
    static const struct acre_plugin table = {
        .abi = ACRE_PLUGIN_ABI,
        .name = "harness",
        .create = empty_create,
        .alloc = empty_alloc,
        .dealloc = empty_dealloc,
        .realloc = empty_realloc,
    };
    *bound = (struct bench_bound){ &table, &empty_loops };
}
