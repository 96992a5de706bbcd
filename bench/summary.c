/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* All backends in two tables, with the targets below. */
#include "grid.h"
#include "report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct summary_column {
    const char *title;
    enum bench_figure figure;
    const char *workload;
    int decimals;
};

static const struct summary_column counted[] = {
    { "churn", BENCH_FIGURE_CALL, "churn", 1 },
    { "lifo", BENCH_FIGURE_CALL, "lifo", 1 },
    { "fifo", BENCH_FIGURE_CALL, "fifo", 1 },
    { "random", BENCH_FIGURE_CALL, "random", 1 },
    { "bulk-512", BENCH_FIGURE_CALL, "bulk-512", 1 },
    { "map", BENCH_FIGURE_CALL, "map", 1 },
    { "large", BENCH_FIGURE_CALL, "large", 1 },
    { "fragmented", BENCH_FIGURE_FRAGMENTED, NULL, 1 },
    { "worst alloc", BENCH_FIGURE_WORST_ALLOC, NULL, 0 },
    { "worst free", BENCH_FIGURE_WORST_FREE, NULL, 0 },
    { "pool, churn", BENCH_FIGURE_POOL, "churn", 3 },
    { "pool, large", BENCH_FIGURE_POOL, "large", 3 },
    { NULL, 0, NULL, 0 },
};

static const struct summary_column timed[] = {
    { "churn", BENCH_FIGURE_NET, "churn", 2 },
    { "lifo", BENCH_FIGURE_NET, "lifo", 2 },
    { "fifo", BENCH_FIGURE_NET, "fifo", 2 },
    { "random", BENCH_FIGURE_NET, "random", 2 },
    { "bulk-512", BENCH_FIGURE_NET, "bulk-512", 2 },
    { "map", BENCH_FIGURE_NET, "map", 2 },
    { "large", BENCH_FIGURE_NET, "large", 2 },
    { NULL, 0, NULL, 0 },
};

static struct bench_grid grid;

static bool has_figures(
    const struct bench_report *report, size_t backend, const struct summary_column *columns)
{
    for (; columns->title; columns++)
        if (!isnan(bench_figure(report, backend, columns->figure, columns->workload)))
            return true;
    return false;
}

static void put_backend(
    const struct bench_report *report, size_t backend, const struct summary_column *columns)
{
    bench_grid_row(&grid, report->backends[backend].name);
    for (; columns->title; columns++)
        bench_grid_number(&grid, bench_figure(report, backend, columns->figure, columns->workload),
            columns->decimals);
}

static bool is_bound_of(
    const struct bench_bound *bound, const char *backend, const struct summary_column *column)
{
    bool workload = bound->workload && column->workload
                        ? strcmp(bound->workload, column->workload) == 0
                        : bound->workload == column->workload;
    return strcmp(bound->backend, backend) == 0 && bound->figure == column->figure && workload;
}

static double find_bound(const char *backend, const struct summary_column *column)
{
    for (const struct bench_bound *bound = bench_bounds; bound->backend; bound++)
        if (is_bound_of(bound, backend, column))
            return bound->bound;
    return BENCH_NONE;
}

static void put_bounds(const char *backend, const struct summary_column *columns)
{
    char name[BENCH_GRID_TEXT];
    snprintf(name, sizeof name, "target for %s", backend);
    bench_grid_row(&grid, name);
    for (; columns->title; columns++)
        bench_grid_number(&grid, find_bound(backend, columns), columns->decimals);
}

static bool takes_part(const struct bench_report *report, const char *backend)
{
    for (size_t who = 1; who < report->backend_count; who++)
        if (strcmp(report->backends[who].name, backend) == 0)
            return true;
    return false;
}

/* The list of bounds has those of one backend one after the other. */
static void put_all_bounds(const struct bench_report *report, const struct summary_column *columns)
{
    const char *last = "";
    for (const struct bench_bound *bound = bench_bounds; bound->backend; bound++) {
        if (strcmp(bound->backend, last) != 0 && takes_part(report, bound->backend))
            put_bounds(bound->backend, columns);
        last = bound->backend;
    }
}

static void print_summary_table(
    const struct bench_report *report, const char *title, const struct summary_column *columns)
{
    const char *head[BENCH_GRID_COLUMNS] = { "allocator" };
    size_t count = 1, rows = 0;
    for (const struct summary_column *column = columns; column->title; column++)
        head[count++] = column->title;
    bench_grid_init(&grid, head, count);
    for (size_t who = 1; who < report->backend_count; who++)
        if (has_figures(report, who, columns)) {
            put_backend(report, who, columns);
            rows++;
        }
    if (rows == 0)
        return;
    put_all_bounds(report, columns);
    printf("%s:\n\n", title);
    bench_grid_print(&grid);
    printf("\n");
}

void bench_print_summary(const struct bench_report *report)
{
    char title[160];
    snprintf(title, sizeof title,
        "Instructions of a call and a loop of %d; worst single calls on a fragmented heap; "
        "smallest pool over peak",
        BENCH_LOOP);
    print_summary_table(report, title, counted);
    print_summary_table(report, "Time net of the harness, system = 1", timed);
}
