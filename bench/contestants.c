/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "contestants.h"
#include "plugin/plugin_load.h"
#include "registry/registry.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

/* A malloc that may be installed, and the soname by which the loader finds it. */
static const struct preload {
    const char *name, *soname;
} preloads[] = {
    { "jemalloc", "libjemalloc.so.2" },
    { "mimalloc", "libmimalloc.so.2" },
    { "tcmalloc-minimal", "libtcmalloc_minimal.so.4" },
};

/* The system's malloc told to keep what was freed, so that the kernel's page faults, which a pool
 * given beforehand has not, are out of its time. */
static const char keep_memory[] =
    "glibc.malloc.trim_threshold=1099511627776:glibc.malloc.mmap_threshold=1099511627776";

static struct bench_contestant *add(
    struct bench_contestants *contestants, const char *name, enum bench_form form)
{
    if (contestants->count == BENCH_MAX_CONTESTANTS)
        return NULL;
    struct bench_contestant *added = &contestants->list[contestants->count++];
    *added = (struct bench_contestant){ .form = form };
    snprintf(added->name, sizeof added->name, "%s", name);
    return added;
}

/* A backend at a setting takes part when it is asked for. */
static void add_builtin(struct bench_contestants *contestants, const struct acre_backend *backend)
{
    char handle[48];
    snprintf(handle, sizeof handle, "%.40s/handle", backend->name);
    struct bench_contestant *both[] = { add(contestants, backend->name, BENCH_TYPED),
        add(contestants, handle, BENCH_HANDLE) };
    for (size_t i = 0; i < 2 && both[i]; i++) {
        both[i]->builtin = backend->name;
        both[i]->on_request = backend->setting[0] != '\0';
    }
}

void bench_contestants_init(struct bench_contestants *contestants)
{
    contestants->count = 0;
    add(contestants, "harness", BENCH_EMPTY);
    add(contestants, "glibc", BENCH_SYSTEM);
    add(contestants, "glibc-keep", BENCH_SYSTEM)->tunables = keep_memory;
    for (const struct acre_backend *backend = acre_backends; backend->name; backend++)
        add_builtin(contestants, backend);
    for (size_t i = 0; i < sizeof preloads / sizeof preloads[0]; i++)
        add(contestants, preloads[i].name, BENCH_PRELOAD)->library = preloads[i].soname;
}

static bool name_taken(const struct bench_contestants *contestants, const char *name)
{
    for (size_t i = 0; i < contestants->count; i++)
        if (strcmp(contestants->list[i].name, name) == 0)
            return true;
    return false;
}

bool bench_contestants_add_plugin(
    struct bench_contestants *contestants, const char *path, char *error, size_t error_size)
{
    struct acre_plugin_file file;
    struct bench_contestant *added = NULL;
    if (!acre_plugin_load(&file, path, error, error_size))
        return false;
    if (name_taken(contestants, file.table->name))
        snprintf(error, error_size, "%s: the name `%s` is taken", path, file.table->name);
    else if (!(added = add(contestants, file.table->name, BENCH_PLUGIN)))
        snprintf(error, error_size, "%s: too many contestants", path);
    else
        added->library = path;
    acre_plugin_unload(&file);
    return added != NULL;
}

bool bench_bind(const struct bench_contestant *contestant, struct bench_bound *bound, char *error,
    size_t error_size)
{
    bool ok = true;
    switch (contestant->form) {
    case BENCH_EMPTY:
        bench_bind_empty(bound);
        break;
    case BENCH_SYSTEM:
    case BENCH_PRELOAD:
        bench_bind_system(bound);
        break;
    case BENCH_PLUGIN:
        return bench_bind_plugin(contestant->library, bound, error, error_size);
    case BENCH_TYPED:
        ok = bench_bind_typed(contestant->builtin, bound);
        break;
    case BENCH_HANDLE:
        ok = bench_bind_handle(contestant->builtin, bound);
        break;
    }
    if (!ok)
        snprintf(error, error_size, "%s: not built in", contestant->name);
    return ok;
}
