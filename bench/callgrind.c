/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "callgrind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool callgrind_is_there(void)
{
#if __has_include(<valgrind/callgrind.h>)
    return system("valgrind --version >/dev/null 2>&1") == 0;
#else
    return false;
#endif
}

double callgrind_read_totals(const char *path)
{
    char line[256];
    double totals = 0;
    FILE *file = fopen(path, "r");
    if (!file)
        return -1;
    while (fgets(line, sizeof line, file))
        if (strncmp(line, "totals:", 7) == 0)
            totals = strtod(line + 7, NULL);
    fclose(file);
    unlink(path);
    return totals > 0 ? totals : -1;
}

double callgrind_count_self(const char *options, const char *arguments)
{
    char self[256];
    char path[64];
    char command[1024];
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    if (size < 0)
        return -1;
    self[size] = '\0';
    snprintf(path, sizeof path, "/tmp/acre-callgrind.%ld", (long)getpid());
    snprintf(command, sizeof command,
        "valgrind --tool=callgrind -q %s --callgrind-out-file=%s '%s' %s", options, path, self,
        arguments);
    if (system(command) == 0)
        return callgrind_read_totals(path);
    unlink(path);
    return -1;
}
