/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/allocators.h"

#include "registry/nearest.h"
#include "registry/registry.h"

#include <stdio.h>

/* `other` too is a name. */
static const char *nearest_of(const char *name, const char *other)
{
    const char *const others[] = { other, NULL };
    const char *nearest = acre_backend_nearest(name);
    return nearest ? nearest : acre_nearest(name, others);
}

int acre_unknown_allocator(const struct acre_usage *usage, const char *name, const char *other)
{
    char list[1024];
    const char *nearest = nearest_of(name, other);
    acre_backend_list(list, sizeof list);
    return acre_usage_error(usage, "unknown allocator '%s'%s%s%s (choose from %s%s%s)", name,
        nearest ? ", did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "", list,
        other ? ", " : "", other ? other : "");
}
