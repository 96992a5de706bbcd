/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/replay/subject.h"

#include <stdint.h>

static bool open_backend(struct replay_instance *instance, void *pool, size_t pool_size)
{
    const struct acre_backend *backend = instance->subject->backend;
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
    instance->plugin_self = instance->subject->plugin->create(pool, pool_size);
    return instance->plugin_self != NULL;
}

bool replay_instance_open(struct replay_instance *instance, const struct replay_subject *subject,
    void *pool, size_t pool_size)
{
    *instance = (struct replay_instance){ .subject = subject };
    if (subject->type == REPLAY_ON_BACKEND)
        return open_backend(instance, pool, pool_size);
    if (subject->type == REPLAY_ON_PLUGIN)
        return open_plugin(instance, pool, pool_size);
    return true;
}

void replay_instance_close(struct replay_instance *instance)
{
    const struct acre_plugin *plugin = instance->subject->plugin;
    if (instance->subject->type == REPLAY_ON_PLUGIN && plugin->destroy)
        plugin->destroy(instance->plugin_self);
}
