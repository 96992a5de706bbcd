/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/compare/verdict.h"

#include "tool/compare/advise.h"
#include "tool/environment.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A change of the program's time that is smaller than this part of it is not worth a new malloc; */
#define LEAST_CHANGE 0.02
/* and one that is smaller than this not worth another new malloc than the cheapest to adopt. */
#define LEAST_DIFFERENCE 0.005
/* The prediction takes it that a program reads scattered blocks so many times per call, but for no
 * more than a part of its time outside its malloc; its bounds, that it reads none, and so many. See
 * docs/decisions.md, "How allocators are compared". */
static const struct reads {
    double per_call, most_time;
} likely_reads = { 0.1, 0.5 }, no_reads = { 0.0, 0.0 }, most_reads = { 3.0, 0.75 };
/* Bounds that are as far apart, in per cent of the program's time, are worth a word. */
#define WIDE_BOUNDS 3.0
#define TIES_NAMED 3
/* Per cent of the program's time that are shown as some. */
#define LEAST_SHOWN 0.05
/* Per cent of memory that are worth a word. */
#define LEAST_MEMORY 0.5

__attribute__((format(printf, 2, 3))) static void append_verdict(
    char text[COMPARE_REASON_ROOM], const char *format, ...)
{
    size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, COMPARE_REASON_ROOM - used, format, arguments);
    va_end(arguments);
}

int compare_find_today(const struct compare_result *result)
{
    for (size_t i = 0; i < result->count; i++) {
        const struct compare_candidate *candidate = &result->candidates[i];
        if (result->today ? strcmp(candidate->name, result->today) == 0
                          : candidate->origin == COMPARE_SYSTEM)
            return (int)i;
    }
    return -1;
}

int compare_today(const struct compare_result *result)
{
    int today = compare_find_today(result);
    return today >= 0 && result->candidates[today].rounds ? today : -1;
}

static double recorded_seconds(const struct compare_result *result)
{
    return (double)result->facts.duration_ns / 1e9;
}

static double seconds_of(const struct compare_result *result, double ns_per_op)
{
    return ns_per_op * (double)result->facts.ops / 1e9;
}

/* Nanoseconds per operation without what other programs add to it: that only ever lengthens it. */
static double least_time(const struct compare_candidate *candidate)
{
    if (candidate->threaded)
        return candidate->threads_least;
    return candidate->touched ? candidate->touched_least : candidate->ns_least;
}

/* How well the least time of a candidate is known, in seconds of the program. */
static double noise_of(
    const struct compare_result *result, const struct compare_candidate *candidate)
{
    if (candidate->threaded)
        return seconds_of(result, candidate->threads_noise);
    return seconds_of(result, candidate->touched ? candidate->touched_noise : candidate->ns_noise);
}

/* Seconds that the program's own work changes by, since its `reads` of blocks per call take another
 * time. */
static double own_change(const struct compare_result *result,
    const struct compare_candidate *candidate, const struct compare_candidate *today,
    double run_seconds, struct reads reads)
{
    double own = run_seconds - seconds_of(result, least_time(today));
    double reading = seconds_of(result, reads.per_call * today->visit_ns);
    if (today->threaded && today->parallel > 1.0)
        reading /= today->parallel;
    if (candidate->visit_ns <= 0.0 || today->visit_ns <= 0.0 || own <= 0.0)
        return 0.0;
    if (reading > own * reads.most_time)
        reading = own * reads.most_time;
    return reading * (candidate->visit_ns / today->visit_ns - 1.0);
}

/* Seconds that the program's processes take longer to start: each loads the malloc and its tables. */
static double start_change(const struct compare_result *result,
    const struct compare_candidate *candidate, const struct compare_candidate *today)
{
    if (candidate->start_ns <= 0.0 || today->start_ns <= 0.0)
        return 0.0;
    return (candidate->start_ns - today->start_ns) * (double)result->facts.started / 1e9;
}

/* The same as compare_predict_from() for a program that reads so many blocks per call. */
static bool predict_with_reads(const struct compare_result *result,
    const struct compare_candidate *candidate, double run_seconds, struct reads reads,
    double *seconds)
{
    int index = compare_today(result);
    *seconds = 0.0;
    if (index < 0 || run_seconds <= 0.0 || compare_figure(candidate, COMPARE_SPEED) <= 0.0 ||
        compare_waits_for_lock(result, candidate) || result->candidates[index].off_threads ||
        result->candidates[index].off_touched)
        return false;
    const struct compare_candidate *today = &result->candidates[index];
    *seconds = seconds_of(result, least_time(candidate) - least_time(today)) +
               start_change(result, candidate, today) +
               own_change(result, candidate, today, run_seconds, reads);
    return *seconds > -run_seconds;
}

bool compare_predict_from(const struct compare_result *result,
    const struct compare_candidate *candidate, double run_seconds, double *seconds)
{
    return predict_with_reads(result, candidate, run_seconds, likely_reads, seconds);
}

/* The change if the program's own work never reads blocks, and if it reads most, the lower first. */
static bool predict_by_reads(const struct compare_result *result,
    const struct compare_candidate *candidate, double run_seconds, double bounds[2])
{
    double none = 0.0;
    double most = 0.0;
    if (!predict_with_reads(result, candidate, run_seconds, no_reads, &none) ||
        !predict_with_reads(result, candidate, run_seconds, most_reads, &most))
        return false;
    bounds[0] = none < most ? none : most;
    bounds[1] = none < most ? most : none;
    return true;
}

bool compare_predict_bounds(const struct compare_result *result,
    const struct compare_candidate *candidate, double run_seconds, double bounds[2])
{
    if (!predict_by_reads(result, candidate, run_seconds, bounds))
        return false;
    double noise = noise_of(result, candidate);
    double todays = noise_of(result, &result->candidates[compare_today(result)]);
    noise = noise > todays ? noise : todays;
    bounds[0] -= noise;
    bounds[1] += noise;
    return true;
}

bool compare_predict(
    const struct compare_result *result, const struct compare_candidate *candidate, double *seconds)
{
    return compare_predict_from(result, candidate, recorded_seconds(result), seconds);
}

double compare_cost(const struct compare_result *result, const struct compare_candidate *candidate)
{
    double seconds = 0.0;
    double run_seconds = recorded_seconds(result);
    if (compare_waits_for_lock(result, candidate))
        return 0.0;
    if (run_seconds > 0.0 && compare_today(result) >= 0)
        return compare_predict(result, candidate, &seconds) ? run_seconds + seconds : 0.0;
    return compare_figure(candidate, COMPARE_SPEED);
}

bool compare_costs_less(const struct compare_result *result, const struct compare_candidate *one,
    const struct compare_candidate *other)
{
    double cost = compare_cost(result, one);
    double others = compare_cost(result, other);
    return cost > 0.0 && (others <= 0.0 || cost < others);
}

bool compare_malloc_seconds(const struct compare_result *result, double *seconds)
{
    int today = compare_today(result);
    if (today < 0 || !result->facts.duration_ns)
        return false;
    double ns = result->candidates[today].ns - result->loop_ns;
    *seconds = seconds_of(result, ns > 0.0 ? ns : 0.0);
    if (result->candidates[today].parallel > 1.0)
        *seconds /= result->candidates[today].parallel;
    return *seconds < recorded_seconds(result);
}

/* The candidate of least cost; -1: none is known. */
static int find_cheapest(const struct compare_result *result)
{
    int best = -1;
    double least = 0.0;
    for (size_t i = 0; i < result->count; i++) {
        double cost = compare_cost(result, &result->candidates[i]);
        if (cost <= 0.0 || (best >= 0 && cost >= least))
            continue;
        best = (int)i;
        least = cost;
    }
    return best;
}

static bool is_todays(
    const struct compare_result *result, const struct compare_candidate *candidate)
{
    int today = compare_today(result);
    return today >= 0 && candidate == &result->candidates[today];
}

/* What two predicted times of the program may differ by, and be as good as each other. */
static double tie_seconds(const struct compare_result *result, const struct compare_candidate *one,
    const struct compare_candidate *other)
{
    bool keeps = is_todays(result, one) || is_todays(result, other);
    double least = (keeps ? LEAST_CHANGE : LEAST_DIFFERENCE) * recorded_seconds(result);
    double noise = noise_of(result, one);
    double others = noise_of(result, other);
    noise = noise > others ? noise : others;
    return noise > least ? noise : least;
}

/* Predicted times of the program tie if they differ by little; without them, the rounds decide. */
static bool is_tie(const struct compare_result *result, const struct compare_candidate *best,
    const struct compare_candidate *candidate)
{
    double seconds = 0.0;
    double cost = compare_cost(result, candidate);
    if (cost <= 0.0)
        return false;
    if (compare_predict(result, candidate, &seconds))
        return cost - compare_cost(result, best) <= tie_seconds(result, best, candidate);
    return compare_is_tie(best, candidate);
}

/* Whether it is worth a new malloc: it costs less than today's, beyond LEAST_CHANGE. */
static bool beats(const struct compare_result *result, const struct compare_candidate *candidate,
    const struct compare_candidate *today)
{
    double least = LEAST_CHANGE * recorded_seconds(result);
    double todays = compare_cost(result, today);
    return todays <= 0.0 || compare_cost(result, candidate) < todays - least;
}

/* How dear a candidate is to adopt, as a rank: all that is preloaded is alike. */
static int adoption_rank(const struct compare_result *result, size_t index)
{
    static const int ranks[] = { [COMPARE_SYSTEM] = 1,
        [COMPARE_TUNED] = 2,
        [COMPARE_BUILT_IN] = 3,
        [COMPARE_PRELOAD] = 3,
        [COMPARE_PLUGIN] = 4 };
    const struct compare_candidate *candidate = &result->candidates[index];
    return is_todays(result, candidate) ? 0 : ranks[candidate->origin];
}

/* Whether `one` is named before `other`: it is cheaper to adopt, or as cheap and costs less. */
static bool comes_first(const struct compare_result *result, size_t one, size_t other)
{
    int difference = adoption_rank(result, one) - adoption_rank(result, other);
    return difference < 0 ||
           (difference == 0 &&
               compare_costs_less(result, &result->candidates[one], &result->candidates[other]));
}

static size_t insert_tie(
    const struct compare_result *result, size_t *ties, size_t count, size_t tie)
{
    size_t at = count;
    for (; at > 0 && comes_first(result, tie, ties[at - 1]); at--)
        ties[at] = ties[at - 1];
    ties[at] = tie;
    return count + 1;
}

size_t compare_find_ties(const struct compare_result *result, size_t ties[COMPARE_MOST_CANDIDATES])
{
    int best = find_cheapest(result);
    int today = compare_today(result);
    const struct compare_candidate *candidates = result->candidates;
    size_t count = 0;
    bool keeps = best >= 0 && today >= 0 && is_tie(result, &candidates[best], &candidates[today]);
    for (size_t i = 0; best >= 0 && i < result->count; i++)
        if (is_tie(result, &candidates[best], &candidates[i]) &&
            (keeps || today < 0 || beats(result, &candidates[i], &candidates[today])))
            count = insert_tie(result, ties, count, i);
    return count;
}

static void say_ties(
    const struct compare_result *result, const size_t *ties, size_t count, char *text)
{
    for (size_t i = 1; i < count && i <= TIES_NAMED; i++)
        append_verdict(
            text, "%s%s", i == 1 ? " (tie with " : ", ", result->candidates[ties[i]].name);
    if (count > TIES_NAMED + 1)
        append_verdict(text, " and %zu more", count - 1 - TIES_NAMED);
    if (count > 1)
        append_verdict(text, ")");
}

const char *compare_format_seconds(
    char text[COMPARE_SECONDS_ROOM], double seconds, double whole, bool is_change)
{
    bool is_short = whole < 1.0;
    snprintf(text, COMPARE_SECONDS_ROOM, is_change ? "%+.*f %s" : "%.*f %s", is_short ? 1 : 2,
        seconds * (is_short ? 1e3 : 1.0), is_short ? "ms" : "s");
    return text;
}

/* ": -12.8 to -33.9 % by how its own work reads memory", where that is much; else "". */
static void write_bounds(const struct compare_result *result,
    const struct compare_candidate *candidate, char text[COMPARE_SECONDS_ROOM * 2])
{
    double bounds[2];
    double run_seconds = recorded_seconds(result);
    text[0] = '\0';
    if (!predict_by_reads(result, candidate, run_seconds, bounds) ||
        (bounds[1] - bounds[0]) / run_seconds * 100.0 < WIDE_BOUNDS ||
        !compare_predict_bounds(result, candidate, run_seconds, bounds))
        return;
    snprintf(text, (size_t)COMPARE_SECONDS_ROOM * 2,
        ": %+.1f to %+.1f %% by how its own work reads memory", bounds[1] / run_seconds * 100.0,
        bounds[0] / run_seconds * 100.0);
}

/* "4.1 % faster (-0.31 s of 7.6 s, predicted)", or the time in the allocator alone. */
static void say_time(const struct compare_result *result, const struct compare_candidate *advised,
    const struct compare_candidate *today, char *text)
{
    double seconds = 0.0;
    double run_seconds = recorded_seconds(result);
    double ratio = compare_time(advised) / compare_time(today) - 1.0;
    char change[COMPARE_SECONDS_ROOM];
    char whole[COMPARE_SECONDS_ROOM];
    if (!compare_predict(result, advised, &seconds)) {
        append_verdict(text, "allocation %+.0f %% time against your malloc", ratio * 100.0);
        return;
    }
    double per_cent = (seconds < 0.0 ? -seconds : seconds) / run_seconds * 100.0;
    char bounds[COMPARE_SECONDS_ROOM * 2];
    write_bounds(result, advised, bounds);
    compare_format_seconds(change, seconds, run_seconds, true);
    compare_format_seconds(whole, run_seconds, run_seconds, false);
    if (per_cent < LEAST_SHOWN)
        append_verdict(
            text, "the program would run as fast as on your malloc (%s, predicted)", whole);
    else
        append_verdict(text,
            "the program would run %.1f %% %s than on your malloc (%s of %s, predicted%s)",
            per_cent, seconds < 0.0 ? "faster" : "slower", change, whole, bounds);
}

static double more_per_cent(uint64_t memory, uint64_t than)
{
    return ((double)memory / (double)than - 1.0) * 100.0;
}

/* Of resident memory where the program would run on it as it is. */
static void say_memory_change(
    const struct compare_candidate *advised, const struct compare_candidate *today, char *text)
{
    uint64_t theirs = compare_program_memory(advised);
    uint64_t todays = compare_program_memory(today);
    double more = theirs && todays ? more_per_cent(theirs, todays) : 0.0;
    if (more < -LEAST_MEMORY || more > LEAST_MEMORY)
        append_verdict(text, ", memory %+.0f %%", more);
    else if (theirs && todays)
        append_verdict(text, ", memory the same");
}

/* The candidate that takes the least memory in a program; -1: none is known to serve. */
static int find_leanest(const struct compare_result *result)
{
    int best = -1;
    uint64_t least = 0;
    for (size_t i = 0; i < result->count; i++) {
        const struct compare_candidate *candidate = &result->candidates[i];
        uint64_t memory = compare_program_memory(candidate);
        if (compare_figure(candidate, COMPARE_MEMORY) <= 0.0 || (best >= 0 && memory >= least))
            continue;
        best = (int)i;
        least = memory;
    }
    return best;
}

static void say_least_memory(const struct compare_result *result, int advised,
    const struct compare_candidate *today, char *text)
{
    int least = find_leanest(result);
    if (least < 0 || least == advised)
        return;
    const struct compare_candidate *candidate = &result->candidates[least];
    uint64_t todays = today ? compare_program_memory(today) : 0;
    double more = todays ? more_per_cent(compare_program_memory(candidate), todays) : 0.0;
    if (todays && candidate != today && more > -LEAST_MEMORY)
        return;
    append_verdict(text, "; least memory: %s", candidate->name);
    if (todays && candidate != today)
        append_verdict(text, ", %+.0f %%", more);
}

int compare_advised(const struct compare_result *result)
{
    size_t ties[COMPARE_MOST_CANDIDATES];
    return compare_find_ties(result, ties) ? (int)ties[0] : -1;
}

/* Today's malloc is among the ties: why, and what the best would change. */
static void say_keep(
    const struct compare_result *result, const size_t *ties, size_t count, char *text)
{
    const struct compare_candidate *today = &result->candidates[ties[0]];
    const struct compare_candidate *best = &result->candidates[find_cheapest(result)];
    double seconds = 0.0;
    if (best != today && compare_predict(result, best, &seconds)) {
        append_verdict(text, "keep your malloc: with %s ", best->name);
        say_time(result, best, today, text);
        if (-seconds > LEAST_CHANGE * recorded_seconds(result))
            append_verdict(text, ", within noise");
        return;
    }
    append_verdict(text, "keep your malloc: none is faster beyond noise");
    say_ties(result, ties, count, text);
}

void compare_verdict(const struct compare_result *result, char text[COMPARE_REASON_ROOM])
{
    size_t ties[COMPARE_MOST_CANDIDATES];
    size_t count = compare_find_ties(result, ties);
    int index = compare_today(result);
    text[0] = '\0';
    if (!count) {
        append_verdict(text, result->interrupted
                                 ? "no verdict: interrupted before enough was measured"
                                 : "no verdict: not enough was measured");
        return;
    }
    if (result->interrupted)
        append_verdict(text, "interrupted; as far as was measured: ");
    const struct compare_candidate *today = index < 0 ? NULL : &result->candidates[index];
    const struct compare_candidate *advised = &result->candidates[ties[0]];
    if (!today) {
        append_verdict(text, "fastest: %s", advised->name);
        say_ties(result, ties, count, text);
    } else if (advised == today) {
        say_keep(result, ties, count, text);
    } else {
        append_verdict(text, "take %s", advised->name);
        say_ties(result, ties, count, text);
        append_verdict(text, ": ");
        say_time(result, advised, today, text);
        say_memory_change(advised, today, text);
    }
    say_least_memory(result, (int)ties[0], today, text);
}
