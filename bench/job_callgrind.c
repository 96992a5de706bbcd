/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Counts instructions under valgrind, which counts on machines that do not. */
#include "job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool bench_has_valgrind(void)
{
#if __has_include(<valgrind/callgrind.h>)
    return system("valgrind --version >/dev/null 2>&1") == 0;
#else
    return false;
#endif
}

double bench_callgrind_totals(const char *path)
{
    char line[256];
    double totals = -1;
    FILE *file = fopen(path, "r");
    if (!file)
        return -1;
    while (fgets(line, sizeof line, file))
        if (strncmp(line, "totals:", 7) == 0)
            totals = strtod(line + 7, NULL);
    fclose(file);
    unlink(path);
    return totals;
}
