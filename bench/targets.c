/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The targets of the built-in allocators, and whether a run met them. */
#include "grid.h"
#include "report.h"

#include <acre/buddy.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* The bounds, as they were set; instructions are those of a call and a loop of 8. */
const struct bench_bound bench_bounds[] = {
    { "tlsf", BENCH_FIGURE_CALL, "churn", 50 },
    { "tlsf", BENCH_FIGURE_CALL, "lifo", 58 },
    { "tlsf", BENCH_FIGURE_CALL, "random", 44 },
    { "tlsf", BENCH_FIGURE_CALL, "bulk-512", 70 },
    { "tlsf", BENCH_FIGURE_CALL, "map", 60 },
    { "tlsf", BENCH_FIGURE_CALL, "large", 75 },
    { "tlsf", BENCH_FIGURE_FRAGMENTED, NULL, 70 },
    { "tlsf", BENCH_FIGURE_NET, "churn", 0.36 },
    { "tlsf", BENCH_FIGURE_NET, "lifo", 0.45 },
    { "tlsf", BENCH_FIGURE_NET, "random", 0.40 },
    { "tlsf", BENCH_FIGURE_NET, "bulk-512", 0.38 },
    { "tlsf", BENCH_FIGURE_NET, "map", 0.74 },
    { "tlsf", BENCH_FIGURE_NET, "large", 0.25 },
    { "tlsf", BENCH_FIGURE_POOL, "churn", 1.073 },
    { "tlsf", BENCH_FIGURE_POOL, "large", 1.10 },
    { "tlsf", BENCH_FIGURE_WORST_ALLOC, NULL, 120 },
    { "tlsf", BENCH_FIGURE_WORST_FREE, NULL, 110 },
    { "tlsf", BENCH_FIGURE_GAPS, NULL, 7225 },
    { "tlsf", BENCH_FIGURE_GROWTH, NULL, 1.1 },
    { "buddy", BENCH_FIGURE_CALL, "churn", 41 },
    { "buddy", BENCH_FIGURE_CALL, "lifo", 80 },
    { "buddy", BENCH_FIGURE_CALL, "random", 43 },
    { "buddy", BENCH_FIGURE_CALL, "bulk-512", 80 },
    { "buddy", BENCH_FIGURE_NET, "bulk-512", 0.63 },
    { "buddy", BENCH_FIGURE_POOL, "churn", 1.40 },
    { "buddy", BENCH_FIGURE_WORST_ALLOC, NULL, 400 },
    { "buddy", BENCH_FIGURE_WORST_FREE, NULL, 250 },
    { "buddy", BENCH_FIGURE_METADATA, NULL, 8 },
    { "slab", BENCH_FIGURE_CALL, "churn", 36 },
    { "slab", BENCH_FIGURE_CALL, "large", 80 },
    { "slab", BENCH_FIGURE_NET, "lifo", 0.5 },
    { "slab", BENCH_FIGURE_NET, "fifo", 0.5 },
    { "slab", BENCH_FIGURE_NET, "random", 0.5 },
    { "slab", BENCH_FIGURE_POOL, "churn", 1.12 },
    { "slab", BENCH_FIGURE_USUAL_ALLOC, NULL, 34 },
    { "slab", BENCH_FIGURE_USUAL_FREE, NULL, 30 },
    { "slab", BENCH_FIGURE_WORST_ALLOC, NULL, 250 },
    { "slab", BENCH_FIGURE_WORST_FREE, NULL, 100 },
    { NULL, 0, NULL, 0 },
};

static const struct {
    const char *text, *unit;
} figures[] = {
    [BENCH_FIGURE_CALL] = { "instructions", "" },
    [BENCH_FIGURE_FRAGMENTED] = { "fragmented heap, instructions", "" },
    [BENCH_FIGURE_NET] = { "time net of the harness", "of system's" },
    [BENCH_FIGURE_POOL] = { "smallest pool", "of peak live" },
    [BENCH_FIGURE_USUAL_ALLOC] = { "single alloc, median, instructions", "" },
    [BENCH_FIGURE_USUAL_FREE] = { "single dealloc, median, instructions", "" },
    [BENCH_FIGURE_WORST_ALLOC] = { "worst single alloc, instructions", "" },
    [BENCH_FIGURE_WORST_FREE] = { "worst single dealloc, instructions", "" },
    [BENCH_FIGURE_GAPS] = { "64 B blocks in the gaps of aligned blocks", "" },
    [BENCH_FIGURE_GROWTH] = { "instructions at 2^8 to 2^22 live blocks, most over fewest", "" },
    [BENCH_FIGURE_METADATA] = { "metadata, bits a smallest block", "" },
};

/* ---- figures ---- */

static size_t find_backend(const struct bench_report *report, const char *name)
{
    size_t at = 0;
    while (at < report->backend_count && strcmp(report->backends[at].name, name) != 0)
        at++;
    return at;
}

/* The figures of one workload; all BENCH_NONE when it was not run. */
static void find_cell(const struct bench_report *report, const char *workload, size_t backend,
    struct bench_cell *cell)
{
    bench_cell_clear(cell);
    for (size_t i = 0; i < report->row_count; i++)
        if (workload && strcmp(report->rows[i].workload->name, workload) == 0)
            *cell = report->rows[i].cells[backend];
}

/* The most instructions an operation takes at any number of live blocks, over the fewest. */
static double growth(const double *instructions)
{
    double least = instructions[0], most = instructions[0];
    for (int level = 0; level < BENCH_SCALE_LEVELS; level++) {
        if (isnan(instructions[level]))
            return BENCH_NONE;
        least = fmin(least, instructions[level]);
        most = fmax(most, instructions[level]);
    }
    return most / least;
}

/* Bits of metadata for each smallest block of a large region. */
static double buddy_bits(void)
{
#if ACRE_BUDDY
    size_t size = (size_t)1 << 30;
    size_t bytes = acre_buddy_metadata_size(size, ACRE_BUDDY_SMALLEST);
    return 8.0 * (double)bytes * ACRE_BUDDY_SMALLEST / (double)size;
#else
    return BENCH_NONE;
#endif
}

double bench_figure(const struct bench_report *report, size_t backend, enum bench_figure figure,
    const char *workload)
{
    const struct bench_once *once = &report->once[backend];
    struct bench_cell cell;
    find_cell(report, workload, backend, &cell);
    switch (figure) {
    case BENCH_FIGURE_CALL:
        return cell.call + BENCH_LOOP;
    case BENCH_FIGURE_NET:
        return cell.net;
    case BENCH_FIGURE_POOL:
        return cell.pool;
    case BENCH_FIGURE_FRAGMENTED:
        return (once->steps[BENCH_ALLOC_MEAN] + once->steps[BENCH_FREE_MEAN]) / 2 + BENCH_LOOP;
    case BENCH_FIGURE_USUAL_ALLOC:
        return once->steps[BENCH_ALLOC_P50];
    case BENCH_FIGURE_USUAL_FREE:
        return once->steps[BENCH_FREE_P50];
    case BENCH_FIGURE_WORST_ALLOC:
        return once->steps[BENCH_ALLOC_MAX];
    case BENCH_FIGURE_WORST_FREE:
        return once->steps[BENCH_FREE_MAX];
    case BENCH_FIGURE_GAPS:
        return once->gap_smalls;
    case BENCH_FIGURE_GROWTH:
        return growth(once->scale_calls);
    case BENCH_FIGURE_METADATA:
        return buddy_bits();
    }
    return BENCH_NONE;
}

/* ---- targets ---- */

static void fill_target(const struct bench_report *report, size_t backend,
    const struct bench_bound *bound, struct bench_target *target)
{
    const char *separator = bound->workload ? ", " : "";
    *target = (struct bench_target){ .unit = figures[bound->figure].unit,
        .bound = bound->bound,
        .more_than = bound->figure == BENCH_FIGURE_GAPS,
        .measured = bench_figure(report, backend, bound->figure, bound->workload) };
    snprintf(target->text, sizeof target->text, "%s: %s%s%s", bound->backend,
        bound->workload ? bound->workload : "", separator, figures[bound->figure].text);
}

size_t bench_targets(const struct bench_report *report, struct bench_target *targets)
{
    size_t count = 0;
    for (const struct bench_bound *bound = bench_bounds; bound->backend; bound++) {
        size_t backend = find_backend(report, bound->backend);
        if (backend < report->backend_count)
            fill_target(report, backend, bound, &targets[count++]);
    }
    return count;
}

_Static_assert(
    sizeof bench_bounds / sizeof bench_bounds[0] <= BENCH_TARGETS_MAX + 1, "room for every target");

const char *bench_target_verdict(
    const struct bench_report *report, const struct bench_target *target)
{
    if (report->scale > 1)
        return "not judged";
    if (isnan(target->measured))
        return "not measured";
    bool met =
        target->more_than ? target->measured > target->bound : target->measured <= target->bound;
    return met ? "met" : "not met";
}

/* Decimals that keep a bound such as 1.075 apart from its neighbours. */
static int decimals_of(double bound)
{
    if (bound < 2)
        return 3;
    return bound < 200 ? 1 : 0;
}

void bench_print_targets(const struct bench_report *report)
{
    static struct bench_grid grid;
    static const char *const head[] = { "target", "bound", "measured", "verdict" };
    struct bench_target targets[BENCH_TARGETS_MAX];
    size_t count = bench_targets(report, targets);
    if (count == 0)
        return;
    printf("Targets (instructions: of a call and a loop of %d, but for single calls):\n\n",
        BENCH_LOOP);
    bench_grid_init(&grid, head, 4);
    for (size_t i = 0; i < count; i++) {
        char bound[BENCH_GRID_TEXT];
        int decimals = decimals_of(targets[i].bound);
        const char *relation = targets[i].more_than ? "more than" : "at most";
        snprintf(bound, sizeof bound, "%s %.*f %s", relation, decimals, targets[i].bound,
            targets[i].unit);
        bench_grid_row(&grid, targets[i].text);
        bench_grid_put(&grid, bound);
        bench_grid_number(&grid, targets[i].measured, decimals);
        bench_grid_put(&grid, bench_target_verdict(report, &targets[i]));
    }
    bench_grid_print(&grid);
}
