/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A table of short texts, printed with columns in line; the form is Markdown's. */
#ifndef BENCH_GRID_H
#define BENCH_GRID_H

#include <stddef.h>

enum { BENCH_GRID_COLUMNS = 16, BENCH_GRID_ROWS = 96, BENCH_GRID_TEXT = 72 };

struct bench_grid {
    char text[BENCH_GRID_ROWS][BENCH_GRID_COLUMNS][BENCH_GRID_TEXT];
    size_t rows, columns;
};

/* Empties the table and sets its head: `columns` texts. */
void bench_grid_init(struct bench_grid *grid, const char *const *head, size_t columns);

/* Begins a row; further cells are put into it from the left. */
void bench_grid_row(struct bench_grid *grid, const char *first);

void bench_grid_put(struct bench_grid *grid, const char *text);

/* A number with so many decimals; a dash for one that is none. */
void bench_grid_number(struct bench_grid *grid, double number, int decimals);

/* The first column to the left, the others to the right. */
void bench_grid_print(const struct bench_grid *grid);

#endif
