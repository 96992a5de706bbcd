/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Numbers as people write them in options and in the environment. Nothing here allocates, reads the
 * locale or sets errno: the drop-in malloc reads its settings with it before it can serve.
 */
#ifndef ACRE_HOSTED_NUMBER_H
#define ACRE_HOSTED_NUMBER_H

#include <stddef.h>

/** What parsing a number came to. */
enum acre_number_status {
    ACRE_NUMBER_OK,
    ACRE_NUMBER_MALFORMED, /**< Not a number, or something follows it. */
    ACRE_NUMBER_TOO_LARGE  /**< Larger than a size_t holds. */
};

/**
 * Parses a size in bytes: decimal digits, then nothing or one of K, M, G, T (powers of 1024, either
 * case), after which `iB` may follow; a lone `B` too. Up to six decimals may stand before a unit,
 * and a space: "22.4M", "22.4 MiB"; what they come to is rounded up. Signs are refused.
 * @param bytes set on ACRE_NUMBER_OK only.
 */
enum acre_number_status acre_parse_size(const char *text, size_t *bytes);

/** Parses decimal digits and nothing else. @param count set on ACRE_NUMBER_OK only. */
enum acre_number_status acre_parse_count(const char *text, size_t *count);

#endif
