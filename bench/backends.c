/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "backends.h"
#include "plugin/plugin_load.h"
#include "registry/registry.h"

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

/* ---- the harness: an allocator that does nothing, called as a plugin is ---- */

static void *harness_create(void *pool, size_t size)
{
    (void)size;
    return pool;
}

static void *harness_alloc(void *self, size_t size, size_t align)
{
    (void)size;
    (void)align;
    return self;
}

static void harness_dealloc(void *self, void *ptr, size_t size, size_t align)
{
    (void)self;
    (void)ptr;
    (void)size;
    (void)align;
}

static void *harness_realloc(void *self, void *ptr, size_t old_size, size_t new_size, size_t align)
{
    (void)self;
    (void)old_size;
    (void)new_size;
    (void)align;
    return ptr;
}

static const struct acre_plugin harness = {
    .abi = ACRE_PLUGIN_ABI,
    .name = "harness",
    .create = harness_create,
    .alloc = harness_alloc,
    .dealloc = harness_dealloc,
    .realloc = harness_realloc,
};

/* ---- the list ---- */

static struct bench_backend *append_backend(
    struct bench_backends *backends, const char *name, enum bench_form form)
{
    static const enum replay_backend_type types[] = {
        [BENCH_EMPTY] = REPLAY_PLUGIN,
        [BENCH_TYPED] = REPLAY_TYPED,
        [BENCH_HANDLE] = REPLAY_BUILTIN,
        [BENCH_SYSTEM] = REPLAY_SYSTEM,
        [BENCH_PRELOAD] = REPLAY_SYSTEM,
        [BENCH_PLUGIN] = REPLAY_PLUGIN,
    };
    if (backends->count == BENCH_MAX_BACKENDS)
        return NULL;
    struct bench_backend *added = &backends->list[backends->count++];
    *added = (struct bench_backend){ .form = form, .replay.type = types[form] };
    snprintf(added->name, sizeof added->name, "%s", name);
    return added;
}

/* A backend at a setting takes part when it is asked for. */
static void add_both_forms(struct bench_backends *backends, const struct acre_backend *builtin)
{
    char handle[48];
    snprintf(handle, sizeof handle, "%.40s/handle", builtin->name);
    struct bench_backend *both[] = { append_backend(backends, builtin->name, BENCH_TYPED),
        append_backend(backends, handle, BENCH_HANDLE) };
    for (size_t i = 0; i < 2 && both[i]; i++) {
        both[i]->replay.builtin = builtin;
        both[i]->on_request = builtin->setting[0] != '\0';
    }
    if (both[0] && !bench_typed(&both[0]->replay, builtin->name))
        both[0]->on_request = true;
}

void bench_backends_init(struct bench_backends *backends)
{
    backends->count = 0;
    append_backend(backends, "harness", BENCH_EMPTY)->replay.plugin = &harness;
    append_backend(backends, REPLAY_SYSTEM_NAME, BENCH_SYSTEM);
    append_backend(backends, REPLAY_KEEP_NAME, BENCH_SYSTEM)->tunables = REPLAY_KEEP_TUNABLES;
    for (const struct acre_backend *builtin = acre_backends; builtin->name; builtin++)
        add_both_forms(backends, builtin);
    for (size_t i = 0; i < sizeof preloads / sizeof preloads[0]; i++)
        append_backend(backends, preloads[i].name, BENCH_PRELOAD)->replay.preload =
            preloads[i].soname;
}

static struct bench_backend *find_name(struct bench_backends *backends, const char *name)
{
    for (size_t i = 0; i < backends->count; i++)
        if (strcmp(backends->list[i].name, name) == 0)
            return &backends->list[i];
    return NULL;
}

bool bench_backends_add_plugin(
    struct bench_backends *backends, const char *path, char *error, size_t error_size)
{
    struct acre_plugin_file file;
    struct bench_backend *added = NULL;
    if (!acre_plugin_load(&file, path, error, error_size))
        return false;
    if (find_name(backends, file.table->name))
        snprintf(error, error_size, "%s: the name `%s` is taken", path, file.table->name);
    else if (!(added = append_backend(backends, file.table->name, BENCH_PLUGIN)))
        snprintf(error, error_size, "%s: too many backends", path);
    if (!added)
        return false;
    added->library = path;
    added->replay.plugin = file.table;
    return true;
}

bool bench_identify(struct bench_backend *backend)
{
    static struct replay_shared own;
    const char *version = backend->form == BENCH_EMPTY ? "" : "built in";
    if (backend->form == BENCH_PRELOAD)
        return replay_probe_malloc(backend->replay.preload, backend->version);
    if (backend->form == BENCH_PLUGIN)
        version = backend->replay.plugin->version ? backend->replay.plugin->version : "unknown";
    if (backend->form == BENCH_SYSTEM) {
        replay_identify(&own);
        version = own.version;
    }
    snprintf(backend->version, sizeof backend->version, "%s", version);
    return backend->form != BENCH_SYSTEM || strstr(own.serves, "libc.so");
}

bool bench_find_backend(struct replay_backend *backend, const char *name, const char *library)
{
    static struct bench_backends backends;
    char error[256];
    bench_backends_init(&backends);
    if (library[0] && !bench_backends_add_plugin(&backends, library, error, sizeof error))
        return false;
    struct bench_backend *found = find_name(&backends, name);
    if (!found)
        return false;
    *backend = found->replay;
    backend->name = found->name;
    return true;
}
