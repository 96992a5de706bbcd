/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/compare/verification.h"

#include "replay/statistics.h"
#include "tool/compare/advise.h"
#include "tool/compare/ratio.h"
#include "tool/compare/verdict.h"

#include <stdio.h>
#include <string.h>

/* Candidates that are tried unless all are: today's malloc, the fastest, the least memory. */
#define FASTEST_TRIED 3
/* Programs that differ by less in time are as fast as each other. */
#define NOISE 0.02

/* Figures of the runs of one candidate. */
struct trial_series {
    double seconds[COMPARE_MOST_RUNS];
    double residents[COMPARE_MOST_RUNS];
    struct compare_ratio ratio; /* to today's malloc */
};

/* A verification at work. */
struct verifier_of_advice {
    struct compare_result *result;
    const struct compare_candidates *candidates;
    struct trial_runner *runner;
    struct trial_series series[COMPARE_MOST_TRIED];
    char *error;
};

/* ---- whom to try ---- */

static bool is_tried(const struct compare_verification *verification, size_t candidate)
{
    for (size_t i = 0; i < verification->count; i++)
        if (verification->trials[i].candidate == (int)candidate)
            return true;
    return false;
}

/* Whether the program can be run on it as it stands. */
static bool can_run(
    const struct compare_result *result, const struct compare_candidates *candidates, int index)
{
    const struct compare_candidate *candidate = &result->candidates[index];
    bool systems = candidate->origin == COMPARE_SYSTEM || candidate->origin == COMPARE_TUNED;
    if ((systems && result->today) ||
        (candidate->origin == COMPARE_BUILT_IN && !candidates->backends[index].served))
        return false;
    return candidate->origin != COMPARE_PLUGIN && compare_figure(candidate, COMPARE_SPEED) > 0.0;
}

static void add_trial(
    struct compare_result *result, const struct compare_candidates *candidates, int candidate)
{
    struct compare_verification *verification = &result->verification;
    if (candidate < 0 || verification->count == COMPARE_MOST_TRIED ||
        is_tried(verification, (size_t)candidate) || !can_run(result, candidates, candidate))
        return;
    verification->trials[verification->count++] = (struct compare_trial){ .candidate = candidate };
}

/* The fastest candidate that is not tried yet, or -1. */
static int next_fastest(
    const struct compare_result *result, const struct compare_candidates *candidates)
{
    int best = -1;
    for (size_t i = 0; i < result->count; i++) {
        const struct compare_candidate *candidate = &result->candidates[i];
        if (!can_run(result, candidates, (int)i) || is_tried(&result->verification, i))
            continue;
        if (best < 0 || compare_costs_less(result, candidate, &result->candidates[best]))
            best = (int)i;
    }
    return best;
}

static void choose_trials(struct compare_result *result,
    const struct compare_candidates *candidates, const struct compare_trials_plan *plan)
{
    size_t most = plan->all ? COMPARE_MOST_TRIED : 1 + FASTEST_TRIED;
    add_trial(result, candidates, compare_today(result));
    add_trial(result, candidates, compare_advised(result));
    while (result->verification.count < most) {
        int next = next_fastest(result, candidates);
        if (next < 0)
            break;
        add_trial(result, candidates, next);
    }
    add_trial(result, candidates, result->advice[COMPARE_MEMORY].candidate);
}

/* ---- one run ---- */

/* How the program gets a candidate. */
static struct acre_served served_by(const struct verifier_of_advice *verifier, int index)
{
    const struct replay_backend *backend = &verifier->candidates->backends[index];
    if (index == compare_today(verifier->result))
        return (struct acre_served){ .library = NULL };
    if (backend->served)
        backend = backend->served;
    return (struct acre_served){
        .library = backend->preload, .allocator = backend->allocator, .tunables = backend->tunables
    };
}

static double seconds_of_trial(
    const struct compare_verification *verification, const struct trial_outcome *outcome)
{
    return verification->elapsed ? outcome->elapsed : outcome->processor;
}

/* Takes the outcome of a run of round `round`; today's runs come first in every round. */
static void take_trial(
    struct verifier_of_advice *verifier, size_t index, const struct trial_outcome *outcome)
{
    struct compare_verification *verification = &verifier->result->verification;
    struct compare_trial *trial = &verification->trials[index];
    struct trial_series *series = &verifier->series[index];
    series->seconds[trial->runs] = seconds_of_trial(verification, outcome);
    trial->processor[trial->runs] = outcome->processor;
    trial->elapsed[trial->runs] = outcome->elapsed;
    series->residents[trial->runs] = (double)outcome->resident;
    trial->runs++;
}

static bool run_trial_of(
    struct verifier_of_advice *verifier, size_t index, struct acre_progress *progress, double done)
{
    struct compare_trial *trial = &verifier->result->verification.trials[index];
    const struct compare_trial *today = &verifier->result->verification.trials[0];
    const struct trial_outcome *outcome = &verifier->runner->shared->outcome;
    const struct acre_served served = served_by(verifier, trial->candidate);
    if (trial->failed)
        return true;
    if (!trial_run(verifier->runner, &served, done, progress))
        return false;
    if (outcome->error) {
        snprintf(verifier->error, COMPARE_TEXT_ROOM, "cannot run the program: %.100s",
            strerror(outcome->error));
        return false;
    }
    if (index == 0 && trial->runs == 0)
        trial->code = outcome->code;
    trial->failed = outcome->code != today->code;
    if (trial->failed)
        trial->code = outcome->code;
    else
        take_trial(verifier, index, outcome);
    return true;
}

/* One run of each, starting with another one each time, so that none always follows the same. */
static bool run_round(
    struct verifier_of_advice *verifier, size_t round, size_t runs, struct acre_progress *progress)
{
    const struct compare_verification *verification = &verifier->result->verification;
    size_t count = verification->count;
    for (size_t i = 0; i < count; i++) {
        size_t index = round == 0 ? i : (i + round) % count;
        double done = (double)(round * count + i) / (double)(runs * count);
        if (acre_interrupted() || !run_trial_of(verifier, index, progress, done))
            return false;
    }
    return true;
}

/* ---- what it comes to ---- */

/* The least times of the replays are a part of the least time of the program: that is what other
 * programs disturbed least. */
static void predict(struct compare_result *result, struct compare_trial *trial)
{
    const struct compare_trial *today = &result->verification.trials[0];
    const struct compare_candidate *candidate = &result->candidates[trial->candidate];
    const struct compare_candidate *system = &result->candidates[today->candidate];
    double seconds = 0.0;
    double bounds[2] = { 0.0, 0.0 };
    double scale = today->least > 0.0 ? today->seconds / today->least : 1.0;
    trial->predicted = compare_predict_from(result, candidate, today->least, &seconds);
    trial->predicted_seconds = today->seconds + scale * seconds;
    if (trial->predicted && compare_predict_bounds(result, candidate, today->least, bounds)) {
        trial->predicted_low = today->seconds + scale * bounds[0];
        trial->predicted_high = today->seconds + scale * bounds[1];
    }
    uint64_t theirs = candidate->footprint;
    uint64_t todays = system->footprint;
    double growth = (double)theirs - (double)todays;
    trial->predicted_memory = theirs && todays && growth > -(double)today->resident;
    if (trial->predicted_memory)
        trial->predicted_resident = (uint64_t)((double)today->resident + growth);
}

static void sum_up_trial(struct verifier_of_advice *verifier, size_t index)
{
    struct compare_trial *trial = &verifier->result->verification.trials[index];
    struct trial_series *series = &verifier->series[index];
    size_t runs = trial->runs;
    if (!runs)
        return;
    trial->ratio = series->ratio.middle;
    trial->ratio_low = series->ratio.low;
    trial->ratio_high = series->ratio.high;
    trial->seconds = replay_median(series->seconds, runs);
    trial->least = series->seconds[0];
    trial->most = series->seconds[runs - 1];
    double resident = replay_median(series->residents, runs);
    trial->resident = (uint64_t)resident;
    predict(verifier->result, trial);
}

static int advised_index(const struct compare_result *result)
{
    int advised = compare_advised(result);
    for (size_t i = 0; i < result->verification.count; i++)
        if (result->verification.trials[i].candidate == advised)
            return (int)i;
    return -1;
}

/* What is advised beside each of the others, round by round. */
static void compare_with_advised(struct verifier_of_advice *verifier)
{
    struct compare_verification *verification = &verifier->result->verification;
    int advised = advised_index(verifier->result);
    for (size_t i = 0; advised >= 0 && i < verification->count; i++) {
        struct compare_trial *trial = &verification->trials[i];
        const double *theirs = verifier->series[i].seconds;
        const double *advised_seconds = verifier->series[advised].seconds;
        size_t runs = verification->trials[advised].runs;
        runs = trial->runs < runs ? trial->runs : runs;
        if (!runs)
            continue;
        const struct compare_ratio ratio = compare_estimate_ratio(advised_seconds, theirs, runs);
        trial->advised_ratio = ratio.middle;
        trial->advised_low = ratio.low;
        trial->advised_high = ratio.high;
    }
}

/* A round that was truncated does not count. */
static void sum_up_trials(struct verifier_of_advice *verifier)
{
    struct compare_verification *verification = &verifier->result->verification;
    const struct trial_series *today = &verifier->series[0];
    for (size_t i = 1; i < verification->count; i++)
        if (verification->trials[i].runs > verification->trials[0].runs)
            verification->trials[i].runs = verification->trials[0].runs;
    for (size_t i = 0; i < verification->count; i++)
        if (verification->trials[i].runs)
            verifier->series[i].ratio = compare_estimate_ratio(
                verifier->series[i].seconds, today->seconds, verification->trials[i].runs);
    compare_with_advised(verifier);
    sum_up_trial(verifier, 0);
    for (size_t i = 1; i < verification->count; i++)
        sum_up_trial(verifier, i);
}

bool compare_verify(struct compare_result *result, const struct compare_candidates *candidates,
    struct trial_runner *runner, const struct compare_trials_plan *plan,
    struct acre_progress *progress, char error[COMPARE_TEXT_ROOM])
{
    static struct verifier_of_advice verifier;
    verifier = (struct verifier_of_advice){
        .result = result, .candidates = candidates, .runner = runner, .error = error
    };
    error[0] = '\0';
    result->verification =
        (struct compare_verification){ .runs = plan->runs, .elapsed = result->facts.threads > 1 };
    if (compare_today(result) < 0) {
        snprintf(error, COMPARE_TEXT_ROOM, "the program's own malloc is not among the candidates");
        return false;
    }
    choose_trials(result, candidates, plan);
    for (size_t round = 0; round < plan->runs; round++)
        if (!run_round(&verifier, round, plan->runs, progress))
            break;
    acre_progress_wipe(progress);
    sum_up_trials(&verifier);
    return !error[0];
}

/* The trial of the candidate that is advised; null: it did not complete one. */
static const struct compare_trial *advised_trial(const struct compare_result *result)
{
    int index = advised_index(result);
    const struct compare_trial *trial = index < 0 ? NULL : &result->verification.trials[index];
    return trial && !trial->failed && trial->runs ? trial : NULL;
}

/* Whether what is advised is as fast as one of the others. */
static enum compare_held held_beside(const struct compare_trial *other)
{
    const double most = 1.0 + NOISE;
    bool narrow = other->advised_high - other->advised_low <= 2.0 * NOISE;
    if (other->advised_low > most || (narrow && other->advised_ratio > most))
        return COMPARE_REFUTED;
    return narrow || other->advised_high <= most ? COMPARE_CONFIRMED : COMPARE_UNDECIDED;
}

enum compare_held compare_advice_held(const struct compare_result *result)
{
    const struct compare_verification *verification = &result->verification;
    enum compare_held worst = COMPARE_CONFIRMED;
    if (!advised_trial(result))
        return COMPARE_REFUTED;
    for (size_t i = 0; i < verification->count; i++) {
        const struct compare_trial *trial = &verification->trials[i];
        enum compare_held held = held_beside(trial);
        if (!trial->failed && trial->runs && held > worst)
            worst = held;
    }
    return worst;
}

/* The one that what is advised falls behind most surely, or could. */
static const struct compare_trial *strongest_rival(const struct compare_result *result)
{
    const struct compare_verification *verification = &result->verification;
    enum compare_held held = compare_advice_held(result);
    const struct compare_trial *rival = NULL;
    for (size_t i = 0; i < verification->count; i++) {
        const struct compare_trial *trial = &verification->trials[i];
        if (trial->failed || !trial->runs || held_beside(trial) != held)
            continue;
        if (!rival || trial->advised_ratio > rival->advised_ratio)
            rival = trial;
    }
    return rival;
}

static void say_trials_that_tie(const struct compare_result *result,
    const struct compare_trial *advised, char text[COMPARE_REASON_ROOM])
{
    const struct compare_verification *verification = &result->verification;
    size_t named = 0;
    for (size_t i = 0; i < verification->count; i++) {
        const struct compare_trial *trial = &verification->trials[i];
        size_t used = strlen(text);
        bool apart = trial->advised_low > 1.0 || trial->advised_high < 1.0;
        bool near = trial->advised_ratio <= 1.0 + NOISE && trial->advised_ratio >= 1.0 - NOISE;
        if (trial == advised || trial->failed || !trial->runs || (apart && !near))
            continue;
        snprintf(text + used, COMPARE_REASON_ROOM - used, "%s%s", named++ ? ", " : " (tie with ",
            result->candidates[trial->candidate].name);
    }
    size_t used = strlen(text);
    snprintf(text + used, COMPARE_REASON_ROOM - used, "%s", named ? ")" : "");
}

void compare_verification_verdict(
    const struct compare_result *result, char text[COMPARE_REASON_ROOM])
{
    const struct compare_trial *advised = advised_trial(result);
    if (!advised) {
        snprintf(text, COMPARE_REASON_ROOM, "not verified: what is advised did not complete a run");
        return;
    }
    const char *name = result->candidates[advised->candidate].name;
    const struct compare_trial *rival = strongest_rival(result);
    enum compare_held held = compare_advice_held(result);
    if (held == COMPARE_REFUTED)
        snprintf(text, COMPARE_REASON_ROOM,
            "not confirmed: on %s the program takes %.1f %% less time than on %s",
            result->candidates[rival->candidate].name, (1.0 - 1.0 / rival->advised_ratio) * 100.0,
            name);
    else if (held == COMPARE_UNDECIDED)
        snprintf(text, COMPARE_REASON_ROOM,
            "undecided: the runs differ too much; on %s the program takes %+.1f to %+.1f %% time "
            "against %s (use more --runs, or an idle machine)",
            name, (rival->advised_low - 1.0) * 100.0, (rival->advised_high - 1.0) * 100.0,
            result->candidates[rival->candidate].name);
    else if (advised == &result->verification.trials[0])
        snprintf(text, COMPARE_REASON_ROOM,
            "verified: no candidate beats your malloc by more than %.0f %%", NOISE * 100.0);
    else
        snprintf(text, COMPARE_REASON_ROOM,
            "verified: on %s the program takes %+.1f %% time against your malloc", name,
            (advised->ratio - 1.0) * 100.0);
    if (held == COMPARE_CONFIRMED)
        say_trials_that_tie(result, advised, text);
}
