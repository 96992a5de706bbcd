/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Proves which malloc serves this process, and asks it for its version. */
#include "contestants.h"
#include "plugin/plugin_load.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <stdio.h>
#include <string.h>

/* A function by name, as a function pointer; null when the process has none. */
static void *symbol(const char *name)
{
    return dlsym(RTLD_DEFAULT, name);
}

static bool jemalloc_version(char *version, size_t size)
{
    int (*mallctl)(const char *, void *, size_t *, void *, size_t);
    void *found = symbol("mallctl");
    const char *text = NULL;
    size_t length = sizeof text;
    if (!found)
        return false;
    memcpy(&mallctl, &found, sizeof found);
    if (mallctl("version", &text, &length, NULL, 0) != 0)
        return false;
    snprintf(version, size, "%.*s", (int)strcspn(text, "-"), text);
    return true;
}

static bool mimalloc_version(char *version, size_t size)
{
    int (*mi_version)(void);
    void *found = symbol("mi_version");
    if (!found)
        return false;
    memcpy(&mi_version, &found, sizeof found);
    int number = mi_version();
    snprintf(version, size, "%d.%d.%d", number / 100, number / 10 % 10, number % 10);
    return true;
}

static bool tcmalloc_version(char *version, size_t size)
{
    const char *(*tc_version)(int *, int *, const char **);
    void *found = symbol("tc_version");
    if (!found)
        return false;
    memcpy(&tc_version, &found, sizeof found);
    const char *text = tc_version(NULL, NULL, NULL);
    snprintf(version, size, "%s", text + strcspn(text, "0123456789"));
    return true;
}

/* Whether `malloc` comes from a file whose name begins with `soname`. */
static bool serves(const char *soname)
{
    Dl_info info;
    void *found = symbol("malloc");
    if (!found || !dladdr(found, &info) || !info.dli_fname)
        return false;
    const char *slash = strrchr(info.dli_fname, '/');
    const char *base = slash ? slash + 1 : info.dli_fname;
    return strncmp(base, soname, strlen(soname)) == 0;
}

static bool plugin_version(const char *path, char *version, size_t size)
{
    char error[256];
    struct acre_plugin_file file;
    if (!acre_plugin_load(&file, path, error, sizeof error))
        return false;
    snprintf(version, size, "%s", file.table->version ? file.table->version : "unknown");
    acre_plugin_unload(&file);
    return true;
}

bool bench_identify(const struct bench_contestant *contestant, char *version, size_t size)
{
    version[0] = 0;
    if (contestant->form == BENCH_PLUGIN)
        return plugin_version(contestant->library, version, size);
    if (contestant->form == BENCH_PRELOAD)
        return serves(contestant->library) &&
               (jemalloc_version(version, size) || mimalloc_version(version, size) ||
                   tcmalloc_version(version, size));
    if (contestant->form == BENCH_SYSTEM) {
        snprintf(version, size, "%s", gnu_get_libc_version());
        return serves("libc.so");
    }
    snprintf(version, size, "%s", contestant->form == BENCH_EMPTY ? "" : "built in");
    return true;
}
