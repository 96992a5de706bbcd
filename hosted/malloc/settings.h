/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * What the environment asks of the drop-in malloc.
 */
#ifndef ACRE_HOSTED_MALLOC_SETTINGS_H
#define ACRE_HOSTED_MALLOC_SETTINGS_H

#include "registry/registry.h"

#include <stdbool.h>
#include <stddef.h>

struct acre_settings {
    const struct acre_backend *backend; /**< ACRE_ALLOCATOR. */
    size_t limit;                       /**< ACRE_POOL in bytes; SIZE_MAX: none. */
    bool stats;                         /**< ACRE_STATS. */
    bool trace_frees;                   /**< ACRE_TRACE_FREES. */
    unsigned harden;                    /**< ACRE_HARDEN: 0 to 2. */
    bool help;                          /**< ACRE_HELP. */
};

/** Exit status of a process that was started with settings that make no sense. */
#define ACRE_SETTINGS_EXIT 125

/**
 * Reads the environment. A value that makes no sense ends the process with status
 * ACRE_SETTINGS_EXIT and one line on standard error: a program measured with another allocator than
 * the one asked for is worse than none.
 */
struct acre_settings acre_settings_read(void);

/** Writes the list of variables to standard error. */
void acre_settings_help(void);

#endif
