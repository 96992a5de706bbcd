/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/compare/advise.h"

#include "cli/size.h"
#include "cli/table.h"
#include "tool/compare/verdict.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int compare_best(
    const struct compare_result *result, enum compare_goal goal, int left_out, bool own)
{
    int best = -1;
    double least = 0.0;
    for (size_t i = 0; i < result->count; i++) {
        const struct compare_candidate *candidate = &result->candidates[i];
        double figure = compare_figure(candidate, goal);
        bool unknown = !own && goal != COMPARE_MEMORY && compare_waits_for_lock(result, candidate);
        if ((left_out >= 0 && i == (size_t)left_out) || figure <= 0.0 || unknown ||
            (own && candidate->origin != COMPARE_BUILT_IN))
            continue;
        if (best >= 0 && figure >= least)
            continue;
        best = (int)i;
        least = figure;
    }
    return best;
}

/* ---- sentences ---- */

__attribute__((format(printf, 2, 3))) static void say(
    char text[COMPARE_REASON_ROOM], const char *format, ...)
{
    size_t used = strlen(text);
    va_list arguments;
    if (used && used + 1 < COMPARE_REASON_ROOM)
        text[used++] = ' ';
    va_start(arguments, format);
    vsnprintf(text + used, COMPARE_REASON_ROOM - used, format, arguments);
    va_end(arguments);
}

#define CHANGE_ROOM 32

/* "+12 %", "-3.4 %", "x 2.8", "the same": how `figure` stands to `other`; 0 is not known. */
static const char *change(char text[CHANGE_ROOM], double figure, double other)
{
    double ratio = other > 0.0 ? figure / other : 1.0;
    double percent = (ratio - 1.0) * 100.0;
    if (figure <= 0.0 || other <= 0.0)
        snprintf(text, CHANGE_ROOM, "not measured");
    else if (ratio >= 2.0)
        snprintf(text, CHANGE_ROOM, "x %.1f", ratio);
    else if (percent > -0.05 && percent < 0.05)
        snprintf(text, CHANGE_ROOM, "the same");
    else
        snprintf(text, CHANGE_ROOM, "%+.*f %%", percent > -10.0 && percent < 10.0, percent);
    return text;
}

void compare_format_memory(
    char text[ACRE_FORMAT_BYTES_ROOM], const struct compare_candidate *candidate)
{
    if (candidate->has_pool)
        acre_format_bytes_up(text, (size_t)candidate->memory);
    else
        acre_format_bytes(text, (size_t)candidate->memory);
}

static void say_memory(char *text, const struct compare_candidate *candidate)
{
    char bytes[ACRE_FORMAT_BYTES_ROOM];
    compare_format_memory(bytes, candidate);
    if (!candidate->memory)
        return;
    if (candidate->has_pool)
        say(text, "%s completes in a pool of %s, %.3f of the peak of live bytes.", candidate->name,
            bytes, candidate->per_peak);
    else
        say(text, "%s grew the process by %s, %.3f of the peak of live bytes.", candidate->name,
            bytes, candidate->per_peak);
}

static void reason_memory(
    const struct compare_candidate *best, const struct compare_candidate *next, char *text)
{
    char bytes[ACRE_FORMAT_BYTES_ROOM];
    char by[CHANGE_ROOM];
    say_memory(text, best);
    if (best->knows_internal)
        say(text, "Rounding and headers are %.1f %% of the bytes of live blocks.",
            best->internal * 100.0);
    if (best->knows_external && best->smallest_pool)
        say(text, "At the peak, %.1f %% of that pool is gaps and %.1f %% metadata.",
            best->gaps_at_peak * 100.0,
            (double)best->metadata / (double)best->smallest_pool * 100.0);
    if (!next)
        return;
    compare_format_memory(bytes, next);
    say(text, "%s takes %s (%s).", next->name, bytes,
        change(by, (double)next->memory, (double)best->memory));
}

static void reason_speed(
    const struct compare_candidate *best, const struct compare_candidate *next, char *text)
{
    char by[CHANGE_ROOM];
    say(text, "%s takes %.1f ns %sper operation%s (median of %zu).", best->name, compare_time(best),
        best->threaded ? "of elapsed time " : "",
        best->threaded  ? ", each thread's operations on a thread of its own"
        : best->touched ? " on fresh pages with each block touched once"
                        : "",
        best->rounds);
    if (best->touched)
        say(text, "With pages and blocks untouched it takes %.1f, from %.1f to %.1f.", best->ns,
            best->ns_least, best->ns_most);
    if (next)
        say(text, "%s takes %.1f ns (%s).", next->name, compare_time(next),
            change(by, compare_time(next), compare_time(best)));
    say_memory(text, best);
}

static const char *verb_text(enum replay_verb verb)
{
    return verb == REPLAY_ALLOC     ? "an allocation of"
           : verb == REPLAY_DEALLOC ? "a free"
                                    : "a resize to";
}

static void say_worst(
    const struct compare_result *result, const struct compare_candidate *candidate, char *text)
{
    char number[ACRE_CELL_ROOM];
    char size[ACRE_CELL_ROOM + 8] = "";
    char bytes[ACRE_CELL_ROOM];
    acre_cell_number(number, candidate->worst);
    acre_cell_number(bytes, candidate->worst_size);
    if (candidate->worst_verb != REPLAY_DEALLOC)
        snprintf(size, sizeof size, " %s bytes", bytes);
    say(text, "The worst operation of %s, %s%s, takes %s %s (minimum of %zu);", candidate->name,
        verb_text(candidate->worst_verb), size, number, result->ticks, result->step_rounds);
    acre_cell_number(number, candidate->p999);
    say(text, "one in a thousand takes more than %s.", number);
}

static void reason_worst(const struct compare_result *result, const struct compare_candidate *best,
    const struct compare_candidate *next, char *text)
{
    char number[ACRE_CELL_ROOM];
    char by[CHANGE_ROOM];
    say_worst(result, best, text);
    acre_cell_number(number, next ? next->worst : 0);
    if (next)
        say(text, "The worst of %s takes %s (%s).", next->name, number,
            change(by, (double)next->worst, (double)best->worst));
    say_memory(text, best);
}

static void reason_balanced(const struct compare_result *result,
    const struct compare_candidate *best, const struct compare_candidate *next, char *text)
{
    char number[ACRE_CELL_ROOM];
    char bytes[ACRE_FORMAT_BYTES_ROOM];
    char by[CHANGE_ROOM];
    say(text, "%s has the least product of memory, time and 99.9th percentile:", best->name);
    acre_cell_number(number, best->p999);
    say(text, "%.3f of the peak of live bytes, %.1f ns per operation, %s %s.", best->per_peak,
        compare_time(best), number, result->ticks);
    if (best->has_pool && best->memory) {
        compare_format_memory(bytes, best);
        say(text, "It completes in a pool of %s.", bytes);
    }
    if (next)
        say(text, "%s comes next (the product: %s).", next->name,
            change(by, compare_figure(next, COMPARE_BALANCED),
                compare_figure(best, COMPARE_BALANCED)));
}

static void reason(struct compare_result *result, enum compare_goal goal)
{
    struct compare_advice *advice = &result->advice[goal];
    const struct compare_candidate *best = &result->candidates[advice->candidate];
    const struct compare_candidate *next =
        advice->runner_up < 0 ? NULL : &result->candidates[advice->runner_up];
    switch (goal) {
    case COMPARE_MEMORY:
        reason_memory(best, next, advice->reason);
        break;
    case COMPARE_SPEED:
        reason_speed(best, next, advice->reason);
        break;
    case COMPARE_WORST:
        reason_worst(result, best, next, advice->reason);
        break;
    case COMPARE_BALANCED:
    case COMPARE_GOALS:
        reason_balanced(result, best, next, advice->reason);
        break;
    }
}

/* ---- what would change it ---- */

static bool close_run(const struct compare_result *result, enum compare_goal goal)
{
    const struct compare_advice *advice = &result->advice[goal];
    if (advice->runner_up < 0)
        return false;
    const struct compare_candidate *best = &result->candidates[advice->candidate];
    const struct compare_candidate *next = &result->candidates[advice->runner_up];
    if (goal == COMPARE_SPEED && compare_is_tie(best, next))
        return true;
    return compare_figure(next, goal) <= compare_figure(best, goal) * (1.0 + COMPARE_CLOSE);
}

/* What the winner of other goals, which `condition` names, would gain and cost. */
static void say_alternative(struct compare_result *result, struct compare_advice *advice,
    const struct compare_candidate *instead, const char *condition)
{
    const struct compare_candidate *best = &result->candidates[advice->candidate];
    char memory[CHANGE_ROOM];
    char time[CHANGE_ROOM];
    char worst[CHANGE_ROOM];
    say(advice->changes, "If %s mattered most: %s (memory %s, time %s, worst operation %s).",
        condition, instead->name, change(memory, (double)instead->memory, (double)best->memory),
        change(time, compare_time(instead), compare_time(best)),
        change(worst, compare_figure(instead, COMPARE_WORST), compare_figure(best, COMPARE_WORST)));
}

/* The winners of the other goals; one that wins two of them is named once. */
static void say_alternatives(struct compare_result *result, enum compare_goal goal)
{
    static const char *const names[] = { "memory", "speed", "the worst case" };
    struct compare_advice *advice = &result->advice[goal];
    int winners[COMPARE_BALANCED];
    for (int i = 0; i < COMPARE_BALANCED; i++) {
        int index = compare_best(result, (enum compare_goal)i, -1, false);
        bool other = i != (int)goal && index >= 0 && index != advice->candidate;
        winners[i] = other ? index : -1;
    }
    for (int i = 0; i < COMPARE_BALANCED; i++) {
        char condition[64];
        if (winners[i] < 0)
            continue;
        snprintf(condition, sizeof condition, "%s", names[i]);
        for (int j = i + 1; j < COMPARE_BALANCED; j++) {
            if (winners[j] != winners[i])
                continue;
            size_t used = strlen(condition);
            snprintf(condition + used, sizeof condition - used, " or %s", names[j]);
            winners[j] = -1;
        }
        say_alternative(result, advice, &result->candidates[winners[i]], condition);
    }
}

/* A pool and the pages of a process are two measures. */
static void say_measures(struct compare_advice *advice, const struct compare_candidate *best,
    const struct compare_candidate *next)
{
    const struct compare_candidate *paged = best->has_pool ? next : best;
    if (next && best->has_pool != next->has_pool)
        say(advice->changes,
            "%s has no pool: its figure counts the pages it touched, and compares roughly.",
            paged->name);
}

/* Acre's own that comes nearest, where another malloc is best. */
static void say_own(struct compare_result *result, enum compare_goal goal)
{
    struct compare_advice *advice = &result->advice[goal];
    char by[CHANGE_ROOM];
    if (advice->own < 0 || advice->own == advice->candidate)
        return;
    const struct compare_candidate *own = &result->candidates[advice->own];
    say(advice->changes, "In a pool of its own, or without an operating system: %s (%s).",
        own->name,
        change(by, compare_figure(own, goal),
            compare_figure(&result->candidates[advice->candidate], goal)));
}

static void changes(struct compare_result *result, enum compare_goal goal)
{
    struct compare_advice *advice = &result->advice[goal];
    if (advice->close_run && goal == COMPARE_MEMORY)
        say(advice->changes, "%s is as good.", result->candidates[advice->runner_up].name);
    else if (advice->close_run)
        say(advice->changes,
            "%s ties with it: the difference is within noise; --repeat tells them apart better.",
            result->candidates[advice->runner_up].name);
    if (goal == COMPARE_MEMORY && advice->runner_up >= 0)
        say_measures(
            advice, &result->candidates[advice->candidate], &result->candidates[advice->runner_up]);
    say_alternatives(result, goal);
    say_own(result, goal);
    if (result->facts.threads > 1 && !result->on_threads)
        say(advice->changes,
            "The trace has %" PRIu32
            " threads and is replayed on one: how they hinder one another is not measured.",
            result->facts.threads);
}

void compare_advise(struct compare_result *result)
{
    for (int i = 0; i < COMPARE_GOALS; i++) {
        enum compare_goal goal = (enum compare_goal)i;
        struct compare_advice *advice = &result->advice[i];
        *advice = (struct compare_advice){ .candidate = compare_best(result, goal, -1, false) };
        advice->own = compare_best(result, goal, -1, true);
        advice->runner_up = compare_best(result, goal, advice->candidate, false);
        if (advice->candidate < 0)
            continue;
        advice->close_run = close_run(result, goal);
        reason(result, goal);
        changes(result, goal);
    }
}
