/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Tables for terminals: cells of ASCII text, columns as wide as they need to be.
 */
#ifndef ACRE_HOSTED_CLI_TABLE_H
#define ACRE_HOSTED_CLI_TABLE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define ACRE_TABLE_COLUMNS 12
#define ACRE_CELL_ROOM 64

/** One row; a cell longer than its room is cut. */
struct acre_table_row {
    char cells[ACRE_TABLE_COLUMNS][ACRE_CELL_ROOM];
};

/** Prints rows of `columns` cells: the first column left-aligned, the others right-aligned. */
void acre_table_print(FILE *out, const struct acre_table_row *rows, size_t count, size_t columns);

/** Writes a number with a comma before each three digits into a cell. */
void acre_cell_number(char cell[ACRE_CELL_ROOM], uint64_t number);

/** The word for a count: `one` of 1, else `many`. */
static inline const char *acre_plural(uint64_t count, const char *one, const char *many)
{
    return count == 1 ? one : many;
}

#endif
