/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "replay/counter.h"
#include "replay/json.h"
#include "tool/replay/report.h"

void replay_report_json_facts(cJSON *object, const struct replay_facts *facts)
{
    replay_json_count(object, "process", facts->process);
    cJSON_AddStringToObject(object, "name", facts->name);
    replay_json_count(object, "pid", facts->pid);
    cJSON_AddBoolToObject(object, "forked", facts->forked);
    replay_json_count(object, "threads", facts->threads);
    replay_json_count(object, "operations", facts->ops);
    replay_json_count(object, "operations_in_trace", facts->trace_ops);
    replay_json_count(object, "allocated", facts->allocs);
    replay_json_count(object, "freed", facts->deallocs);
    replay_json_count(object, "resized", facts->reallocs);
    replay_json_count(object, "inherited", facts->inherited);
    replay_json_count(object, "never_freed", facts->left_live);
    replay_json_count(object, "failed_when_recorded", facts->refused);
    replay_json_count(object, "unmatched", facts->unmatched);
    replay_json_count(object, "lost", facts->lost);
    replay_json_count(object, "peak_live_bytes", facts->peak_live);
    replay_json_count(object, "peak_live_blocks", facts->peak_blocks);
    replay_json_count(object, "largest_alignment", facts->max_align);
}

static void add_steps(cJSON *object, const struct replay_row *row)
{
    cJSON *steps = cJSON_AddObjectToObject(object, "operation_" ACRE_CLOCK_UNIT);
    replay_json_known(steps, "median", row->stepped, (double)row->median);
    replay_json_known(steps, "p99", row->stepped, (double)row->p99);
    replay_json_known(steps, "p99_9", row->stepped, (double)row->p999);
    replay_json_known(steps, "worst", row->stepped, (double)row->worst);
    replay_json_known(steps, "worst_operation", row->stepped, (double)row->worst_op);
}

static cJSON *row_json(const struct replay_row *row, uint64_t peak)
{
    cJSON *object = cJSON_CreateObject();
    double smallest = (double)row->smallest_pool;
    cJSON_AddStringToObject(object, "name", row->backend->name);
    cJSON_AddBoolToObject(object, "verified", row->verified && !row->fault[0]);
    if (row->fault[0])
        cJSON_AddStringToObject(object, "fault", row->fault);
    else
        cJSON_AddNullToObject(object, "fault");
    replay_json_known(object, "ns_per_operation", row->rounds > 0, row->ns_per_op);
    replay_json_known(object, "ns_per_operation_threads", row->thread_rounds > 0, row->ns_threads);
    replay_json_known(object, "threads_busy", row->thread_rounds > 0, row->parallel);
    cJSON_AddBoolToObject(object, "threads_cut", row->threads_cut);
    cJSON_AddBoolToObject(object, "verified_on_threads", row->threads_checked);
    replay_json_known(object, "instructions_per_operation", row->counted, row->instructions_per_op);
    add_steps(object, row);
    replay_json_known(object, "failed_operations", row->rounds > 0, (double)row->failed);
    replay_json_known(object, "pool_bytes", row->pool > 0, (double)row->pool);
    replay_json_known(object, "smallest_pool_bytes", row->smallest_pool > 0, smallest);
    replay_json_known(object, "smallest_pool_per_peak_live", row->smallest_pool > 0 && peak,
        peak ? smallest / (double)peak : 0.0);
    replay_json_known(object, "resident_growth_bytes", row->resident > 0, (double)row->resident);
    return object;
}

cJSON *replay_report_json(const struct replay_table *table)
{
    cJSON *object = cJSON_CreateObject();
    const struct replay_facts *facts = &table->script->facts;
    replay_report_json_facts(object, facts);
    replay_json_count(object, "threads_at_once", facts->sequences);
    replay_json_count(object, "crossing_operations", facts->crossings);
    replay_json_count(object, "replays", table->plan.rounds);
    replay_json_known(
        object, "loop_ns_per_operation", table->loop.rounds > 0, table->loop.ns_per_op);
    replay_json_known(object, "loop_instructions_per_operation", table->loop.counted,
        table->loop.instructions_per_op);
    cJSON *rows = cJSON_AddArrayToObject(object, "allocators");
    for (size_t i = 0; i < table->count; i++)
        cJSON_AddItemToArray(rows, row_json(&table->rows[i], facts->peak_live));
    return object;
}
