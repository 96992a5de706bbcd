/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "cli/size.h"

#include <stdio.h>

void acre_format_bytes(char text[ACRE_FORMAT_BYTES_ROOM], size_t bytes)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    double value = (double)bytes;
    size_t unit = 0;
    for (; value >= 1024.0; value /= 1024.0)
        unit++;
    int decimals = unit == 0 || value >= 100.0 ? 0 : value >= 10.0 ? 1 : 2;
    snprintf(text, ACRE_FORMAT_BYTES_ROOM, "%.*f %s", decimals, value, units[unit]);
}
