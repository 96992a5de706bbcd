/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The verdict, and every candidate on one line with bars. */
#include "cli/size.h"
#include "tool/compare/advise.h"
#include "tool/compare/print.h"
#include "tool/compare/verdict.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BAR_WIDTH 16
#define NAME_WIDTH 16
#define REMARK_ROOM 32

/* Escape sequences, empty where there are no colours. */
struct colours {
    const char *bold, *good, *dim, *off;
};

static struct colours choose_colours(FILE *out)
{
    const char *no = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    bool wanted = isatty(fileno(out)) && !(no && *no) && !(terminal && !strcmp(terminal, "dumb"));
    return wanted ? (struct colours){ "\033[1m", "\033[32m", "\033[2m", "\033[0m" }
                  : (struct colours){ "", "", "", "" };
}

static double speed_of(const struct compare_candidate *candidate)
{
    return compare_figure(candidate, COMPARE_SPEED) > 0.0 ? compare_time(candidate) : 0.0;
}

static double memory_of(const struct compare_candidate *candidate)
{
    uint64_t memory = compare_program_memory(candidate);
    return candidate->fault[0] ? 0.0 : (double)memory;
}

static void find_bounds(const struct compare_result *result,
    double (*figure)(const struct compare_candidate *candidate), double *least, double *most)
{
    *least = *most = 0.0;
    for (size_t i = 0; i < result->count; i++) {
        double value = figure(&result->candidates[i]);
        if (value > 0.0 && (*least <= 0.0 || value < *least))
            *least = value;
        if (value > *most)
            *most = value;
    }
}

/* A bar as long as the figure is large; a figure that is not known has none. */
static void print_bar(FILE *out, double value, double most, bool padded)
{
    int length = most > 0.0 ? (int)(value / most * BAR_WIDTH + 0.5) : 0;
    if (value > 0.0 && !length)
        length = 1;
    for (int i = 0; i < length; i++)
        fputc('#', out);
    for (int i = length; padded && i < BAR_WIDTH; i++)
        fputc(' ', out);
}

static void print_figure(FILE *out, const struct colours *colours, const char *text, double value,
    const double bounds[2], bool padded)
{
    bool best = value > 0.0 && value <= bounds[0] * 1.0005;
    fprintf(out, "  %s%10s", best ? colours->good : "", value > 0.0 ? text : "-");
    if (value > 0.0 || padded)
        fputc(' ', out);
    print_bar(out, value, bounds[1], padded);
    fputs(best ? colours->off : "", out);
}

/* What stands behind the bars: how the whole time would change. */
static void write_remark(char remark[REMARK_ROOM], const struct compare_result *result,
    const struct compare_candidate *candidate)
{
    double seconds = 0.0;
    int today = compare_today(result);
    remark[0] = '\0';
    if (candidate->fault[0])
        snprintf(remark, REMARK_ROOM, "broken");
    else if (today >= 0 && candidate == &result->candidates[today])
        snprintf(remark, REMARK_ROOM, "today");
    else if (compare_waits_for_lock(result, candidate))
        snprintf(remark, REMARK_ROOM, "one lock");
    else if (candidate->off_threads)
        snprintf(remark, REMARK_ROOM, "not on threads");
    else if (compare_predict(result, candidate, &seconds))
        snprintf(
            remark, REMARK_ROOM, "%+.1f %%", seconds * 1e11 / (double)result->facts.duration_ns);
}

static void print_candidate_line(FILE *out, const struct compare_result *result,
    const struct compare_candidate *candidate, const struct colours *colours,
    const double bounds[4])
{
    char text[ACRE_FORMAT_BYTES_ROOM];
    char remark[REMARK_ROOM];
    write_remark(remark, result, candidate);
    fprintf(out, "%-*.40s", NAME_WIDTH, candidate->name);
    snprintf(text, sizeof text, "%.1f", compare_time(candidate));
    print_figure(out, colours, text, speed_of(candidate), &bounds[0], true);
    acre_format_bytes(text, (size_t)compare_program_memory(candidate));
    print_figure(out, colours, text, memory_of(candidate), &bounds[2], remark[0] != '\0');
    fprintf(out, "%s%s\n", remark[0] ? "  " : "", remark);
}

/* By insertion: there are few. */
static void sort_by_cost(
    const struct compare_result *result, const struct compare_candidate **order)
{
    for (size_t i = 0; i < result->count; i++) {
        const struct compare_candidate *candidate = &result->candidates[i];
        size_t at = i;
        for (; at > 0 && compare_costs_less(result, candidate, order[at - 1]); at--)
            order[at] = order[at - 1];
        order[at] = candidate;
    }
}

void compare_print_bars(FILE *out, const struct compare_result *result)
{
    const struct compare_candidate *order[COMPARE_MOST_CANDIDATES] = { NULL };
    struct colours colours = choose_colours(out);
    double bounds[4];
    find_bounds(result, speed_of, &bounds[0], &bounds[1]);
    find_bounds(result, memory_of, &bounds[2], &bounds[3]);
    sort_by_cost(result, order);
    fprintf(out, "\n%s%-*s  %10s %-*s  %10s", colours.dim, NAME_WIDTH, "allocator", "ns/op",
        BAR_WIDTH, "", "memory");
    if (result->facts.duration_ns)
        fprintf(out, " %-*s  whole time", BAR_WIDTH, "");
    fprintf(out, "%s\n", colours.off);
    for (size_t i = 0; i < result->count && order[i]; i++)
        print_candidate_line(out, result, order[i], &colours, bounds);
}

void compare_print_verdict(FILE *out, const struct compare_result *result)
{
    char text[COMPARE_REASON_ROOM];
    struct colours colours = choose_colours(out);
    compare_verdict(result, text);
    fprintf(out, "%s%s%s\n", colours.bold, text, colours.off);
}
