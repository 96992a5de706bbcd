/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/environment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool set_size_variable(const char *name, size_t bytes)
{
    char text[32];
    snprintf(text, sizeof text, "%zu", bytes);
    return setenv(name, text, 1) == 0;
}

/* Puts `library` in front of what is preloaded already. */
static bool prepend_preload(const char *library)
{
    const char *before = getenv("LD_PRELOAD");
    if (!before || !*before)
        return setenv("LD_PRELOAD", library, 1) == 0;
    size_t room = strlen(library) + strlen(before) + 2;
    char *both = malloc(room);
    if (!both)
        return false;
    snprintf(both, room, "%s:%s", library, before);
    bool set = setenv("LD_PRELOAD", both, 1) == 0;
    free(both);
    return set;
}

bool acre_set_served(const struct acre_served *served)
{
    bool set = !served->library || prepend_preload(served->library);
    if (served->allocator)
        set = set && setenv("ACRE_ALLOCATOR", served->allocator, 1) == 0;
    else
        set = set && unsetenv("ACRE_ALLOCATOR") == 0;
    if (served->tunables)
        set = set && setenv("GLIBC_TUNABLES", served->tunables, 1) == 0;
    if (served->pool)
        set = set && set_size_variable("ACRE_POOL", served->pool);
    if (served->stats)
        set = set && setenv("ACRE_STATS", "1", 1) == 0;
    return set;
}
