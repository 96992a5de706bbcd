/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The environment in which a command's malloc is served by an allocator.
 */
#ifndef ACRE_TOOL_ENVIRONMENT_H
#define ACRE_TOOL_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>

/** The object that serves malloc with one of acre's allocators. */
#define ACRE_DROP_IN_OBJECT "libacre-malloc.so"

/** Its default: the backend with a heap per thread. */
#define ACRE_THREADED_NAME "threaded"

/** What is set for the command; whatever is null, 0 or false is not. */
struct acre_served {
    const char *library;   /**< Put in front of LD_PRELOAD: a path or a soname. */
    const char *allocator; /**< ACRE_ALLOCATOR; null unsets it. */
    const char *tunables;  /**< GLIBC_TUNABLES. */
    size_t pool;           /**< ACRE_POOL, in bytes. */
    bool stats;            /**< ACRE_STATS. */
};

/** Sets the environment of this process, for the command that it is to become.
 * @return false with errno set. */
bool acre_set_served(const struct acre_served *served);

#endif
