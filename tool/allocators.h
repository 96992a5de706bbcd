/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The names of allocators on a command line: the backends of the registry, and the mallocs that
 * serve a whole process.
 */
#ifndef ACRE_TOOL_ALLOCATORS_H
#define ACRE_TOOL_ALLOCATORS_H

#include "cli/options.h"
#include "replay/backend.h"

/** Names of mallocs: "system", "system-keep" and those of others; ends with a null. */
extern const char *const acre_malloc_names[];

/** How a search for a malloc ended. */
enum acre_malloc_found {
    ACRE_MALLOC_FOUND,
    ACRE_MALLOC_UNKNOWN, /**< No malloc has that name. */
    ACRE_MALLOC_ABSENT   /**< It is not installed, not built, or no setting of this C library. */
};

/** Finds the malloc of that name, which serves a process; `*backend` stays valid for good. */
enum acre_malloc_found acre_find_malloc(struct replay_backend *backend, const char *name);

/** How `name`, a backend or a malloc, serves a process. @return as acre_find_malloc(). */
enum acre_malloc_found acre_find_served(struct replay_backend *backend, const char *name);

/**
 * Complains of an allocator that does not exist, and lists those that do.
 * @param mallocs list the names of mallocs too.
 * @param given names of plugins that were given, ended by a null, to list as well; null: none.
 * @return ACRE_EXIT_USAGE.
 */
int acre_unknown_allocator(
    const struct acre_usage *usage, const char *name, bool mallocs, const char *const *given);

/** Complains of a malloc that is known and not there. @return ACRE_EXIT_FAILED. */
int acre_absent_malloc(const char *command, const char *name);

#endif
