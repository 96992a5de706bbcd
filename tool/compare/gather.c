/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/compare/gather.h"

#include "replay/counter.h"
#include "replay/loop.h"
#include "tool/compare/profile.h"
#include "tool/compare/verdict.h"

#include <stdio.h>
#include <stdlib.h>

#define OPS_TO_TIME 1000000u
#define LEAST_ROUNDS 5u
/* From this many operations on, noise averages out within a replay. */
#define LONG_OPS 6000000u
#define LONG_ROUNDS 3u
/* From this many on, single operations are timed in fewer replays, which take longest; in a long
 * trace, hardly an operation is disturbed twice. */
#define STEP_OPS 500000u
#define STEP_ROUNDS 3u
#define LONG_STEP_ROUNDS 2u
/* Rounds for such a trace with threads: replays on threads tell more about it. */
#define THREADED_ROUNDS 3u
#define THREADED_STEP_ROUNDS 2u

/* Mean over the samples of the part of `whole` that is not `part`; samples without a whole do not
 * count. */
struct mean {
    double sum;
    size_t count;
};

static void add_lack(struct mean *mean, uint64_t part, uint64_t whole)
{
    if (!whole)
        return;
    mean->sum += part < whole ? 1.0 - (double)part / (double)whole : 0.0;
    mean->count++;
}

static double mean_of(const struct mean *mean)
{
    return mean->count ? mean->sum / (double)mean->count : 0.0;
}

static void take_survey(struct compare_candidate *candidate)
{
    const struct replay_survey *survey = &candidate->survey;
    struct mean internal = { 0.0, 0 };
    struct mean external = { 0.0, 0 };
    for (size_t i = 0; i < survey->count; i++) {
        const struct replay_sample *sample = &survey->samples[i];
        add_lack(&internal, sample->live, sample->used);
        add_lack(&external, sample->largest_free, sample->available);
    }
    candidate->knows_internal = survey->knows_used && internal.count > 0;
    candidate->internal = mean_of(&internal);
    candidate->knows_external = survey->knows_pool && survey->count > 0;
    candidate->external = mean_of(&external);
    candidate->metadata = survey->at_peak.metadata;
    if (candidate->knows_external && survey->pool)
        candidate->gaps_at_peak = (double)survey->at_peak.available / (double)survey->pool;
}

/* What grew by less than was live at once had pages left from before: it takes what is live. */
static uint64_t grown(uint64_t resident, uint64_t peak)
{
    return resident && resident < peak ? peak : resident;
}

static void gather_memory(
    struct compare_candidate *candidate, const struct replay_row *row, uint64_t peak)
{
    candidate->fitted = row->fitted;
    candidate->smallest_pool = row->smallest_pool;
    candidate->resident = row->resident;
    candidate->footprint = row->footprint;
    candidate->run_resident = grown(row->run_resident, row->run_resident ? peak : 0);
    if (row->threads_footprint) {
        candidate->footprint = row->threads_footprint;
        candidate->run_resident = grown(row->threads_resident, peak);
    }
    candidate->memory = candidate->has_pool ? row->smallest_pool : grown(row->resident, peak);
    candidate->failed = row->failed;
    if (peak)
        candidate->per_peak = (double)candidate->memory / (double)peak;
}

static void take_times(struct compare_candidate *candidate, const struct replay_row *row)
{
    candidate->pool = row->pool;
    candidate->pool_refused = row->pool_refused;
    candidate->rounds = row->rounds;
    candidate->ns = row->ns_per_op;
    candidate->ns_least = row->ns_least;
    candidate->ns_most = row->ns_most;
    candidate->ns_noise = row->ns_noise;
    candidate->touched = row->touched_rounds > 0;
    candidate->ns_touched = row->ns_touched;
    candidate->touched_least = row->touched_least;
    candidate->touched_most = row->touched_most;
    candidate->touched_noise = row->touched_noise;
    candidate->visit_ns = row->visit_ns;
    candidate->start_ns = (double)row->start_ns;
    candidate->counted = row->counted && row->rounds;
    candidate->instructions = row->instructions_per_op;
}

static void take_thread_times(struct compare_candidate *candidate, const struct replay_row *row)
{
    candidate->threaded = row->thread_rounds > 0 && !row->threads_failed;
    candidate->ns_threads = row->ns_threads;
    candidate->threads_least = row->threads_least;
    candidate->threads_most = row->threads_most;
    candidate->threads_noise = row->threads_noise;
    candidate->parallel = row->parallel;
    candidate->threads_cut = row->threads_cut;
}

/* Times with blocks touched and times without are not to be compared: an interrupt leaves both. */
static void note_touched(struct compare_result *result)
{
    bool touched = false;
    for (size_t i = 0; i < result->count; i++)
        touched |= result->candidates[i].touched;
    for (size_t i = 0; i < result->count; i++)
        result->candidates[i].off_touched = touched && !result->candidates[i].touched;
}

/* Times on threads and times on one are not to be compared. */
static void note_threads(struct compare_result *result)
{
    result->on_threads = false;
    for (size_t i = 0; i < result->count; i++)
        result->on_threads |= result->candidates[i].threaded;
    for (size_t i = 0; i < result->count; i++)
        result->candidates[i].off_threads = result->on_threads && !result->candidates[i].threaded;
}

static void take_steps(struct compare_candidate *candidate, const struct replay_row *row,
    const struct replay_script *script)
{
    candidate->stepped = row->stepped;
    if (!row->stepped)
        return;
    struct replay_op op = replay_op_at(script, row->worst_op);
    candidate->median = row->median;
    candidate->p99 = row->p99;
    candidate->p999 = row->p999;
    candidate->worst = row->worst;
    candidate->worst_op = row->worst_op;
    candidate->worst_verb = replay_op_verb(op);
    candidate->worst_size = replay_op_size(op, replay_wides(script));
}

static void take_row(struct compare_candidate *candidate, const struct replay_row *row,
    const struct replay_script *script)
{
    snprintf(candidate->fault, sizeof candidate->fault, "%s", row->fault);
    candidate->verified = row->verified && !row->fault[0];
    candidate->has_pool = replay_backend_has_pool(row->backend);
    gather_memory(candidate, row, script->facts.peak_live);
    take_times(candidate, row);
    take_thread_times(candidate, row);
    take_steps(candidate, row, script);
    take_survey(candidate);
}

static void take_table(struct compare_result *result, const struct replay_table *table)
{
    result->ticks = ACRE_CLOCK_UNIT;
    result->facts = table->script->facts;
    result->rounds = table->plan.rounds;
    result->step_rounds = replay_step_rounds(&table->plan);
    result->loop_ns = table->loop.rounds ? table->loop.ns_per_op : 0.0;
    result->loop_instructions = table->loop.counted ? table->loop.instructions_per_op : 0.0;
    result->uncounted = replay_counter_lack();
    result->interrupted = table->interrupted;
    for (size_t i = 0; i < result->count; i++)
        take_row(&result->candidates[i], &table->rows[i], table->script);
    result->think_ns = table->think_ns;
    note_threads(result);
    note_touched(result);
}

/* Short scripts are replayed more often, because noise affects a short replay more. */
static size_t rounds_for(const struct replay_facts *facts)
{
    uint64_t ops = facts->ops;
    uint64_t rounds = OPS_TO_TIME / (ops + 1);
    if (ops >= LONG_OPS)
        return LONG_ROUNDS;
    if (ops >= STEP_OPS && facts->sequences)
        return THREADED_ROUNDS;
    if (rounds < LEAST_ROUNDS)
        return LEAST_ROUNDS;
    return rounds < REPLAY_MOST_ROUNDS ? (size_t)rounds : REPLAY_MOST_ROUNDS;
}

void compare_plan_rounds(struct replay_plan *plan, const struct replay_facts *facts, size_t repeat)
{
    plan->settles = !repeat;
    plan->rounds = repeat ? repeat : rounds_for(facts);
    if (!repeat && facts->ops >= STEP_OPS)
        plan->step_rounds = facts->sequences         ? THREADED_STEP_ROUNDS
                            : facts->ops >= LONG_OPS ? LONG_STEP_ROUNDS
                                                     : STEP_ROUNDS;
}

bool compare_gather(struct compare_result *result, const struct compare_candidates *candidates,
    const struct replay_script *script, const struct replay_plan *plan,
    struct acre_progress *progress)
{
    static struct replay_row rows[COMPARE_MOST_CANDIDATES];
    struct replay_table table = {
        .script = script, .plan = *plan, .rows = rows, .count = candidates->count
    };
    result->count = candidates->count;
    for (size_t i = 0; i < candidates->count; i++)
        rows[i] = (struct replay_row){ .backend = &candidates->backends[i],
            .survey = &result->candidates[i].survey };
    int today = compare_find_today(result);
    if (today >= 0)
        rows[today].reference = true;
    if (!replay_measure(&table, progress))
        return false;
    take_table(result, &table);
    compare_profile_make(&result->profile, script);
    return true;
}

void compare_gather_first(struct compare_result *result,
    const struct compare_candidates *candidates, const struct replay_table *table)
{
    double ops = (double)table->script->facts.ops;
    double part = (double)table->plan.first_ops < ops ? (double)table->plan.first_ops / ops : 1.0;
    double duration = (double)table->script->facts.duration_ns * part;
    *result = (struct compare_result){ .facts = table->script->facts, .count = candidates->count };
    result->facts.ops = (uint64_t)(ops * part);
    result->facts.duration_ns = (uint64_t)duration;
    for (int goal = 0; goal < COMPARE_GOALS; goal++)
        result->advice[goal].candidate = -1;
    for (size_t i = 0; i < candidates->count; i++) {
        struct compare_candidate *candidate = &result->candidates[i];
        *candidate = candidates->items[i];
        take_times(candidate, &table->rows[i]);
        candidate->verified = candidate->touched && !table->rows[i].fault[0];
        candidate->rounds = table->rows[i].touched_rounds;
    }
}
