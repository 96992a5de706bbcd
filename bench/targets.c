/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "grid.h"
#include "report.h"

#include <acre/buddy.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

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
        if (strcmp(report->rows[i].workload->name, workload) == 0)
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

static size_t tlsf_targets(const struct bench_report *report, struct bench_target *targets)
{
    size_t tlsf = find_backend(report, "tlsf");
    if (tlsf == report->backend_count)
        return 0;
    const struct bench_once *once = &report->once[tlsf];
    struct bench_cell churn, random, large;
    find_cell(report, "churn", tlsf, &churn);
    find_cell(report, "random", tlsf, &random);
    find_cell(report, "large", tlsf, &large);
    const struct bench_target all[] = {
        { "tlsf: churn, instructions a call", "", 62, false, churn.call },
        { "tlsf: churn, time net of the harness", "of system's", 0.45, false, churn.net },
        { "tlsf: random 64 B, time net of the harness", "of system's", 0.65, false, random.net },
        { "tlsf: worst single alloc, instructions", "", 110, false, once->steps[BENCH_ALLOC_MAX] },
        { "tlsf: worst single dealloc, instructions", "", 90, false, once->steps[BENCH_FREE_MAX] },
        { "tlsf: churn, smallest pool", "of peak live", 1.075, false, churn.pool },
        { "tlsf: large, smallest pool", "of peak live", 1.08, false, large.pool },
        { "tlsf: 64 B blocks in the gaps of aligned blocks", "", 7225, true, once->gap_smalls },
        { "tlsf: instructions a call, 2^8 to 2^22 live blocks, most over fewest", "", 1.1, false,
            growth(once->scale_calls) },
    };
    memcpy(targets, all, sizeof all);
    return sizeof all / sizeof all[0];
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

static size_t buddy_targets(const struct bench_report *report, struct bench_target *targets)
{
    size_t buddy = find_backend(report, "buddy");
    if (buddy == report->backend_count)
        return 0;
    const struct bench_once *once = &report->once[buddy];
    struct bench_cell churn, bulk;
    find_cell(report, "churn", buddy, &churn);
    find_cell(report, "bulk-512", buddy, &bulk);
    const struct bench_target all[] = {
        { "buddy: churn, instructions a call, and 8 of a loop", "", 45, false, churn.call + 8 },
        { "buddy: bulk-512, time net of the harness", "of system's", 0.63, false, bulk.net },
        { "buddy: worst single dealloc, instructions", "", 250, false,
            once->steps[BENCH_FREE_MAX] },
        { "buddy: metadata, bits a smallest block", "", 8, false, buddy_bits() },
    };
    memcpy(targets, all, sizeof all);
    return sizeof all / sizeof all[0];
}

static size_t slab_targets(const struct bench_report *report, struct bench_target *targets)
{
    size_t slab = find_backend(report, "slab");
    if (slab == report->backend_count)
        return 0;
    const struct bench_once *once = &report->once[slab];
    struct bench_cell churn, lifo, fifo, random;
    find_cell(report, "churn", slab, &churn);
    find_cell(report, "lifo", slab, &lifo);
    find_cell(report, "fifo", slab, &fifo);
    find_cell(report, "random", slab, &random);
    const struct bench_target all[] = {
        { "slab: lifo 64 B, instructions a call, and 8 of a loop", "", 26, false, lifo.call + 8 },
        { "slab: fifo 64 B, the same", "", 26, false, fifo.call + 8 },
        { "slab: random 64 B, the same", "", 26, false, random.call + 8 },
        { "slab: churn, the same", "", 36, false, churn.call + 8 },
        { "slab: lifo 64 B, time net of the harness", "of system's", 0.5, false, lifo.net },
        { "slab: fifo 64 B, the same", "of system's", 0.5, false, fifo.net },
        { "slab: random 64 B, the same", "of system's", 0.5, false, random.net },
        { "slab: churn, smallest pool", "of peak live", 1.12, false, churn.pool },
        { "slab: worst single alloc, instructions", "", 200, false, once->steps[BENCH_ALLOC_MAX] },
        { "slab: worst single dealloc, instructions", "", 90, false, once->steps[BENCH_FREE_MAX] },
    };
    memcpy(targets, all, sizeof all);
    return sizeof all / sizeof all[0];
}

size_t bench_targets(const struct bench_report *report, struct bench_target *targets)
{
    size_t count = tlsf_targets(report, targets);
    count += buddy_targets(report, targets + count);
    return count + slab_targets(report, targets + count);
}

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
    printf("Targets:\n\n");
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
