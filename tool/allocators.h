/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The names of allocators on a command line.
 */
#ifndef ACRE_TOOL_ALLOCATORS_H
#define ACRE_TOOL_ALLOCATORS_H

#include "cli/options.h"

/**
 * Complains of an allocator that does not exist, and lists those that do.
 * @param other one more name to list, or null.
 * @return ACRE_EXIT_USAGE.
 */
int acre_unknown_allocator(const struct acre_usage *usage, const char *name, const char *other);

#endif
