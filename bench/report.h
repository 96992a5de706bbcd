/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What a run has found, and its printers. A figure that was not measured is BENCH_NONE, which is no
 * number. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "bench.h"

#include <math.h>

#define BENCH_NONE ((double)NAN)

enum {
    BENCH_SCALE_FIRST = 8,
    BENCH_SCALE_LAST = 22,
    BENCH_SCALE_STEP = 2,
    BENCH_SCALE_LEVELS = (BENCH_SCALE_LAST - BENCH_SCALE_FIRST) / BENCH_SCALE_STEP + 1
};

enum { BENCH_NOTE = 208 };

/* One backend on one workload. */
struct bench_cell {
    double ns;             /* an operation, the loop around it included; median of the rounds */
    double net;            /* net of the harness, the system's malloc = 1; median of the ratios */
    double latency[8];     /* ns net of the clock, by BENCH_ALLOC_P50 and following */
    double instructions;   /* an operation, the loop around it included */
    double call;           /* the same without the loop: the allocator's function alone */
    double pool;           /* smallest pool that completes / peak of live bytes */
    double resident;       /* growth of resident memory / peak of live bytes */
    char note[BENCH_NOTE]; /* why figures are missing; empty: none are */
};

struct bench_row {
    const struct bench_workload *workload;
    size_t ops, peak;
    struct bench_cell cells[BENCH_MAX_BACKENDS];
};

struct bench_machine {
    char processor[128], system[512], compiler[96], commit[64], counter[64];
    double tick_ns;
    long cores;
};

/* One backend on what is measured once, not by workload. */
struct bench_once {
    double steps[8]; /* instructions on the fragmented heap, by BENCH_ALLOC_P50 and following */
    double gap_pages, gap_smalls;
    double scale_loops[BENCH_SCALE_LEVELS]; /* instructions, the loop included */
    double scale_calls[BENCH_SCALE_LEVELS]; /* and without */
    double scale_ns[BENCH_SCALE_LEVELS];
    char step_note[BENCH_NOTE], gap_note[BENCH_NOTE], scale_note[BENCH_NOTE];
};

struct bench_report {
    struct bench_machine machine;
    uint64_t seed;
    unsigned rounds, scale;
    const struct bench_backend *backends;
    size_t backend_count;
    struct bench_row *rows;
    size_t row_count;
    struct bench_once once[BENCH_MAX_BACKENDS];
    bool stepped, gaps, scaled;
};

/* All figures of a cell, and of a backend, not measured yet. */
void bench_cell_clear(struct bench_cell *cell);
void bench_once_clear(struct bench_once *once);

/* Fills all but the commit. */
void bench_machine_describe(struct bench_machine *machine);

/* Printers, to stdout; print.c and print_json.c. */
void bench_print_head(const struct bench_report *report);
void bench_print_row(const struct bench_report *report, const struct bench_row *row);
void bench_print_steps(const struct bench_report *report);
void bench_print_gaps(const struct bench_report *report);
void bench_print_scaling(const struct bench_report *report);
void bench_print_json(const struct bench_report *report);

/* ---- targets.c: the targets set for the built-in allocators, and whether this run met them ---- */

enum {
    BENCH_LOOP = 8, /* instructions of the loop around a call that targets include */
    BENCH_TARGETS_MAX = 64
};

enum bench_figure {
    BENCH_FIGURE_CALL, /* instructions of a call and a loop */
    BENCH_FIGURE_NET,  /* time net of the harness, the system's malloc = 1 */
    BENCH_FIGURE_POOL,
    BENCH_FIGURE_FRAGMENTED,  /* of no workload, as those that follow; means of the stepped calls */
    BENCH_FIGURE_USUAL_ALLOC, /* medians */
    BENCH_FIGURE_USUAL_FREE,
    BENCH_FIGURE_WORST_ALLOC,
    BENCH_FIGURE_WORST_FREE,
    BENCH_FIGURE_GAPS,
    BENCH_FIGURE_GROWTH,
    BENCH_FIGURE_METADATA
};

struct bench_bound {
    const char *backend; /* null ends the list */
    enum bench_figure figure;
    const char *workload; /* null: the figure is of none */
    double bound;
};

/* All bounds, those of one backend one after the other. */
extern const struct bench_bound bench_bounds[];

/* BENCH_NONE when it was not measured. */
double bench_figure(const struct bench_report *report, size_t backend, enum bench_figure figure,
    const char *workload);

struct bench_target {
    char text[96];
    const char *unit;
    double bound;
    bool more_than; /* met above the bound; otherwise met at or below it */
    double measured;
};
size_t bench_targets(const struct bench_report *report, struct bench_target *targets);
const char *bench_target_verdict(
    const struct bench_report *report, const struct bench_target *target);
void bench_print_targets(const struct bench_report *report);

/* summary.c: the figures that have targets, of all backends. */
void bench_print_summary(const struct bench_report *report);

#endif
