/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/allocators.h"

#include "registry/nearest.h"
#include "replay/execute.h"
#include "tool/command.h"
#include "tool/environment.h"

#include <stdio.h>
#include <string.h>

/* Mallocs that may be installed, by the names under which the loader finds them. */
static const struct peer {
    const char *name, *soname;
} peers[] = {
    { "jemalloc", "libjemalloc.so.2" },
    { "mimalloc", "libmimalloc.so.2" },
    { "mimalloc", "libmimalloc.so.3" },
    { "tcmalloc", "libtcmalloc_minimal.so.4" },
};

const char *const acre_malloc_names[] = { REPLAY_SYSTEM_NAME, REPLAY_KEEP_NAME, "jemalloc",
    "mimalloc", "tcmalloc", NULL };

/* The object that serves malloc with acre's allocators, where it is beside the tool and works;
 * null: there is none. Looked for once. */
static const char *find_drop_in(void)
{
    static char path[ACRE_PATH_ROOM];
    static bool looked, found;
    char version[REPLAY_VERSION_ROOM];
    if (!looked)
        found = acre_find_companion(path, ACRE_DROP_IN_OBJECT, ACRE_LIBDIR) &&
                replay_probe_malloc(path, version);
    looked = true;
    return found ? path : NULL;
}

static bool is_glibc(void)
{
    struct replay_shared own = { .version = "" };
    replay_identify(&own);
    return strstr(own.serves, "libc.so") != NULL;
}

static enum acre_malloc_found found_if(bool found)
{
    return found ? ACRE_MALLOC_FOUND : ACRE_MALLOC_ABSENT;
}

static enum acre_malloc_found find_peer(struct replay_backend *backend, const char *name)
{
    enum acre_malloc_found found = ACRE_MALLOC_UNKNOWN;
    char version[REPLAY_VERSION_ROOM];
    for (size_t i = 0; i < sizeof peers / sizeof *peers; i++) {
        if (found == ACRE_MALLOC_FOUND || strcmp(peers[i].name, name) != 0)
            continue;
        backend->preload = peers[i].soname;
        backend->name = peers[i].name;
        found = found_if(replay_probe_malloc(peers[i].soname, version));
    }
    return found;
}

enum acre_malloc_found acre_find_malloc(struct replay_backend *backend, const char *name)
{
    *backend = (struct replay_backend){ .type = REPLAY_SYSTEM };
    if (strcmp(name, REPLAY_SYSTEM_NAME) == 0) {
        backend->name = REPLAY_SYSTEM_NAME;
        return ACRE_MALLOC_FOUND;
    }
    if (strcmp(name, REPLAY_KEEP_NAME) == 0) {
        backend->name = REPLAY_KEEP_NAME;
        backend->tunables = REPLAY_KEEP_TUNABLES;
        return found_if(is_glibc());
    }
    return find_peer(backend, name);
}

enum acre_malloc_found acre_find_served(struct replay_backend *backend, const char *name)
{
    const struct acre_backend *builtin = acre_backend_find(name);
    if (!builtin)
        return acre_find_malloc(backend, name);
    *backend = (struct replay_backend){ .type = REPLAY_SYSTEM,
        .name = builtin->name,
        .preload = find_drop_in(),
        .allocator = builtin->name };
    return found_if(backend->preload != NULL);
}

static void list_names(char *list, size_t room, const char *const *names)
{
    for (; *names; names++) {
        size_t used = strlen(list);
        snprintf(list + used, room - used, "%s%s", used ? ", " : "", *names);
    }
}

int acre_unknown_allocator(
    const struct acre_usage *usage, const char *name, bool mallocs, const char *const *given)
{
    char list[2048];
    const char *nearest = acre_backend_nearest(name);
    if (!nearest && mallocs)
        nearest = acre_nearest(name, acre_malloc_names);
    if (!nearest && given)
        nearest = acre_nearest(name, given);
    acre_backend_list(list, sizeof list);
    if (mallocs)
        list_names(list, sizeof list, acre_malloc_names);
    if (given)
        list_names(list, sizeof list, given);
    return acre_usage_error(usage, "unknown allocator '%s'%s%s%s (choose from %s)", name,
        nearest ? ", did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "", list);
}

int acre_absent_malloc(const char *command, const char *name)
{
    acre_complain(
        command, "'%s' cannot serve a program here: it is not installed or not built", name);
    return ACRE_EXIT_FAILED;
}
