/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/compare/candidates.h"

#include "plugin/plugin_load.h"
#include "replay/execute.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Mallocs that may be installed, by the names under which the loader finds them. */
static const struct peer {
    const char *name, *soname;
} peers[] = {
    { "jemalloc", "libjemalloc.so.2" },
    { "mimalloc", "libmimalloc.so.2" },
    { "mimalloc", "libmimalloc.so.3" },
    { "tcmalloc", "libtcmalloc_minimal.so.4" },
};

static bool taken(const struct compare_field *field, const char *name)
{
    for (size_t i = 0; i < field->count; i++)
        if (strcmp(field->candidates[i].name, name) == 0)
            return true;
    return false;
}

/* A new candidate of that name and its subject; null when there is no room or it is there. */
static struct compare_candidate *add(struct compare_field *field, enum compare_origin origin,
    const char *allocator, const char *mark, struct replay_backend **subject)
{
    char name[COMPARE_NAME_ROOM];
    snprintf(name, sizeof name, "%.40s%s%.20s", allocator, *mark ? "/" : "", mark);
    if (field->count == COMPARE_MOST_CANDIDATES || taken(field, name))
        return NULL;
    struct compare_candidate *candidate = &field->candidates[field->count];
    candidate->origin = origin;
    memcpy(candidate->name, name, sizeof name);
    snprintf(candidate->allocator, sizeof candidate->allocator, "%.60s", allocator);
    *subject = &field->subjects[field->count++];
    **subject = (struct replay_backend){ .type = REPLAY_SYSTEM, .name = candidate->name };
    return candidate;
}

static void add_system(struct compare_field *field)
{
    struct replay_backend *subject;
    struct replay_shared own = { .version = "" };
    struct compare_candidate *candidate =
        add(field, COMPARE_SYSTEM, REPLAY_SYSTEM_NAME, "", &subject);
    if (!candidate)
        return;
    replay_identify(&own);
    snprintf(candidate->version, sizeof candidate->version, "%.60s", own.version);
}

static void add_setting(struct compare_field *field, const struct acre_backend *backend,
    const struct compare_setting *setting)
{
    struct replay_backend *subject;
    const char *mark = setting ? setting->mark : "";
    const char *name = setting ? setting->name : backend->name;
    struct compare_candidate *candidate = add(field, COMPARE_BUILT_IN, name, mark, &subject);
    if (!candidate)
        return;
    size_t index = field->count - 1;
    field->settings[index] = setting;
    field->backends[index] = *backend;
    if (setting && setting->handle)
        field->backends[index].handle = setting->handle;
    if (setting && setting->size)
        field->backends[index].size = setting->size;
    subject->type = REPLAY_BUILTIN;
    subject->builtin = &field->backends[index];
    snprintf(candidate->setting, sizeof candidate->setting, "%.60s", setting ? setting->text : "");
    snprintf(candidate->version, sizeof candidate->version, "%s", ACRE_VERSION);
}

static void add_backend(struct compare_field *field, const struct acre_backend *backend)
{
    size_t before = field->count;
    for (const struct compare_setting *setting = compare_settings; setting->backend; setting++)
        if (strcmp(setting->backend, backend->name) == 0)
            add_setting(field, backend, setting);
    if (field->count == before)
        add_setting(field, backend, NULL);
}

/* Adds a malloc to preload. @return false: it does not serve malloc, or its name is taken. */
static bool add_preload(struct compare_field *field, const char *name, const char *library)
{
    struct replay_backend *subject;
    char version[REPLAY_VERSION_ROOM];
    if (taken(field, name) || !replay_probe_malloc(library, version))
        return false;
    struct compare_candidate *candidate = add(field, COMPARE_PRELOAD, name, "", &subject);
    if (!candidate)
        return false;
    subject->preload = library;
    snprintf(candidate->version, sizeof candidate->version, "%.60s", version);
    return true;
}

/* By its name, by that without the setting, or by the registry's. */
static bool wanted(
    const struct compare_choice *choice, const struct compare_field *field, size_t index)
{
    const struct compare_candidate *candidate = &field->candidates[index];
    const char *backend = field->backends[index].name;
    for (size_t i = 0; i < choice->name_count; i++)
        if (strcmp(choice->names[i], candidate->name) == 0 ||
            strcmp(choice->names[i], candidate->allocator) == 0 ||
            (backend && strcmp(choice->names[i], backend) == 0))
            return true;
    return choice->name_count == 0;
}

static bool names(const struct compare_field *field, const char *name)
{
    const struct compare_choice choice = { .names = &name, .name_count = 1 };
    for (size_t i = 0; i < field->count; i++)
        if (wanted(&choice, field, i))
            return true;
    return false;
}

/* Moves candidate `from` to the place of `to`, with all that points into it. */
static void move(struct compare_field *field, size_t from, size_t to)
{
    field->candidates[to] = field->candidates[from];
    field->subjects[to] = field->subjects[from];
    field->backends[to] = field->backends[from];
    field->settings[to] = field->settings[from];
    field->subjects[to].name = field->candidates[to].name;
    if (field->subjects[to].builtin)
        field->subjects[to].builtin = &field->backends[to];
}

static void leave_out(struct compare_field *field, const struct compare_choice *choice)
{
    size_t kept = 0;
    for (size_t i = 0; i < field->count; i++) {
        if (!wanted(choice, field, i))
            continue;
        if (kept != i)
            move(field, i, kept);
        kept++;
    }
    field->count = kept;
}

const char *compare_find_candidates(
    struct compare_field *field, const struct compare_choice *choice)
{
    add_system(field);
    for (const struct acre_backend *backend = acre_backends; backend->name; backend++)
        add_backend(field, backend);
    for (size_t i = 0; i < COUNT(peers); i++)
        add_preload(field, peers[i].name, peers[i].soname);
    for (size_t i = 0; i < choice->name_count; i++)
        if (!names(field, choice->names[i]))
            return choice->names[i];
    leave_out(field, choice);
    return NULL;
}

static bool add_plugin(
    struct compare_field *field, const struct acre_plugin *table, char *error, size_t size)
{
    struct replay_backend *subject;
    struct compare_candidate *candidate = add(field, COMPARE_PLUGIN, table->name, "", &subject);
    if (!candidate) {
        snprintf(error, size, "two allocators are called '%s', or there are too many", table->name);
        return false;
    }
    subject->type = REPLAY_PLUGIN;
    subject->plugin = table;
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

bool compare_add_file(struct compare_field *field, const char *path, char *error, size_t size)
{
    struct acre_plugin_file file;
    char name[COMPARE_NAME_ROOM];
    if (access(path, R_OK) == 0 && strchr(path, '/')) {
        library_name(name, path);
        if (add_preload(field, name, path))
            return true;
    }
    return acre_plugin_load(&file, path, error, size) && add_plugin(field, file.table, error, size);
}
