/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "grid.h"
#include "report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define HEAD_COUNT(head) (sizeof(head) / sizeof(head)[0])

/* One at a time: a grid is large, and nothing here calls itself. */
static struct bench_grid grid;

static void print_notes(const struct bench_report *report, const char *first_note, size_t distance)
{
    for (size_t i = 0; i < report->backend_count; i++) {
        const char *note = first_note + i * distance;
        if (note[0])
            printf("%s: %s\n", report->backends[i].name, note);
    }
    printf("\n");
}

void bench_print_head(const struct bench_report *report)
{
    const struct bench_machine *machine = &report->machine;
    printf("processor     %s, %ld cores\n", machine->processor, machine->cores);
    printf("system        %s\n", machine->system);
    printf("compiler      %s\n", machine->compiler);
    printf("commit        %s\n", machine->commit);
    printf("seed          %llu, %u rounds%s\n", (unsigned long long)report->seed, report->rounds,
        report->scale > 1 ? ", shortened workloads: figures are for smoke only" : "");
    printf("instructions  %s\n", machine->counter);
    printf("backends  ");
    for (size_t i = 1; i < report->backend_count; i++)
        printf(
            "%s %s (%s)", i > 1 ? "," : "", report->backends[i].name, report->backends[i].version);
    printf("\n\n");
}

static void put_cell(const struct bench_backend *who, const struct bench_cell *cell)
{
    bench_grid_row(&grid, who->name);
    bench_grid_number(&grid, cell->ns, 1);
    bench_grid_number(&grid, cell->net, 2);
    bench_grid_number(&grid, cell->instructions, 1);
    bench_grid_number(&grid, cell->call, 1);
    bench_grid_number(&grid, cell->latency[BENCH_ALLOC_P50], 0);
    bench_grid_number(&grid, cell->latency[BENCH_ALLOC_P99], 0);
    bench_grid_number(&grid, cell->latency[BENCH_ALLOC_MAX], 0);
    bench_grid_number(&grid, cell->latency[BENCH_FREE_P50], 0);
    bench_grid_number(&grid, cell->latency[BENCH_FREE_P99], 0);
    bench_grid_number(&grid, cell->latency[BENCH_FREE_MAX], 0);
    bench_grid_number(&grid, cell->pool, 3);
    bench_grid_number(&grid, cell->resident, 3);
}

void bench_print_row(const struct bench_report *report, const struct bench_row *row)
{
    static const char *const head[] = { "allocator", "ns/op", "net, system=1", "instr/op",
        "call alone", "alloc ns p50", "p99", "worst", "free ns p50", "p99", "worst", "pool/peak",
        "rss/peak" };
    printf("%s: %s (%zu operations, peak %.2f MiB live)\n\n", row->workload->name,
        row->workload->text, row->ops, (double)row->peak / (1 << 20));
    bench_grid_init(&grid, head, HEAD_COUNT(head));
    for (size_t i = 0; i < report->backend_count; i++)
        put_cell(&report->backends[i], &row->cells[i]);
    bench_grid_print(&grid);
    print_notes(report, row->cells[0].note, sizeof row->cells[0]);
}

void bench_print_steps(const struct bench_report *report)
{
    static const char *const head[] = { "allocator", "alloc mean", "p50", "p99", "worst",
        "free mean", "p50", "p99", "worst" };
    static const int order[] = { BENCH_ALLOC_MEAN, BENCH_ALLOC_P50, BENCH_ALLOC_P99,
        BENCH_ALLOC_MAX, BENCH_FREE_MEAN, BENCH_FREE_P50, BENCH_FREE_P99, BENCH_FREE_MAX };
    printf("Instructions of a single call on a fragmented heap (the function called, from its "
           "first to its\n"
           "return), counted by stepping:\n\n");
    bench_grid_init(&grid, head, HEAD_COUNT(head));
    for (size_t i = 0; i < report->backend_count; i++) {
        bench_grid_row(&grid, report->backends[i].name);
        for (size_t k = 0; k < HEAD_COUNT(order); k++)
            bench_grid_number(&grid, report->once[i].steps[order[k]], k % 4 ? 0 : 1);
    }
    bench_grid_print(&grid);
    print_notes(report, report->once[0].step_note, sizeof report->once[0]);
}

void bench_print_gaps(const struct bench_report *report)
{
    static const char *const head[] = { "allocator", "4 KiB blocks", "64 B blocks",
        "bytes served" };
    printf("1 MiB filled with 4 KiB blocks aligned to 4 KiB, then with 64 B blocks:\n\n");
    bench_grid_init(&grid, head, HEAD_COUNT(head));
    for (size_t i = 1; i < report->backend_count; i++) {
        const struct bench_once *once = &report->once[i];
        bench_grid_row(&grid, report->backends[i].name);
        bench_grid_number(&grid, once->gap_pages, 0);
        bench_grid_number(&grid, once->gap_smalls, 0);
        bench_grid_number(&grid, once->gap_pages * 4096 + once->gap_smalls * 64, 0);
    }
    bench_grid_print(&grid);
    print_notes(report, report->once[0].gap_note, sizeof report->once[0]);
}

static void print_scaling(const struct bench_report *report, const char *title, bool instructions)
{
    char labels[BENCH_SCALE_LEVELS][16];
    const char *head[BENCH_SCALE_LEVELS + 1] = { "allocator" };
    for (int level = 0; level < BENCH_SCALE_LEVELS; level++) {
        snprintf(labels[level], sizeof labels[level], "2^%d",
            BENCH_SCALE_FIRST + level * BENCH_SCALE_STEP);
        head[level + 1] = labels[level];
    }
    printf("%s, by number of live blocks:\n\n", title);
    bench_grid_init(&grid, head, BENCH_SCALE_LEVELS + 1);
    for (size_t i = 0; i < report->backend_count; i++) {
        const struct bench_once *once = &report->once[i];
        bench_grid_row(&grid, report->backends[i].name);
        for (int level = 0; level < BENCH_SCALE_LEVELS; level++)
            bench_grid_number(&grid, (instructions ? once->scale_calls : once->scale_ns)[level], 1);
    }
    bench_grid_print(&grid);
    print_notes(report, report->once[0].scale_note, sizeof report->once[0]);
}

void bench_print_scaling(const struct bench_report *report)
{
    print_scaling(report, "Instructions of a call", true);
    print_scaling(report, "Nanoseconds an operation, the loop around it included", false);
}
