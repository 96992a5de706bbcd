/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * A backend: the allocator that a script is replayed on. It is built in, comes from a plugin, is
 * the malloc of the process, or does nothing (to measure the cost of the replay itself).
 */
#ifndef ACRE_REPLAY_BACKEND_H
#define ACRE_REPLAY_BACKEND_H

#include "registry/registry.h"

#include <acre/plugin.h>
#include <stdbool.h>
#include <stddef.h>

enum replay_backend_type {
    REPLAY_BUILTIN, /**< `builtin`: an allocator of acre, through its handle. */
    REPLAY_TYPED,   /**< `plugin`, `loops`: an allocator of acre, through its typed functions. */
    REPLAY_PLUGIN,  /**< `plugin`. */
    REPLAY_SYSTEM,  /**< malloc of this process. */
    REPLAY_EMPTY    /**< Every request is granted the same address. */
};

struct replay_loops;

struct replay_backend {
    enum replay_backend_type type;
    const char *name;
    const struct acre_backend *builtin; /**< From the registry. */
    const struct acre_plugin *plugin;
    const struct replay_loops *loops; /**< REPLAY_TYPED. */
    /** REPLAY_SYSTEM: a shared object to preload in the worker's process, or null. */
    const char *preload;
    /** REPLAY_SYSTEM: a malloc that is loaded as well, as that which the program is linked to; or
     * null. */
    const char *linked;
    const char *tunables; /**< REPLAY_SYSTEM: settings of glibc's malloc for it, or null. */
    /** REPLAY_SYSTEM: which of acre's allocators the object is to serve with, or null. */
    const char *allocator;
    /** How a program gets this backend in place of its malloc, a REPLAY_SYSTEM one; null: as it is,
     * or not at all. */
    const struct replay_backend *served;
};

/** Name of the system's allocator in tables and options. */
#define REPLAY_SYSTEM_NAME "system"
/** The same, told to keep what was freed: its thresholds raised (M_MMAP_THRESHOLD,
 * M_TRIM_THRESHOLD), so that the kernel's page faults are out of its time. */
#define REPLAY_KEEP_NAME "system-keep"
#define REPLAY_KEEP_TUNABLES                                                                       \
    "glibc.malloc.trim_threshold=1099511627776:glibc.malloc.mmap_threshold=1099511627776"

/** Works inside a pool that it is given, so that the smallest one can be searched for. */
static inline bool replay_backend_has_pool(const struct replay_backend *backend)
{
    return backend->type == REPLAY_BUILTIN ||
           (backend->plugin && !(backend->plugin->flags & ACRE_PLUGIN_OWN_MEMORY));
}

/** One instance of a backend, made anew for each replay. It must not be copied. */
struct replay_instance {
    const struct replay_backend *backend;
    const struct acre_plugin *calls; /**< Its functions; `realloc` is never null. */
    const struct replay_loops *loops;
    void *self;              /**< Of `calls`; null of REPLAY_EMPTY alone. */
    struct acre_bytes bytes; /**< REPLAY_BUILTIN; `self` points to it. */
};

/**
 * Makes an instance in `pool`, at least 4096-aligned; the control structure of an allocator built
 * in stands at its beginning, so that the pool is all that the allocator costs. Null and 0 for a
 * backend without a pool. A process has instances of one plugin at a time.
 * @return false: the pool is too small.
 */
bool replay_instance_open(struct replay_instance *instance, const struct replay_backend *backend,
    void *pool, size_t pool_size);

/** Ends an instance; blocks still live go with it, but for those of the system's allocator. */
void replay_instance_close(struct replay_instance *instance);

#endif
