/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/replay/report.h"

#include "cli/size.h"
#include "cli/table.h"
#include "replay/counter.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* THREADS, the last, is of traces with threads. */
enum column { NAME, NS, P999, WORST, INSTRUCTIONS, POOL, RATIO, FAILED, THREADS, COLUMNS };

static void print_facts(FILE *out, const struct replay_facts *facts)
{
    char number[ACRE_CELL_ROOM];
    char bytes[ACRE_FORMAT_BYTES_ROOM];
    fprintf(out, "process %" PRIu32, facts->process);
    if (facts->processes > 1)
        fprintf(out, " (of 0..%" PRIu32 ")", facts->processes - 1);
    fprintf(out, ": %s", facts->name[0] ? facts->name : "(no name)");
    if (facts->pid)
        fprintf(out, ", pid %" PRIu32, facts->pid);
    fprintf(out, "%s, %" PRIu32 " %s\n", facts->forked ? ", forked" : "", facts->threads,
        acre_plural(facts->threads, "thread", "threads"));
    acre_cell_number(number, facts->ops);
    fprintf(out, "%s %s:", number, acre_plural(facts->ops, "operation", "operations"));
    acre_cell_number(number, facts->allocs);
    fprintf(out, " %s allocated", number);
    acre_cell_number(number, facts->deallocs);
    fprintf(out, ", %s freed", number);
    acre_cell_number(number, facts->reallocs);
    fprintf(out, ", %s resized\n", number);
    acre_format_bytes(bytes, (size_t)facts->peak_live);
    acre_cell_number(number, facts->peak_live);
    fprintf(out, "peak live: %s bytes (%s)", number, bytes);
    acre_cell_number(number, facts->peak_blocks);
    fprintf(out, " requested, in at most %s %s\n", number,
        acre_plural(facts->peak_blocks, "block", "blocks"));
}

/* How much of the trace this process is, when there are others. */
static void print_share(FILE *out, const struct replay_facts *facts)
{
    if (facts->processes == 1 || facts->trace_ops == 0)
        return;
    fprintf(out, "%.0f %% of the operations in the trace; --process chooses another process\n",
        100.0 * (double)facts->ops / (double)facts->trace_ops);
}

static void print_exceptions(FILE *out, const struct replay_facts *facts)
{
    if (facts->inherited)
        fprintf(out, "begins with %" PRIu64 " %s inherited from its parent\n", facts->inherited,
            acre_plural(facts->inherited, "block", "blocks"));
    if (facts->refused)
        fprintf(out, "%" PRIu64 " %s when recorded, not replayed\n", facts->refused,
            acre_plural(facts->refused, "call that failed", "calls that failed"));
    if (facts->unmatched)
        fprintf(out, "%" PRIu64 " %s unknown to the recorder, not replayed\n", facts->unmatched,
            acre_plural(
                facts->unmatched, "free or resize of a block", "frees or resizes of blocks"));
    if (facts->cut)
        fputs("the trace is truncated; it is replayed as far as it goes\n", out);
    if (facts->lost)
        fprintf(out, "%" PRIu64 " %s could not be recorded: the trace has gaps\n", facts->lost,
            acre_plural(facts->lost, "call", "calls"));
}

void replay_report_facts(FILE *out, const struct replay_facts *facts)
{
    print_facts(out, facts);
    print_share(out, facts);
    print_exceptions(out, facts);
}

static void put_ns(struct acre_table_row *cells, const struct replay_row *row)
{
    if (row->rounds)
        snprintf(cells->cells[NS], ACRE_CELL_ROOM, "%.1f", row->ns_per_op);
    if (row->rounds && row->counted)
        snprintf(cells->cells[INSTRUCTIONS], ACRE_CELL_ROOM, "%.1f", row->instructions_per_op);
}

static void put_steps(struct acre_table_row *cells, const struct replay_row *row)
{
    if (!row->stepped)
        return;
    acre_cell_number(cells->cells[P999], row->p999);
    acre_cell_number(cells->cells[WORST], row->worst);
}

/* The smallest pool, or in its place what the process grew by, with a star. */
static void put_pool(struct acre_table_row *cells, const struct replay_row *row, uint64_t peak)
{
    bool has_pool = replay_backend_has_pool(row->backend);
    uint64_t bytes = has_pool ? row->smallest_pool : row->resident;
    if (has_pool && row->fitted && !bytes)
        snprintf(cells->cells[POOL], ACRE_CELL_ROOM, "none");
    if (!bytes)
        return;
    acre_cell_number(cells->cells[POOL], bytes);
    if (peak)
        snprintf(cells->cells[RATIO], ACRE_CELL_ROOM, "%.3f", (double)bytes / (double)peak);
    if (!has_pool) {
        strcat(cells->cells[POOL], "*");
        strcat(cells->cells[RATIO], "*");
    }
}

static void fill_row(struct acre_table_row *cells, const struct replay_row *row, uint64_t peak)
{
    for (size_t column = 0; column < COLUMNS; column++)
        strcpy(cells->cells[column], "-");
    snprintf(cells->cells[NAME], ACRE_CELL_ROOM, "%.40s", row->backend->name);
    if (row->fault[0]) {
        strcat(cells->cells[NAME], " (broken)");
        return;
    }
    put_ns(cells, row);
    put_steps(cells, row);
    put_pool(cells, row, peak);
    if (row->rounds)
        acre_cell_number(cells->cells[FAILED], row->failed);
    if (row->thread_rounds)
        snprintf(cells->cells[THREADS], ACRE_CELL_ROOM, "%.1f", row->ns_threads);
}

static void fill_head(struct acre_table_row head[2])
{
    static const char *const titles[2][COLUMNS] = {
        { "allocator", "ns/op", "p99.9", "worst", "instr/op", "smallest pool", "/ peak", "failed",
            "threads" },
        { "", "", ACRE_CLOCK_UNIT, ACRE_CLOCK_UNIT, "", "bytes", "", "", "ns/op" },
    };
    for (size_t i = 0; i < 2; i++)
        for (size_t column = 0; column < COLUMNS; column++)
            strcpy(head[i].cells[column], titles[i][column]);
}

static void print_rows(FILE *out, const struct replay_table *table)
{
    struct acre_table_row *rows = calloc(table->count + 2, sizeof *rows);
    if (!rows)
        return;
    fill_head(rows);
    for (size_t i = 0; i < table->count; i++)
        fill_row(&rows[i + 2], &table->rows[i], table->script->facts.peak_live);
    fputc('\n', out);
    bool on_threads = false;
    for (size_t i = 0; i < table->count; i++)
        on_threads |= table->rows[i].thread_rounds > 0;
    acre_table_print(out, rows, table->count + 2, on_threads ? COLUMNS : THREADS);
    free(rows);
}

static void print_failed(FILE *out, const struct replay_row *row)
{
    fprintf(out, "%s could not serve %" PRIu64 " %s", row->backend->name, row->failed,
        acre_plural(row->failed, "operation", "operations"));
    if (row->pool)
        fprintf(out, " in a pool of %zu bytes", row->pool);
    fputc('\n', out);
}

static void print_faults(FILE *out, const struct replay_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct replay_row *row = &table->rows[i];
        if (row->fault[0])
            fprintf(out, "%s is broken: %s\n", row->backend->name, row->fault);
        if (row->pool_refused)
            fprintf(out, "%s cannot work in a pool of %zu bytes\n", row->backend->name, row->pool);
        if (!row->fault[0] && row->failed)
            print_failed(out, row);
        if (row->fitted && !row->smallest_pool)
            fprintf(out, "%s does not complete in a pool of any size\n", row->backend->name);
    }
}

static void note_loop(struct replay_notes *notes, const struct replay_row *loop)
{
    if (loop->rounds == 0)
        return;
    if (!notes->timed || loop->ns_per_op < notes->loop_least)
        notes->loop_least = loop->ns_per_op;
    if (!notes->timed || loop->ns_per_op > notes->loop_most)
        notes->loop_most = loop->ns_per_op;
    notes->timed = true;
}

static void note(struct replay_notes *notes, const struct replay_table *table)
{
    notes->tables++;
    notes->rounds = table->plan.rounds;
    notes->interrupted |= table->interrupted;
    note_loop(notes, &table->loop);
    for (size_t i = 0; i < table->count; i++) {
        const struct replay_row *row = &table->rows[i];
        notes->not_counted |= row->rounds && !row->counted;
        notes->not_verified |= !row->verified || row->fault[0];
        notes->stepped |= row->stepped;
        notes->resident |= !replay_backend_has_pool(row->backend) && row->resident;
        notes->fitted |= row->fitted;
        notes->threads |= row->thread_rounds > 0;
        notes->threads_cut |= row->threads_cut;
    }
}

static void print_timing_notes(FILE *out, const struct replay_notes *notes)
{
    size_t rounds = notes->rounds;
    const char *replays = acre_plural(rounds, "replay", "replays");
    if (notes->timed && notes->tables == 1)
        fprintf(out,
            "ns/op: processor time, median of %zu alternated %s; the loop's own %.1f ns are "
            "included\n",
            rounds, replays, notes->loop_least);
    if (notes->timed && notes->tables > 1)
        fprintf(out,
            "ns/op: processor time, median of %zu alternated %s; the loop's own %.1f to %.1f ns "
            "are included\n",
            rounds, replays, notes->loop_least, notes->loop_most);
    if (notes->stepped)
        fprintf(out, "p99.9, worst: of the minimum time of each operation over %zu %s\n", rounds,
            replays);
    if (notes->threads)
        fputs("threads: elapsed time, each thread's operations on a thread of its own; built-in "
              "allocators\nas acre run serves them\n",
            out);
    if (notes->threads_cut)
        fputs("allocators several times slower than the fastest are replayed in part\n", out);
    const char *lack = notes->timed && notes->not_counted ? replay_counter_lack() : NULL;
    if (lack)
        fprintf(out, "instr/op: not known, %s\n", lack);
}

void replay_report_notes(FILE *out, const struct replay_notes *notes)
{
    fputc('\n', out);
    print_timing_notes(out, notes);
    if (notes->fitted)
        fputs("smallest pool: by bisection, control structures included\n", out);
    if (notes->resident)
        fputs("*: has no pool; peak growth of resident memory with every block touched\n", out);
    if (!notes->not_verified)
        fputs("verified: no block misplaced, overlapped or damaged on any of them\n", out);
    if (notes->interrupted)
        fputs("interrupted: not everything was measured\n", out);
}

void replay_report_text(FILE *out, const struct replay_table *table, struct replay_notes *notes)
{
    print_facts(out, &table->script->facts);
    if (table->largest_only)
        print_share(out, &table->script->facts);
    print_exceptions(out, &table->script->facts);
    print_rows(out, table);
    print_faults(out, table);
    note(notes, table);
}
