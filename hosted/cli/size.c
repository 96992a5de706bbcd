/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "cli/size.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static void format_size(char text[ACRE_FORMAT_BYTES_ROOM], size_t bytes, bool up)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    double value = (double)bytes;
    size_t unit = 0;
    for (; value >= 1024.0; value /= 1024.0)
        unit++;
    int decimals = unit == 0 || value >= 100.0 ? 0 : value >= 10.0 ? 1 : 2;
    double step = decimals == 0 ? 1.0 : decimals == 1 ? 0.1 : 0.01;
    snprintf(text, ACRE_FORMAT_BYTES_ROOM, "%.*f %s", decimals, value, units[unit]);
    if (up && strtod(text, NULL) < value)
        snprintf(text, ACRE_FORMAT_BYTES_ROOM, "%.*f %s", decimals, value + step, units[unit]);
}

void acre_format_bytes(char text[ACRE_FORMAT_BYTES_ROOM], size_t bytes)
{
    format_size(text, bytes, false);
}

void acre_format_bytes_up(char text[ACRE_FORMAT_BYTES_ROOM], size_t bytes)
{
    format_size(text, bytes, true);
}
