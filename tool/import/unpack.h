/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * A file that may be compressed with zstd, read as if it were not.
 */
#ifndef ACRE_TOOL_IMPORT_UNPACK_H
#define ACRE_TOOL_IMPORT_UNPACK_H

#include <stdio.h>

struct import_unpacker;

/**
 * Reads `in` through a new stream: what zstd has compressed unpacked, all else as it is. `in` stays
 * the caller's. @return the stream, or null with errno set.
 */
FILE *import_unpack(FILE *in, struct import_unpacker **unpacker);

/** What is wrong with the compressed file as far as it was read, as a clause; null: nothing. */
const char *import_unpack_fault(const struct import_unpacker *unpacker);

/** Frees it, after its stream was closed. */
void import_unpack_end(struct import_unpacker *unpacker);

#endif
