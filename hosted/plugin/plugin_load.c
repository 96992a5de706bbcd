/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "plugin_load.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static bool open_library(
    struct acre_plugin_file *file, const char *path, char *error, size_t error_size)
{
    char local[4096];
    const char *prefix = strchr(path, '/') ? "" : "./";
    if ((size_t)snprintf(local, sizeof local, "%s%s", prefix, path) >= sizeof local) {
        snprintf(error, error_size, "%.40s...: path too long", path);
        return false;
    }
    file->library = dlopen(local, RTLD_NOW | RTLD_LOCAL);
    if (!file->library)
        snprintf(error, error_size, "%s: cannot be loaded: %s", path, dlerror());
    return file->library != NULL;
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

static bool check_table(
    const struct acre_plugin *table, const char *path, char *error, size_t error_size)
{
    if (!table) {
        snprintf(error, error_size, "%s: exports no `acre_plugin`; not an acre plugin", path);
        return false;
    }
    if (table->abi != ACRE_PLUGIN_ABI) {
        snprintf(error, error_size, "%s: built for plugin ABI %u, this program has ABI %u", path,
            (unsigned)table->abi, (unsigned)ACRE_PLUGIN_ABI);
        return false;
    }
    const char *missing = missing_member(table);
    if (missing)
        snprintf(error, error_size, "%s: its `acre_plugin` has no `%s`", path, missing);
    return missing == NULL;
}

bool acre_plugin_load(
    struct acre_plugin_file *file, const char *path, char *error, size_t error_size)
{
    *file = (struct acre_plugin_file){ 0 };
    if (!open_library(file, path, error, error_size))
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
