/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Built-in allocators through the two-word handle: all that the registry lists. */
#include "contestants.h"
#include "loop.h"
#include "registry/registry.h"

#include <stdint.h>

/* The handle, and after it the allocator's own struct, at the start of the pool. */
struct instance {
    struct acre_bytes bytes;
};

/* What is created: a process binds one contestant. */
static const struct acre_backend *bound_backend;

static void *handle_create(void *pool, size_t size)
{
    uintptr_t start = (uintptr_t)pool + sizeof(struct instance);
    uintptr_t own = (start + bound_backend->align - 1) & ~(uintptr_t)(bound_backend->align - 1);
    uintptr_t memory = own + bound_backend->size;
    uintptr_t end = (uintptr_t)pool + size;
    struct instance *instance = pool;
    if (memory >= end)
        return NULL;
    instance->bytes = bound_backend->handle((void *)own);
    if (acre_bytes_init(instance->bytes, (void *)memory, end - memory) != ACRE_OK)
        return NULL;
    return instance;
}

static inline void *handle_alloc(void *self, size_t size, size_t align)
{
    const struct instance *instance = self;
    return acre_alloc(instance->bytes, acre_layout(size, align)).ptr;
}

static inline void handle_dealloc(void *self, void *ptr, size_t size, size_t align)
{
    const struct instance *instance = self;
    (void)size;
    (void)align;
    acre_dealloc(instance->bytes, ptr);
}

static inline void *handle_realloc(
    void *self, void *ptr, size_t old_size, size_t new_size, size_t align)
{
    const struct instance *instance = self;
    (void)old_size;
    return acre_realloc(instance->bytes, ptr, acre_layout(new_size, align)).ptr;
}

BENCH_DEFINE_LOOPS(handle, handle_alloc, handle_dealloc, handle_realloc);

bool bench_bind_handle(const char *builtin, struct bench_bound *bound)
{
    static const struct acre_plugin table = {
        .abi = ACRE_PLUGIN_ABI,
        .name = "handle",
        .create = handle_create,
        .alloc = handle_alloc,
        .dealloc = handle_dealloc,
        .realloc = handle_realloc,
    };
    bound_backend = acre_backend_find(builtin);
    *bound = (struct bench_bound){ &table, &handle_loops };
    return bound_backend != NULL;
}
