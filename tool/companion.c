/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "cli/options.h"
#include "tool/command.h"
#include "tool/record/launch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Writes the folder of the running program, without the slash at its end. */
static bool own_folder(char folder[ACRE_PATH_ROOM])
{
    ssize_t size = readlink("/proc/self/exe", folder, ACRE_PATH_ROOM - 1);
    if (size <= 0)
        return false;
    folder[size] = '\0';
    char *slash = strrchr(folder, '/');
    if (!slash)
        return false;
    *slash = '\0';
    return true;
}

bool acre_find_companion(char path[ACRE_PATH_ROOM], const char *name, const char *folder)
{
    char own[ACRE_PATH_ROOM];
    char installed[ACRE_PATH_ROOM];
    path[0] = '\0';
    if (!own_folder(own))
        return false;
    int beside = snprintf(path, ACRE_PATH_ROOM, "%s/%s", own, name);
    if (beside < ACRE_PATH_ROOM && access(path, R_OK) == 0)
        return true;
    int size = snprintf(installed, sizeof installed, "%s/../%s/%s", own, folder, name);
    if (size >= ACRE_PATH_ROOM || access(installed, R_OK) != 0)
        return false;
    memcpy(path, installed, sizeof installed);
    return true;
}

bool acre_find_preload(const char *command, char path[ACRE_PATH_ROOM], const char *name)
{
    if (!acre_find_companion(path, name, ACRE_LIBDIR)) {
        acre_complain(command, "cannot find '%s', here or installed", path);
        return false;
    }
    if (strpbrk(path, " :")) {
        acre_complain(command, "cannot preload '%s': its path contains a space or a colon", path);
        return false;
    }
    return true;
}

bool acre_is_command(const char *name)
{
    const char *path = strchr(name, '/') ? NULL : getenv("PATH");
    char file[ACRE_PATH_ROOM];
    if (strchr(name, '/'))
        return access(name, X_OK) == 0;
    while (path && *path) {
        size_t length = strcspn(path, ":");
        int size = snprintf(file, sizeof file, "%.*s/%s", (int)length, path, name);
        if (size > 0 && (size_t)size < sizeof file && access(file, X_OK) == 0)
            return true;
        path += length + (path[length] == ':');
    }
    return false;
}

int acre_become(const char *command, char **argv)
{
    launch_restore_signals();
    execvp(argv[0], argv);
    int error = errno;
    acre_complain(command, "cannot run '%s': %s", argv[0], strerror(error));
    return error == ENOENT ? ACRE_EXIT_NOT_FOUND : ACRE_EXIT_CANNOT_EXECUTE;
}
