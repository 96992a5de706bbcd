/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "number/number.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Reads the digits at *text and moves *text past them. */
static enum acre_number_status parse_digits(const char **text, size_t *number)
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
    if (*text == '\0' || strcmp(text, "B") == 0)
        return 0;
    if (text[1] != '\0' && strcmp(text + 1, "iB") != 0)
        return -1;
    for (int i = 0; units[i] != '\0'; i++)
        if ((*text | 0x20) == units[i])
            return 10 * (i + 1);
    return -1;
}

enum acre_number_status acre_parse_size(const char *text, size_t *bytes)
{
    size_t number = 0;
    enum acre_number_status status = parse_digits(&text, &number);
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
    enum acre_number_status status = parse_digits(&text, &number);
    if (status == ACRE_NUMBER_MALFORMED || *text)
        return ACRE_NUMBER_MALFORMED;
    if (status == ACRE_NUMBER_OK)
        *count = number;
    return status;
}
