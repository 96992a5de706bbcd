/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/allocators.h"

#include "registry/registry.h"
#include "tool/nearest.h"

#include <stdio.h>

#define MOST_NAMES 64

static size_t list_names(const char *names[MOST_NAMES], const char *other)
{
    size_t count = 0;
    for (const struct acre_backend *backend = acre_backends;
         backend->name && count < MOST_NAMES - 2; backend++)
        names[count++] = backend->name;
    if (other)
        names[count++] = other;
    names[count] = NULL;
    return count;
}

int acre_unknown_allocator(const struct acre_usage *usage, const char *name, const char *other)
{
    const char *names[MOST_NAMES];
    char list[1024] = "none";
    size_t used = 0;
    size_t count = list_names(names, other);
    for (size_t i = 0; i < count && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", names[i]);
    const char *nearest = acre_nearest(name, names);
    if (nearest)
        return acre_usage_error(
            usage, "unknown allocator '%s', did you mean '%s'? There are: %s", name, nearest, list);
    return acre_usage_error(usage, "unknown allocator '%s'; there are: %s", name, list);
}
