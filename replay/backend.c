/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "replay/backend.h"

#include "replay/loop.h"

#include <stdint.h>
#include <string.h>

/* The plugin in use, its table completed. */
static struct acre_plugin plugin_calls;

/* What a plugin without a resize of its own costs its users. */
static void *plugin_move(void *self, void *ptr, size_t old_size, size_t new_size, size_t align)
{
    void *moved = plugin_calls.alloc(self, new_size, align);
    if (!moved)
        return NULL;
    memcpy(moved, ptr, old_size < new_size ? old_size : new_size);
    plugin_calls.dealloc(self, ptr, old_size, align);
    return moved;
}

static bool open_builtin(struct replay_instance *instance, void *pool, size_t pool_size)
{
    const struct acre_backend *builtin = instance->backend->builtin;
    size_t control =
        (builtin->backing->size + ACRE_NATURAL_ALIGN - 1) / ACRE_NATURAL_ALIGN * ACRE_NATURAL_ALIGN;
    if (pool_size <= control)
        return false;
    instance->bytes = builtin->handle(pool);
    instance->self = &instance->bytes;
    struct acre_base base = acre_bytes_base(instance->bytes);
    return acre_init(base, (char *)pool + control, pool_size - control) == ACRE_OK;
}

static bool open_plugin(struct replay_instance *instance, void *pool, size_t pool_size)
{
    plugin_calls = *instance->backend->plugin;
    if (!plugin_calls.realloc)
        plugin_calls.realloc = plugin_move;
    instance->self = plugin_calls.create(pool, pool_size);
    return instance->self != NULL;
}

bool replay_instance_open(struct replay_instance *instance, const struct replay_backend *backend,
    void *pool, size_t pool_size)
{
    *instance = (struct replay_instance){ .backend = backend };
    switch (backend->type) {
    case REPLAY_BUILTIN:
        instance->calls = &replay_builtin_calls;
        instance->loops = &replay_builtin_loops;
        return open_builtin(instance, pool, pool_size);
    case REPLAY_TYPED:
    case REPLAY_PLUGIN:
        instance->calls = &plugin_calls;
        instance->loops = backend->loops ? backend->loops : &replay_plugin_loops;
        return open_plugin(instance, pool, pool_size);
    case REPLAY_SYSTEM:
        instance->calls = &replay_system_calls;
        instance->loops = &replay_system_loops;
        instance->self = instance;
        return true;
    case REPLAY_EMPTY:
        break;
    }
    instance->calls = &replay_empty_calls;
    instance->loops = &replay_empty_loops;
    return true;
}

void replay_instance_close(struct replay_instance *instance)
{
    if (instance->calls == &plugin_calls && plugin_calls.destroy)
        plugin_calls.destroy(instance->self);
}
