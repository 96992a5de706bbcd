/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * What is replayed on: an allocator built in, one from a plugin, the system's, or nothing at all
 * (to know what the replay itself costs).
 */
#ifndef ACRE_TOOL_REPLAY_SUBJECT_H
#define ACRE_TOOL_REPLAY_SUBJECT_H

#include "registry/registry.h"

#include <acre/plugin.h>
#include <stdbool.h>
#include <stddef.h>

enum replay_subject_type {
    REPLAY_ON_BACKEND, /**< `backend`: built in. */
    REPLAY_ON_PLUGIN,  /**< `plugin`. */
    REPLAY_ON_SYSTEM,  /**< malloc of this process. */
    REPLAY_ON_NOTHING  /**< Every request is granted the same address. */
};

struct replay_subject {
    enum replay_subject_type type;
    const char *name;
    const struct acre_backend *backend;
    const struct acre_plugin *plugin;
    /** REPLAY_ON_SYSTEM: a shared object to preload in the process that works, or null. */
    const char *preload;
};

/** Name of the system's allocator in tables and options. */
#define REPLAY_SYSTEM_NAME "system"

/** Works inside a pool it is given, so that the smallest one can be looked for. */
static inline bool replay_subject_has_pool(const struct replay_subject *subject)
{
    return subject->type == REPLAY_ON_BACKEND ||
           (subject->type == REPLAY_ON_PLUGIN &&
               !(subject->plugin->flags & ACRE_PLUGIN_OWN_MEMORY));
}

/** One instance of a subject, made anew for each replay. */
struct replay_instance {
    const struct replay_subject *subject;
    struct acre_bytes bytes; /**< REPLAY_ON_BACKEND */
    void *plugin_self;       /**< REPLAY_ON_PLUGIN */
};

/**
 * Makes an instance in `pool`, at least 4096-aligned; the control structure of an allocator built
 * in stands at its beginning, so that the pool is all that the allocator costs. Null and 0 for a
 * subject without a pool.
 * @return false: the pool is too small.
 */
bool replay_instance_open(struct replay_instance *instance, const struct replay_subject *subject,
    void *pool, size_t pool_size);

/** Ends an instance; blocks still live go with it, but for those of the system's allocator. */
void replay_instance_close(struct replay_instance *instance);

#endif
