/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/size.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Reads the digits at *text and moves *text past them. */
static enum acre_number_status read_digits(const char **text, size_t *number)
{
    const char *at = *text;
    size_t value = 0;
    bool overflow = false;
    for (; *at >= '0' && *at <= '9'; at++) {
        size_t digit = (size_t)(*at - '0');
        overflow |= value > (SIZE_MAX - digit) / 10;
        value = value * 10 + digit;
    }
    if (at == *text)
        return ACRE_NUMBER_MALFORMED;
    *text = at;
    *number = value;
    return overflow ? ACRE_NUMBER_TOO_LARGE : ACRE_NUMBER_OK;
}

/* The binary logarithm of the unit at `text`, or -1 when it is none or more follows. */
static int unit_log2(const char *text)
{
    static const char units[] = "kmgt";
    if (!*text || strcmp(text, "B") == 0)
        return 0;
    char letter = (char)(*text | 0x20);
    const char *found = strchr(units, letter);
    if (!found || !*found || (text[1] && strcmp(text + 1, "iB") != 0))
        return -1;
    return 10 * (int)(found - units + 1);
}

enum acre_number_status acre_parse_size(const char *text, size_t *bytes)
{
    size_t number = 0;
    enum acre_number_status status = read_digits(&text, &number);
    if (status == ACRE_NUMBER_MALFORMED)
        return status;
    int shift = unit_log2(text);
    if (shift < 0)
        return ACRE_NUMBER_MALFORMED;
    if (status != ACRE_NUMBER_OK || (number && shift >= (int)(8 * sizeof number)) ||
        number > SIZE_MAX >> shift)
        return ACRE_NUMBER_TOO_LARGE;
    *bytes = number << shift;
    return ACRE_NUMBER_OK;
}

enum acre_number_status acre_parse_count(const char *text, size_t *count)
{
    size_t number = 0;
    enum acre_number_status status = read_digits(&text, &number);
    if (status == ACRE_NUMBER_MALFORMED || *text)
        return ACRE_NUMBER_MALFORMED;
    if (status == ACRE_NUMBER_OK)
        *count = number;
    return status;
}

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
