/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/compare/print.h"

#include "cli/size.h"
#include "cli/table.h"
#include "tool/compare/verdict.h"
#include "tool/replay/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_WIDTH 78
#define SIZES_NAMED 3

/* A column: how to get its figure (false: not known), and how to write it. */
struct column {
    const char *title, *unit;
    bool (*get)(const struct compare_candidate *candidate, double *figure);
    int decimals;     /* -1: a whole number with commas */
    bool approximate; /* a figure of one without a pool is of another kind, and marked */
};

#define GETTER(name, known, value)                                                                 \
    static bool name(const struct compare_candidate *candidate, double *figure)                    \
    {                                                                                              \
        *figure = (double)(value);                                                                 \
        return known;                                                                              \
    }

GETTER(get_memory, candidate->memory > 0, candidate->memory)
GETTER(get_per_peak, candidate->memory > 0 && candidate->per_peak > 0.0, candidate->per_peak)
GETTER(get_internal, candidate->knows_internal, candidate->internal * 100.0)
GETTER(get_external, candidate->knows_external, candidate->external * 100.0)
GETTER(get_metadata, candidate->metadata > 0, candidate->metadata)
GETTER(get_failed, candidate->verified, candidate->failed)
GETTER(get_ns, candidate->rounds > 0, candidate->ns)
GETTER(get_touched, candidate->touched, candidate->ns_touched)
GETTER(get_threads, candidate->threaded, candidate->ns_threads)
GETTER(get_median, candidate->stepped, candidate->median)
GETTER(get_p99, candidate->stepped, candidate->p99)
GETTER(get_p999, candidate->stepped, candidate->p999)
GETTER(get_worst, candidate->stepped, candidate->worst)
GETTER(get_instructions, candidate->counted, candidate->instructions)

static const struct column memory_columns[] = {
    { "memory", "bytes", get_memory, -1, true },
    { "/ peak", "", get_per_peak, 3, true },
    { "internal", "%", get_internal, 1, false },
    { "external", "%", get_external, 1, false },
    { "metadata", "bytes", get_metadata, -1, false },
    { "failed", "", get_failed, -1, false },
};

static const struct column time_columns[] = {
    { "ns/op", "", get_ns, 1, false }, { "touched", "ns/op", get_touched, 1, false },
    { "median", "@", get_median, -1, false }, { "p99", "@", get_p99, -1, false },
    { "p99.9", "@", get_p999, -1, false }, { "worst", "@", get_worst, -1, false },
    { "instr/op", "", get_instructions, 1, false },
    { "threads", "ns/op", get_threads, 1, false }, /* the last: of programs with threads */
};

#define MEMORY_COLUMNS (sizeof memory_columns / sizeof *memory_columns)
#define TIME_COLUMNS (sizeof time_columns / sizeof *time_columns)

static void write_figure(char cell[ACRE_CELL_ROOM], const struct column *column, double figure)
{
    if (column->decimals < 0)
        acre_cell_number(cell, (uint64_t)figure);
    else
        snprintf(cell, ACRE_CELL_ROOM, "%.*f", column->decimals, figure);
}

/* A figure as the table shows it; what looks equal is equal. */
static double rounded(const struct column *column, double figure)
{
    char text[64];
    snprintf(text, sizeof text, "%.*f", column->decimals < 0 ? 0 : column->decimals, figure);
    return strtod(text, NULL);
}

/* The least figure of a column; false when none is known, or all are equal. */
static bool least(const struct compare_result *result, const struct column *column, double *best)
{
    size_t known = 0;
    double most = 0.0;
    for (size_t i = 0; i < result->count; i++) {
        double figure = 0.0;
        if (result->candidates[i].fault[0] || !column->get(&result->candidates[i], &figure))
            continue;
        figure = rounded(column, figure);
        *best = known && *best < figure ? *best : figure;
        most = known && most > figure ? most : figure;
        known++;
    }
    return known > 1 && *best < most;
}

static void fill_cell(char cell[ACRE_CELL_ROOM], const struct column *column,
    const struct compare_candidate *candidate, const double *best)
{
    char text[ACRE_CELL_ROOM] = "-";
    double figure = 0.0;
    bool known = !candidate->fault[0] && column->get(candidate, &figure);
    bool is_best = known && best && rounded(column, figure) <= *best;
    bool none = column->get == get_memory && candidate->fitted && !candidate->memory;
    if (known)
        write_figure(text, column, figure);
    else if (none)
        strcpy(text, "none");
    snprintf(cell, ACRE_CELL_ROOM, "%s%s%.60s", is_best ? "*" : "",
        known && column->approximate && !candidate->has_pool ? "~" : "", text);
}

static void fill_titles(struct acre_table_row head[2], const struct compare_result *result,
    const struct column *columns, size_t count)
{
    strcpy(head[0].cells[0], "allocator");
    for (size_t i = 0; i < count; i++) {
        const char *unit = strcmp(columns[i].unit, "@") == 0 ? result->ticks : columns[i].unit;
        snprintf(head[0].cells[i + 1], ACRE_CELL_ROOM, "%s", columns[i].title);
        snprintf(head[1].cells[i + 1], ACRE_CELL_ROOM, "%s", unit);
    }
}

static void print_table(
    FILE *out, const struct compare_result *result, const struct column *columns, size_t count)
{
    struct acre_table_row *rows = calloc(result->count + 2, sizeof *rows);
    if (!rows)
        return;
    fill_titles(rows, result, columns, count);
    for (size_t i = 0; i < result->count; i++) {
        const struct compare_candidate *candidate = &result->candidates[i];
        snprintf(rows[i + 2].cells[0], ACRE_CELL_ROOM, "%.40s%s", candidate->name,
            candidate->fault[0] ? " (broken)" : "");
        for (size_t column = 0; column < count; column++) {
            double best = 0.0;
            bool any = least(result, &columns[column], &best);
            fill_cell(
                rows[i + 2].cells[column + 1], &columns[column], candidate, any ? &best : NULL);
        }
    }
    fputc('\n', out);
    acre_table_print(out, rows, result->count + 2, count + 1);
    free(rows);
}

static void print_broken(FILE *out, const struct compare_result *result)
{
    for (size_t i = 0; i < result->count; i++) {
        const struct compare_candidate *candidate = &result->candidates[i];
        if (candidate->fault[0])
            fprintf(out, "%s is broken: %s\n", candidate->name, candidate->fault);
        else if (candidate->pool_refused)
            fprintf(
                out, "%s cannot work in a pool of %zu bytes\n", candidate->name, candidate->pool);
        else if (candidate->fitted && !candidate->smallest_pool)
            fprintf(out, "%s does not complete in a pool of any size\n", candidate->name);
    }
}

static void print_footnotes(FILE *out, const struct compare_result *result)
{
    fprintf(out,
        "\n*: best of its column. memory: the smallest pool in which the trace completes,\n"
        "metadata included; ~: it has no pool: peak growth of resident memory with every\n"
        "block touched. internal: bytes of live blocks beyond those requested; external: free\n"
        "bytes outside the largest free block; both the mean over the run in the smallest\n"
        "pool.\n");
    if (result->loop_ns > 0.0)
        fprintf(out,
            "ns/op: processor time, median of %zu alternated %s, the loop's own %.1f ns\n"
            "included; touched: the same on fresh pages, all bytes of a block written.\n"
            "The other times: the least of %zu for each operation.\n",
            result->rounds, acre_plural(result->rounds, "replay", "replays"), result->loop_ns,
            result->step_rounds);
    if (result->uncounted && result->loop_ns > 0.0)
        fprintf(out, "instr/op: not known, %s.\n", result->uncounted);
    if (result->interrupted)
        fputs("interrupted: not everything was measured\n", out);
}

/* Prints words at an indent, lines no longer than TEXT_WIDTH. */
static void print_wrapped(FILE *out, const char *text, size_t indent)
{
    size_t column = 0;
    while (*text) {
        size_t word = strcspn(text, " ");
        if (strncmp(text + word, " %", 2) == 0) /* a figure and its unit stay together */
            word += 1 + strcspn(text + word + 1, " ");
        if (column && column + 1 + word > TEXT_WIDTH) {
            fputc('\n', out);
            column = 0;
        }
        fprintf(out, "%*s%.*s", column ? 1 : (int)indent, "", (int)word, text);
        column += word + (column ? 1 : indent);
        text += word + strspn(text + word, " ");
    }
    if (column)
        fputc('\n', out);
}

static void print_advice(FILE *out, const struct compare_result *result, enum compare_goal goal)
{
    static const char *const titles[COMPARE_GOALS] = { "least memory", "highest speed",
        "tightest worst case", "balanced" };
    const struct compare_advice *advice = &result->advice[goal];
    if (advice->candidate < 0) {
        fprintf(out, "\n%s: not measured\n", titles[goal]);
        return;
    }
    const struct compare_candidate *best = &result->candidates[advice->candidate];
    fprintf(out, "\n%s: %s%s%s%s\n", titles[goal], best->name, best->setting[0] ? " (" : "",
        best->setting, best->setting[0] ? ")" : "");
    print_wrapped(out, advice->reason, 2);
    print_wrapped(out, advice->changes, 2);
}

/* A command may hold lines and control characters. */
static void print_source(FILE *out, const char *source)
{
    for (; *source; source++)
        fputc((unsigned char)*source < ' ' || *source == 0x7F ? ' ' : *source, out);
    fputc('\n', out);
}

/* A program that asks malloc for little of what it uses. */
static void print_habit(FILE *out, const struct replay_facts *facts)
{
    if (strncmp(facts->name, "python", 6) == 0)
        fputs(
            "Python serves small objects itself unless PYTHONMALLOC=malloc is in its environment:\n"
            "what it asks of malloc is compared\n",
            out);
}

/* The sizes that are requested most often. */
static void print_sizes(FILE *out, const struct compare_profile *profile)
{
    uint64_t all = 0;
    bool named[REPLAY_BUCKETS] = { false };
    for (unsigned i = 0; i < REPLAY_BUCKETS; i++)
        all += profile->sizes[i];
    for (int place = 0; place < SIZES_NAMED; place++) {
        unsigned most = 0;
        for (unsigned i = 0; i < REPLAY_BUCKETS; i++)
            if (!named[i] && (named[most] || profile->sizes[i] > profile->sizes[most]))
                most = i;
        if (named[most] || !profile->sizes[most])
            break;
        named[most] = true;
        uint64_t first = replay_bucket_start(most);
        uint64_t last = most + 1 < REPLAY_BUCKETS ? replay_bucket_start(most + 1) - 1 : first;
        fprintf(out, "%s%" PRIu64, place ? ", " : "requests by size in bytes: ", first);
        if (last > first)
            fprintf(out, " to %" PRIu64, last);
        fprintf(out, " %.0f %%", (double)profile->sizes[most] / (double)all * 100.0);
    }
    if (all)
        fputc('\n', out);
}

/* What a user wants to know of a program at a glance. */
static void print_glance(FILE *out, const struct compare_result *result)
{
    char number[ACRE_CELL_ROOM];
    char bytes[ACRE_FORMAT_BYTES_ROOM];
    char part[COMPARE_SECONDS_ROOM];
    char run[COMPARE_SECONDS_ROOM];
    double seconds = 0.0;
    double whole = (double)result->facts.duration_ns / 1e9;
    if (compare_malloc_seconds(result, &seconds))
        fprintf(out, "your malloc takes about %.1f %% of the recorded run (%s of %s)\n",
            seconds / whole * 100.0, compare_format_seconds(part, seconds, whole, false),
            compare_format_seconds(run, whole, whole, false));
    print_sizes(out, &result->profile);
    acre_cell_number(number, result->facts.left_live);
    acre_format_bytes(bytes, (size_t)result->facts.left_bytes);
    if (result->facts.left_live)
        fprintf(out, "never freed: %s in %s %s\n", bytes, number,
            acre_plural(result->facts.left_live, "block", "blocks"));
}

/* How to run the program on what is advised. */
static void print_run(FILE *out, const struct compare_result *result, bool why)
{
    char pool[ACRE_FORMAT_BYTES_ROOM];
    int advised = compare_advised(result);
    if (advised < 0 || advised == compare_today(result) || !result->facts.pid ||
        result->candidates[advised].origin == COMPARE_PLUGIN)
        return;
    const char *name = result->candidates[advised].name;
    fprintf(out, "%sto run the program on it: acre run --allocator=%s -- COMMAND\n",
        why ? "\n" : "", name);
    acre_format_bytes_up(pool, (size_t)result->run_pool);
    if (result->run_pool)
        fprintf(out, "it completes with at most %s (--pool='%s')\n", pool, pool);
}

/* Where more is to be had. */
static void print_hints(FILE *out, const struct compare_result *result, bool why, bool verified)
{
    const struct replay_facts *facts = &result->facts;
    if (!why)
        fprintf(out,
            "\nns/op: allocation on fresh pages, blocks touched%s; --why shows all figures and "
            "reasons\n",
            result->on_threads ? ", on threads" : "");
    if (!facts->duration_ns && facts->pid && !why)
        fputs("a trace recorded with --times predicts the whole program's time as well\n", out);
    print_run(out, result, why);
    if (facts->pid && !verified && !result->interrupted)
        fprintf(out, "%sto check this on the real program: acre compare --verify -- COMMAND\n",
            why ? "\n" : "");
}

/* How threads were replayed. */
static void print_on_threads(FILE *out, const struct compare_result *result)
{
    const struct replay_facts *facts = &result->facts;
    char number[ACRE_CELL_ROOM];
    acre_cell_number(number, facts->crossings);
    fprintf(out,
        "on threads: ns/op is elapsed time; %" PRIu32 " threads, at most %" PRIu32
        " at once, %s %s crossing\n",
        facts->threads, facts->sequences, number,
        acre_plural(facts->crossings, "operation", "operations"));
    if (result->think_ns > 0.0)
        fprintf(out, "work of the program between two calls imitated: %.0f ns\n", result->think_ns);
}

/* What a replay on one thread does not tell. */
static void print_threads(FILE *out, const struct compare_result *result)
{
    size_t locked = 0;
    if (result->on_threads) {
        print_on_threads(out, result);
        return;
    }
    for (size_t i = 0; i < result->count; i++)
        locked += compare_waits_for_lock(result, &result->candidates[i]);
    if (result->facts.threads > 1)
        fprintf(out,
            "for one thread: the trace has %" PRIu32
            ", and is replayed on one; --verify measures all\n",
            result->facts.threads);
    if (locked)
        fprintf(out,
            "one lock: not predicted and not advised, as %" PRIu32 " threads would wait "
            "for it\n",
            result->facts.threads);
}

/* Whether anything of any candidate is known: after an early interrupt nothing is. */
static bool knows_figures(const struct compare_result *result)
{
    for (size_t i = 0; i < result->count; i++) {
        const struct compare_candidate *candidate = &result->candidates[i];
        if (candidate->fault[0] || candidate->memory || candidate->rounds || candidate->touched)
            return true;
    }
    return !result->interrupted;
}

void compare_print(
    FILE *out, const struct compare_result *result, enum compare_goal goal, bool why, bool verified)
{
    compare_print_verdict(out, result);
    if (!knows_figures(result)) {
        fputc('\n', out);
        print_source(out, result->source);
        replay_report_facts(out, &result->facts);
        return;
    }
    compare_print_bars(out, result);
    print_threads(out, result);
    print_broken(out, result);
    fputc('\n', out);
    print_source(out, result->source);
    replay_report_facts(out, &result->facts);
    print_glance(out, result);
    print_habit(out, &result->facts);
    if (why) {
        print_table(out, result, memory_columns, MEMORY_COLUMNS);
        print_table(out, result, time_columns, TIME_COLUMNS - !result->on_threads);
        print_footnotes(out, result);
    } else if (result->interrupted) {
        fputs("interrupted: not everything was measured\n", out);
    }
    for (int i = 0; i < COMPARE_GOALS; i++)
        if (goal == (enum compare_goal)i || (why && goal == COMPARE_GOALS))
            print_advice(out, result, (enum compare_goal)i);
    print_hints(out, result, why, verified);
}
