/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "number/number.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Decimals that are kept, as a power of ten: with the largest unit they fit into 64 bits. */
#define MOST_DECIMALS 1000000u

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

/* Decimals of a number: `part` of `whole`; 0 of 1 when there are none. */
struct decimals {
    uint64_t part, whole;
};

/* Reads a point and the digits after it and moves *text past them. @return false: none follow it,
 * or more than are kept exactly. */
static bool parse_decimals(const char **text, struct decimals *decimals)
{
    const char *at = *text;
    *decimals = (struct decimals){ 0, 1 };
    if (*at != '.')
        return true;
    for (at++; *at >= '0' && *at <= '9'; at++) {
        if (decimals->whole >= MOST_DECIMALS)
            return false;
        decimals->part = decimals->part * 10 + (uint64_t)(*at - '0');
        decimals->whole *= 10;
    }
    *text = at;
    return decimals->whole > 1;
}

/* Whole bytes in that part of a unit, rounded up. */
static uint64_t bytes_of(const struct decimals *decimals, int shift)
{
    return ((decimals->part << shift) + decimals->whole - 1) / decimals->whole;
}

enum acre_number_status acre_parse_size(const char *text, size_t *bytes)
{
    size_t number = 0;
    struct decimals decimals;
    enum acre_number_status status = parse_digits(&text, &number);
    if (status == ACRE_NUMBER_MALFORMED || !parse_decimals(&text, &decimals))
        return ACRE_NUMBER_MALFORMED;
    if (*text == ' ' && text[1] != '\0')
        text++;
    int shift = unit_log2(text);
    if (shift < 0 || (shift == 0 && decimals.whole > 1))
        return ACRE_NUMBER_MALFORMED;
    if (status != ACRE_NUMBER_OK || (number && shift >= (int)(8 * sizeof number)) ||
        number > SIZE_MAX >> shift)
        return ACRE_NUMBER_TOO_LARGE;
    uint64_t more = bytes_of(&decimals, shift);
    if (more > SIZE_MAX - (number << shift))
        return ACRE_NUMBER_TOO_LARGE;
    *bytes = (number << shift) + (size_t)more;
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
