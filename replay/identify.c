/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Which malloc serves this process, and its version as far as it says so. */
#include "replay/execute.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <stdio.h>
#include <string.h>

typedef int control_fn(const char *name, void *old, size_t *old_size, void *new, size_t new_size);
typedef int number_fn(void);
typedef const char *text_fn(int *major, int *minor, const char **patch);

/* A function of this process by name, copied into `*function`. @return false: there is none. */
static bool find(const char *name, void *function, size_t size)
{
    void *found = dlsym(RTLD_DEFAULT, name);
    if (found)
        memcpy(function, &found, size);
    return found != NULL;
}

static bool jemalloc_version(char version[REPLAY_VERSION_ROOM])
{
    control_fn *control;
    const char *text = NULL;
    size_t size = sizeof text;
    if (!find("mallctl", &control, sizeof control) ||
        control("version", &text, &size, NULL, 0) != 0)
        return false;
    snprintf(version, REPLAY_VERSION_ROOM, "%.*s", (int)strcspn(text, "-"), text);
    return true;
}

static bool mimalloc_version(char version[REPLAY_VERSION_ROOM])
{
    number_fn *number;
    if (!find("mi_version", &number, sizeof number))
        return false;
    int value = number();
    snprintf(version, REPLAY_VERSION_ROOM, "%d.%d.%d", value / 100, value / 10 % 10, value % 10);
    return true;
}

static bool tcmalloc_version(char version[REPLAY_VERSION_ROOM])
{
    text_fn *say;
    if (!find("tc_version", &say, sizeof say))
        return false;
    const char *text = say(NULL, NULL, NULL);
    snprintf(version, REPLAY_VERSION_ROOM, "%.40s", text + strcspn(text, "0123456789"));
    return true;
}

void replay_identify(struct replay_shared *shared)
{
    Dl_info info;
    void *found = dlsym(RTLD_DEFAULT, "malloc");
    if (found && dladdr(found, &info) && info.dli_fname)
        snprintf(shared->serves, sizeof shared->serves, "%s", info.dli_fname);
    if (jemalloc_version(shared->version) || mimalloc_version(shared->version) ||
        tcmalloc_version(shared->version))
        return;
    if (strstr(shared->serves, "libc.so"))
        snprintf(shared->version, REPLAY_VERSION_ROOM, "%s", gnu_get_libc_version());
}
