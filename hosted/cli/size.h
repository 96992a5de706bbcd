/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Sizes as a table shows them.
 */
#ifndef ACRE_HOSTED_CLI_SIZE_H
#define ACRE_HOSTED_CLI_SIZE_H

#include <stddef.h>

/** Room that acre_format_bytes() needs at most, the null included. */
#define ACRE_FORMAT_BYTES_ROOM 32

/** Writes `bytes` with a binary unit and three to four digits, e.g. "17.4 MiB", into `text`. */
void acre_format_bytes(char text[ACRE_FORMAT_BYTES_ROOM], size_t bytes);

/** As acre_format_bytes(), rounded up, for a size that must suffice. */
void acre_format_bytes_up(char text[ACRE_FORMAT_BYTES_ROOM], size_t bytes);

#endif
