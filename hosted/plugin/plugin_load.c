/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "plugin_load.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

/* The shared object, or null and a sentence. */
static void *open_library(const char *path, char *error, size_t error_size)
{
    char local[4096];
    const char *prefix = strchr(path, '/') ? "" : "./";
    if ((size_t)snprintf(local, sizeof local, "%s%s", prefix, path) >= sizeof local) {
        snprintf(error, error_size, "%.40s...: path too long", path);
        return NULL;
    }
    void *library = dlopen(local, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        snprintf(error, error_size, "cannot load %s: %s", path, dlerror());
    return library;
}

/* The name of the first member that must be there and is not; null when all are. */
static const char *missing_member(const struct acre_plugin *table)
{
    if (!table->name || !table->name[0])
        return "name";
    if (!table->create)
        return "create";
    if (!table->alloc)
        return "alloc";
    if (!table->dealloc)
        return "dealloc";
    return NULL;
}

static const char *missing_in_pages(const struct acre_pages_plugin *table)
{
    if (!table->name || !table->name[0])
        return "name";
    if (!table->size)
        return "size";
    if (!table->create)
        return "create";
    if (!table->alloc)
        return "alloc";
    if (!table->dealloc)
        return "dealloc";
    return NULL;
}

/* Whether a table, which begins with the number of its ABI, is there and of this ABI. */
static bool check_abi(
    const uint32_t *abi, const char *symbol, const char *path, char *error, size_t error_size)
{
    if (!abi)
        snprintf(
            error, error_size, "%s is not an acre plugin: it does not export '%s'", path, symbol);
    else if (*abi != ACRE_PLUGIN_ABI)
        snprintf(error, error_size, "%s: built for plugin ABI %u, this program has ABI %u", path,
            (unsigned)*abi, (unsigned)ACRE_PLUGIN_ABI);
    return abi && *abi == ACRE_PLUGIN_ABI;
}

static bool check_members(
    const char *missing, const char *symbol, const char *path, char *error, size_t error_size)
{
    if (missing)
        snprintf(error, error_size, "%s: '%s' has no '%s'", path, symbol, missing);
    return missing == NULL;
}

static bool check_table(
    const struct acre_plugin *table, const char *path, char *error, size_t error_size)
{
    const char *symbol = "acre_plugin";
    return check_abi(table ? &table->abi : NULL, symbol, path, error, error_size) &&
           check_members(missing_member(table), symbol, path, error, error_size);
}

bool acre_plugin_load(
    struct acre_plugin_file *file, const char *path, char *error, size_t error_size)
{
    *file = (struct acre_plugin_file){ 0 };
    file->library = open_library(path, error, error_size);
    if (!file->library)
        return false;
    file->table = dlsym(file->library, "acre_plugin");
    if (check_table(file->table, path, error, error_size))
        return true;
    acre_plugin_unload(file);
    return false;
}

void acre_plugin_unload(struct acre_plugin_file *file)
{
    if (file->library)
        dlclose(file->library);
    *file = (struct acre_plugin_file){ 0 };
}

const struct acre_pages_plugin *acre_pages_plugin_load(
    const char *path, char *error, size_t error_size)
{
    const char *symbol = "acre_pages_plugin";
    void *library = open_library(path, error, error_size);
    if (!library)
        return NULL;
    const struct acre_pages_plugin *table = dlsym(library, symbol);
    if (check_abi(table ? &table->abi : NULL, symbol, path, error, error_size) &&
        check_members(missing_in_pages(table), symbol, path, error, error_size))
        return table;
    dlclose(library);
    return NULL;
}

static const char *missing_in_subject(const struct acre_subject *subject)
{
    if (!subject->name || !subject->name[0])
        return "name";
    if (!subject->bind)
        return "bind";
    if (!subject->slack)
        return "slack";
    return NULL;
}

const struct acre_subject *acre_subject_load(const char *path, char *error, size_t error_size)
{
    const char *symbol = "acre_subject";
    error[0] = '\0';
    void *library = open_library(path, error, error_size);
    if (!library)
        return NULL;
    const struct acre_subject *subject = dlsym(library, symbol);
    if (subject && check_abi(&subject->abi, symbol, path, error, error_size) &&
        check_members(missing_in_subject(subject), symbol, path, error, error_size))
        return subject;
    dlclose(library);
    return NULL;
}
