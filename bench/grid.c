/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "grid.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void put_cell_text(struct bench_grid *grid, const char *text)
{
    char(*row)[BENCH_GRID_TEXT] = grid->text[grid->rows - 1];
    size_t column = 0;
    while (column < grid->columns - 1 && row[column][0])
        column++;
    snprintf(row[column], BENCH_GRID_TEXT, "%s", text[0] ? text : " ");
}

void bench_grid_row(struct bench_grid *grid, const char *first)
{
    if (grid->rows < BENCH_GRID_ROWS)
        memset(grid->text[grid->rows++], 0, sizeof grid->text[0]);
    put_cell_text(grid, first);
}

void bench_grid_init(struct bench_grid *grid, const char *const *head, size_t columns)
{
    grid->rows = 0;
    grid->columns = columns;
    bench_grid_row(grid, head[0]);
    for (size_t i = 1; i < columns; i++)
        put_cell_text(grid, head[i]);
}

void bench_grid_put(struct bench_grid *grid, const char *text)
{
    put_cell_text(grid, text);
}

void bench_grid_number(struct bench_grid *grid, double number, int decimals)
{
    char text[BENCH_GRID_TEXT] = "-";
    if (!isnan(number))
        snprintf(text, sizeof text, "%.*f", decimals, number);
    put_cell_text(grid, text);
}

static size_t width_of(const struct bench_grid *grid, size_t column)
{
    size_t width = 3;
    for (size_t row = 0; row < grid->rows; row++)
        if (strlen(grid->text[row][column]) > width)
            width = strlen(grid->text[row][column]);
    return width;
}

static void print_rule(const struct bench_grid *grid, const size_t *width)
{
    for (size_t column = 0; column < grid->columns; column++) {
        printf("|");
        for (size_t i = 0; i < width[column] + 1; i++)
            putchar('-');
        putchar(column ? ':' : '-');
    }
    printf("|\n");
}

void bench_grid_print(const struct bench_grid *grid)
{
    size_t width[BENCH_GRID_COLUMNS];
    for (size_t column = 0; column < grid->columns; column++)
        width[column] = width_of(grid, column);
    for (size_t row = 0; row < grid->rows; row++) {
        for (size_t column = 0; column < grid->columns; column++)
            printf(column ? "| %*s " : "| %-*s ", (int)width[column], grid->text[row][column]);
        printf("|\n");
        if (row == 0)
            print_rule(grid, width);
    }
}
