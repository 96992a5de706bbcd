/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/compare/candidates.h"

#include "plugin/plugin_load.h"
#include "replay/execute.h"
#include "tool/allocators.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool name_is_taken(const struct compare_candidates *candidates, const char *name)
{
    for (size_t i = 0; i < candidates->count; i++)
        if (strcmp(candidates->items[i].name, name) == 0)
            return true;
    return false;
}

/* A new candidate of that name, `family` without a setting, and its backend; null when there is no
 * room or it is there. */
static struct compare_candidate *add_candidate(struct compare_candidates *candidates,
    enum compare_origin origin, const char *name, const char *family,
    struct replay_backend **backend)
{
    if (candidates->count == COMPARE_MOST_CANDIDATES || name_is_taken(candidates, name))
        return NULL;
    struct compare_candidate *candidate = &candidates->items[candidates->count];
    memset(candidate, 0, sizeof *candidate);
    candidate->origin = origin;
    snprintf(candidate->name, sizeof candidate->name, "%.60s", name);
    snprintf(candidate->allocator, sizeof candidate->allocator, "%.60s", family);
    *backend = &candidates->backends[candidates->count++];
    **backend = (struct replay_backend){ .type = REPLAY_SYSTEM, .name = candidate->name };
    return candidate;
}

static void add_system(struct compare_candidates *candidates, const struct replay_shared *own)
{
    struct replay_backend *backend;
    struct compare_candidate *candidate =
        add_candidate(candidates, COMPARE_SYSTEM, REPLAY_SYSTEM_NAME, REPLAY_SYSTEM_NAME, &backend);
    if (candidate)
        snprintf(candidate->version, sizeof candidate->version, "%.60s", own->version);
}

/* The system's malloc where it takes settings: only glibc's does. */
static void add_system_keep(struct compare_candidates *candidates, const struct replay_shared *own)
{
    struct replay_backend *backend;
    if (!strstr(own->serves, "libc.so"))
        return;
    struct compare_candidate *candidate =
        add_candidate(candidates, COMPARE_TUNED, REPLAY_KEEP_NAME, REPLAY_SYSTEM_NAME, &backend);
    if (!candidate)
        return;
    backend->tunables = REPLAY_KEEP_TUNABLES;
    snprintf(candidate->setting, sizeof candidate->setting, "keeps the memory it has freed");
    snprintf(candidate->version, sizeof candidate->version, "%.60s", own->version);
}

static void add_backend(struct compare_candidates *candidates, const struct acre_backend *builtin)
{
    struct replay_backend *backend;
    struct compare_candidate *candidate =
        add_candidate(candidates, COMPARE_BUILT_IN, builtin->name, builtin->family, &backend);
    if (!candidate)
        return;
    candidates->builtins[candidates->count - 1] = builtin;
    backend->type = REPLAY_BUILTIN;
    backend->builtin = builtin;
    struct replay_backend *served = &candidates->served[candidates->count - 1];
    if (acre_find_served(served, builtin->name) == ACRE_MALLOC_FOUND)
        backend->served = served;
    snprintf(candidate->setting, sizeof candidate->setting, "%.60s",
        builtin->setting[0] ? builtin->text : "");
    snprintf(candidate->version, sizeof candidate->version, "%s", ACRE_VERSION);
}

/* Whether the choice names a candidate: in full, or by a beginning that ends in a slash. */
static bool is_named(const struct compare_choice *choice, const char *name)
{
    for (size_t i = 0; i < choice->name_count; i++) {
        const char *wanted = choice->names[i];
        size_t length = strlen(wanted);
        bool begins = length && wanted[length - 1] == '/' && strncmp(name, wanted, length) == 0;
        if (begins || strcmp(name, wanted) == 0)
            return true;
    }
    return false;
}

static void add_backends(struct compare_candidates *candidates, const struct compare_choice *choice)
{
    for (const struct acre_backend *backend = acre_backends; backend->name; backend++)
        if (choice->name_count ? is_named(choice, backend->name) : backend->compared)
            add_backend(candidates, backend);
}

/* Adds a malloc to preload. @return false: it does not serve malloc, or its name is taken. */
static bool add_preload(
    struct compare_candidates *candidates, const char *name, const char *library)
{
    struct replay_backend *backend;
    char version[REPLAY_VERSION_ROOM];
    if (name_is_taken(candidates, name) || !replay_probe_malloc(library, version))
        return false;
    struct compare_candidate *candidate =
        add_candidate(candidates, COMPARE_PRELOAD, name, name, &backend);
    if (!candidate)
        return false;
    backend->preload = library;
    snprintf(candidate->version, sizeof candidate->version, "%.60s", version);
    return true;
}

const char *compare_find_unknown(
    const struct compare_candidates *candidates, const struct compare_choice *choice)
{
    for (size_t i = 0; i < choice->name_count; i++) {
        const struct compare_choice one = { .names = &choice->names[i], .name_count = 1 };
        size_t at = 0;
        while (at < candidates->count && !is_named(&one, candidates->items[at].name))
            at++;
        if (at == candidates->count)
            return choice->names[i];
    }
    return NULL;
}

/* A malloc that is there. */
static void add_malloc(struct compare_candidates *candidates, const char *name)
{
    struct replay_backend *backend;
    struct replay_backend found;
    char version[REPLAY_VERSION_ROOM] = "";
    if (acre_find_malloc(&found, name) != ACRE_MALLOC_FOUND)
        return;
    struct compare_candidate *candidate =
        add_candidate(candidates, COMPARE_PRELOAD, name, name, &backend);
    if (!candidate)
        return;
    *backend = found;
    backend->name = candidate->name;
    if (found.allocator)
        snprintf(version, sizeof version, "%s", ACRE_VERSION);
    else
        replay_probe_malloc(found.preload, version);
    snprintf(candidate->version, sizeof candidate->version, "%.60s", version);
}

void compare_find_candidates(
    struct compare_candidates *candidates, const struct compare_choice *choice)
{
    bool all = choice->name_count == 0;
    struct replay_shared own = { .version = "" };
    replay_identify(&own);
    for (const char *const *name = acre_malloc_names; *name; name++) {
        bool wanted = all || is_named(choice, *name);
        if (wanted && strcmp(*name, REPLAY_SYSTEM_NAME) == 0)
            add_system(candidates, &own);
        else if (wanted && strcmp(*name, REPLAY_KEEP_NAME) == 0)
            add_system_keep(candidates, &own);
    }
    add_backends(candidates, choice);
    for (const char *const *name = acre_malloc_names; *name; name++)
        if (all || is_named(choice, *name))
            add_malloc(candidates, *name);
}

static bool add_plugin(struct compare_candidates *candidates, const struct acre_plugin *table,
    char *error, size_t size)
{
    struct replay_backend *backend;
    struct compare_candidate *candidate =
        add_candidate(candidates, COMPARE_PLUGIN, table->name, table->name, &backend);
    if (!candidate) {
        snprintf(error, size, "two allocators are called '%s', or there are too many", table->name);
        return false;
    }
    backend->type = REPLAY_PLUGIN;
    backend->plugin = table;
    snprintf(candidate->version, sizeof candidate->version, "%.60s",
        table->version ? table->version : "");
    return true;
}

/* The name of a library: that of its file up to the first dot, without "lib". */
static void library_name(char name[COMPARE_NAME_ROOM], const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    if (strncmp(base, "lib", 3) == 0 && base[3])
        base += 3;
    snprintf(name, COMPARE_NAME_ROOM, "%.*s", (int)strcspn(base, "."), base);
}

bool compare_add_file(
    struct compare_candidates *candidates, const char *path, char *error, size_t size)
{
    struct acre_plugin_file file;
    char name[COMPARE_NAME_ROOM];
    if (access(path, R_OK) == 0 && strchr(path, '/')) {
        library_name(name, path);
        if (add_preload(candidates, name, path))
            return true;
    }
    return acre_plugin_load(&file, path, error, size) &&
           add_plugin(candidates, file.table, error, size);
}
