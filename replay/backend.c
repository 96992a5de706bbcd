/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "replay/backend.h"

#include <stdint.h>

static bool open_backend(struct replay_instance *instance, void *pool, size_t pool_size)
{
    const struct acre_backend *backend = instance->backend->builtin;
    size_t control =
        (backend->size + ACRE_NATURAL_ALIGN - 1) / ACRE_NATURAL_ALIGN * ACRE_NATURAL_ALIGN;
    if (pool_size <= control)
        return false;
    instance->bytes = backend->handle(pool);
    struct acre_base base = acre_bytes_base(instance->bytes);
    return acre_init(base, (char *)pool + control, pool_size - control) == ACRE_OK;
}

static bool open_plugin(struct replay_instance *instance, void *pool, size_t pool_size)
{
    instance->plugin_self = instance->backend->plugin->create(pool, pool_size);
    return instance->plugin_self != NULL;
}

bool replay_instance_open(struct replay_instance *instance, const struct replay_backend *backend,
    void *pool, size_t pool_size)
{
    *instance = (struct replay_instance){ .backend = backend };
    if (backend->type == REPLAY_BUILTIN)
        return open_backend(instance, pool, pool_size);
    if (backend->type == REPLAY_PLUGIN)
        return open_plugin(instance, pool, pool_size);
    return true;
}

void replay_instance_close(struct replay_instance *instance)
{
    const struct acre_plugin *plugin = instance->backend->plugin;
    if (instance->backend->type == REPLAY_PLUGIN && plugin->destroy)
        plugin->destroy(instance->plugin_self);
}
