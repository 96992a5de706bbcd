/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/compare/scenarios.h"

#include <stdio.h>

#define SEED UINT64_C(20260101)

/* splitmix64 (Steele, Lea, Flood, 2014). */
static uint64_t next_random(struct scenario_run *run)
{
    uint64_t mixed = run->random += UINT64_C(0x9E3779B97F4A7C15);
    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94D049BB133111EB);
    return mixed ^ mixed >> 31;
}

uint32_t scenario_below(struct scenario_run *run, uint32_t bound)
{
    return (uint32_t)((next_random(run) >> 32) * bound >> 32);
}

bool scenario_once_in(struct scenario_run *run, uint32_t times)
{
    return scenario_below(run, times) == 0;
}

uint64_t scenario_size(struct scenario_run *run, uint32_t low, uint32_t high)
{
    uint64_t size = low;
    while (size < high && scenario_once_in(run, 2))
        size *= 2;
    size += scenario_below(run, (uint32_t)size);
    return size < high ? size : high;
}

static void write_event(struct scenario_run *run, enum acre_trace_status status)
{
    run->failed |= status != ACRE_TRACE_OK;
}

scenario_block scenario_take_aligned(struct scenario_run *run, uint64_t size, uint64_t align)
{
    scenario_block block = SCENARIO_NONE;
    enum acre_trace_call call = align ? ACRE_TRACE_MEMALIGN : ACRE_TRACE_MALLOC;
    if (!run->failed)
        write_event(run, acre_trace_write_alloc(run->writer, call, size, align, &block));
    return run->failed ? SCENARIO_NONE : block;
}

scenario_block scenario_take(struct scenario_run *run, uint64_t size)
{
    return scenario_take_aligned(run, size, 0);
}

void scenario_resize(struct scenario_run *run, scenario_block *block, uint64_t size)
{
    if (!run->failed && *block != SCENARIO_NONE)
        write_event(run, acre_trace_write_resize(run->writer, block, size));
}

void scenario_give(struct scenario_run *run, scenario_block *block)
{
    if (!run->failed && *block != SCENARIO_NONE)
        write_event(run, acre_trace_write_free(run->writer, *block));
    *block = SCENARIO_NONE;
}

void scenario_clear(scenario_block *blocks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        blocks[i] = SCENARIO_NONE;
}

void scenario_give_all(struct scenario_run *run, scenario_block *blocks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        scenario_give(run, &blocks[i]);
}

bool compare_scenario_write(const struct compare_scenario *scenario, const char *path)
{
    struct acre_trace_process process = { .pid = 0 };
    struct acre_trace_output *output = acre_trace_output_create(path, 1);
    if (!output)
        return false;
    struct scenario_run run = { acre_trace_output_writer(output), SEED, false };
    snprintf(process.name, sizeof process.name, "%s", scenario->name);
    write_event(&run, acre_trace_write_process(run.writer, &process));
    scenario->run(&run);
    if (!run.failed)
        write_event(&run, acre_trace_write_process_end(run.writer, 0, 0));
    return acre_trace_output_close(output) == ACRE_TRACE_OK && !run.failed;
}
