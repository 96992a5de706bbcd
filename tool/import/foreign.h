/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Files that other tools wrote, opened as traces.
 */
#ifndef ACRE_TOOL_IMPORT_FOREIGN_H
#define ACRE_TOOL_IMPORT_FOREIGN_H

#include "tool/import/import.h"

/** The format of the file `path` by how its first line begins, unpacked; null: none is known that
 * begins like that (ltrace's lines do not tell), or it is no regular file, or cannot be read. */
const struct import_format *foreign_recognise(const char *path);

#define FOREIGN_PATH_ROOM 32

/**
 * Writes the file `path` ('-': standard input) of that format as a trace into a file without a
 * name, which stays open for good.
 * @return its path, in `room`; null after saying on behalf of the subcommand why there is none.
 */
const char *foreign_import(const char *command, const char *path,
    const struct import_format *format, char room[FOREIGN_PATH_ROOM]);

/** The path under which to read the trace `path`: itself, or as foreign_import() where it is
 * recognised. @return null after saying why there is none. */
const char *foreign_open(const char *command, const char *path, char room[FOREIGN_PATH_ROOM]);

#endif
