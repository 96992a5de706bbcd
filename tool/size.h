/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Sizes and counts as people write them, and as a table shows them.
 */
#ifndef ACRE_TOOL_SIZE_H
#define ACRE_TOOL_SIZE_H

#include <stddef.h>

/** What parsing a number came to. */
enum acre_number_status {
    ACRE_NUMBER_OK,
    ACRE_NUMBER_MALFORMED, /**< Not a number, or something follows it. */
    ACRE_NUMBER_TOO_LARGE  /**< Larger than a size_t holds. */
};

/**
 * Parses a size in bytes: decimal digits, then nothing or one of K, M, G, T (powers of 1024, either
 * case), after which `iB` may follow; a lone `B` too. Signs and spaces are refused.
 * @param bytes set on ACRE_NUMBER_OK only.
 */
enum acre_number_status acre_parse_size(const char *text, size_t *bytes);

/** Parses decimal digits and nothing else. @param count set on ACRE_NUMBER_OK only. */
enum acre_number_status acre_parse_count(const char *text, size_t *count);

/** Room that acre_format_bytes() needs at most, the null included. */
#define ACRE_FORMAT_BYTES_ROOM 32

/** Writes `bytes` with a binary unit and three to four digits, e.g. "17.4 MiB", into `text`. */
void acre_format_bytes(char text[ACRE_FORMAT_BYTES_ROOM], size_t bytes);

#endif
