/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "cli/table.h"

#include <inttypes.h>
#include <string.h>

static size_t column_width(const struct acre_table_row *rows, size_t count, size_t column)
{
    size_t widest = 0;
    for (size_t i = 0; i < count; i++) {
        size_t width = strlen(rows[i].cells[column]);
        if (width > widest)
            widest = width;
    }
    return widest;
}

/* The last column of a row that has anything in it; nothing is printed behind it. */
static size_t last_filled(const struct acre_table_row *row, size_t columns)
{
    while (columns > 1 && !row->cells[columns - 1][0])
        columns--;
    return columns;
}

void acre_table_print(FILE *out, const struct acre_table_row *rows, size_t count, size_t columns)
{
    int widths[ACRE_TABLE_COLUMNS] = { 0 };
    for (size_t column = 0; column < columns; column++)
        widths[column] = (int)column_width(rows, count, column);
    for (size_t i = 0; i < count; i++) {
        size_t filled = last_filled(&rows[i], columns);
        fprintf(out, "%-*s", filled > 1 ? widths[0] : 0, rows[i].cells[0]);
        for (size_t column = 1; column < filled; column++)
            fprintf(out, "  %*s", widths[column], rows[i].cells[column]);
        fputc('\n', out);
    }
}

void acre_cell_number(char cell[ACRE_CELL_ROOM], uint64_t number)
{
    char digits[24];
    int count = snprintf(digits, sizeof digits, "%" PRIu64, number);
    char *to = cell;
    for (int i = 0; i < count; i++) {
        if (i && (count - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    *to = '\0';
}
