/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "replay/json.h"
#include "tool/compare/print.h"
#include "tool/compare/verdict.h"
#include "tool/replay/report.h"

static void add_text(cJSON *object, const char *name, const char *text)
{
    if (text[0])
        cJSON_AddStringToObject(object, name, text);
    else
        cJSON_AddNullToObject(object, name);
}

static const char *origin_text(enum compare_origin origin)
{
    static const char *const texts[] = { "built-in", "system", "tuned", "preload", "plugin" };
    return texts[origin];
}

static void add_memory(cJSON *object, const struct compare_candidate *candidate)
{
    bool pool = candidate->smallest_pool > 0;
    double size = (double)candidate->smallest_pool;
    replay_json_known(object, "smallest_pool_bytes", pool, size);
    replay_json_known(
        object, "resident_growth_bytes", candidate->resident > 0, (double)candidate->resident);
    uint64_t memory = compare_program_memory(candidate);
    replay_json_known(object, "program_memory_bytes", memory > 0, (double)memory);
    replay_json_known(object, "memory_per_peak_live",
        candidate->memory > 0 && candidate->per_peak > 0.0, candidate->per_peak);
    replay_json_known(
        object, "metadata_bytes", candidate->metadata > 0, (double)candidate->metadata);
    replay_json_known(
        object, "internal_fragmentation", candidate->knows_internal, candidate->internal);
    replay_json_known(
        object, "external_fragmentation", candidate->knows_external, candidate->external);
    replay_json_known(object, "gaps_at_peak", candidate->knows_external, candidate->gaps_at_peak);
    replay_json_known(object, "failed_operations", candidate->verified, (double)candidate->failed);
}

static void add_candidate_steps(
    cJSON *object, const struct compare_result *result, const struct compare_candidate *candidate)
{
    bool known = candidate->stepped;
    cJSON *steps = cJSON_AddObjectToObject(object, "operation");
    cJSON_AddStringToObject(steps, "unit", result->ticks);
    replay_json_known(steps, "median", known, (double)candidate->median);
    replay_json_known(steps, "p99", known, (double)candidate->p99);
    replay_json_known(steps, "p99_9", known, (double)candidate->p999);
    replay_json_known(steps, "worst", known, (double)candidate->worst);
    replay_json_known(steps, "worst_operation", known, (double)candidate->worst_op);
}

static void add_times(
    cJSON *object, const struct compare_result *result, const struct compare_candidate *candidate)
{
    bool timed = candidate->rounds > 0;
    replay_json_known(object, "pool_bytes", candidate->pool > 0, (double)candidate->pool);
    replay_json_known(object, "ns_per_operation", timed, candidate->ns);
    replay_json_known(object, "ns_per_operation_least", timed, candidate->ns_least);
    replay_json_known(object, "ns_per_operation_most", timed, candidate->ns_most);
    replay_json_known(
        object, "ns_per_operation_touched", candidate->touched, candidate->ns_touched);
    replay_json_known(
        object, "ns_per_operation_touched_least", candidate->touched, candidate->touched_least);
    replay_json_known(
        object, "ns_per_operation_threads", candidate->threaded, candidate->ns_threads);
    replay_json_known(object, "threads_busy", candidate->threaded, candidate->parallel);
    cJSON_AddBoolToObject(object, "threads_cut", candidate->threads_cut);
    replay_json_known(object, "ns_per_visit", candidate->visit_ns > 0.0, candidate->visit_ns);
    replay_json_known(object, "ns_to_start", candidate->start_ns > 0.0, candidate->start_ns);
    double seconds = 0.0;
    bool predicted = compare_predict(result, candidate, &seconds);
    replay_json_known(object, "predicted_change_seconds", predicted, seconds);
    double bounds[2] = { 0.0, 0.0 };
    predicted =
        compare_predict_bounds(result, candidate, (double)result->facts.duration_ns / 1e9, bounds);
    replay_json_known(object, "predicted_change_seconds_low", predicted, bounds[0]);
    replay_json_known(object, "predicted_change_seconds_high", predicted, bounds[1]);
    cJSON_AddBoolToObject(object, "waits_for_lock", compare_waits_for_lock(result, candidate));
    replay_json_known(
        object, "instructions_per_operation", candidate->counted, candidate->instructions);
    add_candidate_steps(object, result, candidate);
}

/* Columns of equal length, for they are long. */
static void add_samples(cJSON *object, const struct compare_candidate *candidate)
{
    const struct replay_survey *survey = &candidate->survey;
    cJSON *over = cJSON_AddObjectToObject(object, "over_time");
    cJSON *used = cJSON_AddArrayToObject(over, "used");
    cJSON *free_bytes = cJSON_AddArrayToObject(over, "available");
    cJSON *largest = cJSON_AddArrayToObject(over, "largest_free");
    cJSON *resident = cJSON_AddArrayToObject(over, "resident");
    for (size_t i = 0; i < survey->count; i++) {
        const struct replay_sample *sample = &survey->samples[i];
        if (survey->knows_used)
            cJSON_AddItemToArray(used, cJSON_CreateNumber((double)sample->used));
        if (survey->knows_pool)
            cJSON_AddItemToArray(free_bytes, cJSON_CreateNumber((double)sample->available));
        if (survey->knows_pool)
            cJSON_AddItemToArray(largest, cJSON_CreateNumber((double)sample->largest_free));
        if (!candidate->has_pool)
            cJSON_AddItemToArray(resident, cJSON_CreateNumber((double)sample->resident));
    }
}

/* Pairs of a bucket's least number and its count, the empty ones left out. */
static void add_spread(cJSON *object, const char *name, const uint64_t spread[REPLAY_BUCKETS])
{
    cJSON *array = cJSON_AddArrayToObject(object, name);
    for (unsigned i = 0; i < REPLAY_BUCKETS; i++) {
        if (!spread[i])
            continue;
        uint64_t start = replay_bucket_start(i);
        double pair[2] = { (double)start, (double)spread[i] };
        cJSON_AddItemToArray(array, cJSON_CreateDoubleArray(pair, 2));
    }
}

static cJSON *candidate_json(
    const struct compare_result *result, const struct compare_candidate *candidate)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "name", candidate->name);
    cJSON_AddStringToObject(object, "allocator", candidate->allocator);
    cJSON_AddStringToObject(object, "origin", origin_text(candidate->origin));
    add_text(object, "setting", candidate->setting);
    add_text(object, "version", candidate->version);
    cJSON_AddBoolToObject(object, "verified", candidate->verified);
    add_text(object, "fault", candidate->fault);
    add_memory(object, candidate);
    add_times(object, result, candidate);
    add_samples(object, candidate);
    add_spread(object, "operation_spread", candidate->survey.spread);
    return object;
}

static void add_profile(cJSON *root, const struct compare_profile *profile)
{
    cJSON *object = cJSON_AddObjectToObject(root, "profile");
    add_spread(object, "sizes", profile->sizes);
    add_spread(object, "bytes_by_size", profile->size_bytes);
    add_spread(object, "lifetimes", profile->lifetimes);
    cJSON *ops = cJSON_AddArrayToObject(object, "operation");
    cJSON *live = cJSON_AddArrayToObject(object, "live_bytes");
    cJSON *blocks = cJSON_AddArrayToObject(object, "live_blocks");
    for (size_t i = 0; i < profile->count; i++) {
        cJSON_AddItemToArray(ops, cJSON_CreateNumber((double)profile->samples[i].op));
        cJSON_AddItemToArray(live, cJSON_CreateNumber((double)profile->samples[i].live));
        cJSON_AddItemToArray(blocks, cJSON_CreateNumber((double)profile->samples[i].blocks));
    }
}

static void add_advice(cJSON *root, const struct compare_result *result)
{
    cJSON *array = cJSON_AddObjectToObject(root, "recommendations");
    for (int i = 0; i < COMPARE_GOALS; i++) {
        const struct compare_advice *advice = &result->advice[i];
        cJSON *object = cJSON_AddObjectToObject(array, compare_goal_name((enum compare_goal)i));
        add_text(object, "allocator",
            advice->candidate < 0 ? "" : result->candidates[advice->candidate].name);
        add_text(object, "next",
            advice->runner_up < 0 ? "" : result->candidates[advice->runner_up].name);
        add_text(object, "built_in", advice->own < 0 ? "" : result->candidates[advice->own].name);
        cJSON_AddBoolToObject(object, "close_run", advice->close_run);
        add_text(object, "reason", advice->reason);
        add_text(object, "changes", advice->changes);
    }
}

static void add_ties(cJSON *root, const struct compare_result *result)
{
    size_t ties[COMPARE_MOST_CANDIDATES];
    size_t count = compare_find_ties(result, ties);
    cJSON *array = cJSON_AddArrayToObject(root, "ties");
    for (size_t i = 1; i < count; i++)
        cJSON_AddItemToArray(array, cJSON_CreateString(result->candidates[ties[i]].name));
}

cJSON *compare_json(const struct compare_result *result)
{
    char verdict[COMPARE_REASON_ROOM];
    double seconds = 0.0;
    bool known = false;
    int advised = compare_advised(result);
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "acre", ACRE_VERSION);
    cJSON_AddStringToObject(root, "source", result->source);
    cJSON_AddBoolToObject(root, "interrupted", result->interrupted);
    replay_report_json_facts(root, &result->facts);
    replay_json_count(root, "never_freed_bytes", result->facts.left_bytes);
    replay_json_known(root, "recorded_seconds", result->facts.duration_ns > 0,
        (double)result->facts.duration_ns / 1e9);
    known = compare_malloc_seconds(result, &seconds);
    replay_json_known(root, "malloc_seconds", known, seconds);
    int today = compare_today(result);
    add_text(root, "today", today < 0 ? "" : result->candidates[today].name);
    compare_verdict(result, verdict);
    replay_json_known(root, "run_pool_bytes", result->run_pool > 0, (double)result->run_pool);
    cJSON_AddStringToObject(root, "verdict", verdict);
    add_text(root, "advised", advised < 0 ? "" : result->candidates[advised].name);
    add_ties(root, result);
    replay_json_count(root, "replays", result->rounds);
    replay_json_known(root, "loop_ns_per_operation", result->loop_ns > 0.0, result->loop_ns);
    cJSON_AddBoolToObject(root, "on_threads", result->on_threads);
    replay_json_count(root, "threads_at_once", result->facts.sequences);
    replay_json_count(root, "crossing_operations", result->facts.crossings);
    replay_json_known(root, "work_between_calls_ns", result->on_threads, result->think_ns);
    add_text(root, "instructions_unknown", result->uncounted ? result->uncounted : "");
    cJSON *rows = cJSON_AddArrayToObject(root, "allocators");
    for (size_t i = 0; i < result->count; i++)
        cJSON_AddItemToArray(rows, candidate_json(result, &result->candidates[i]));
    add_advice(root, result);
    compare_add_verification(root, result);
    add_profile(root, &result->profile);
    return root;
}
