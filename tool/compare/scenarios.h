/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * What scenarios are written with: blocks that are taken and given, and numbers that look random.
 * A failure to write is remembered, and everything after it does nothing.
 */
#ifndef ACRE_TOOL_COMPARE_SCENARIOS_H
#define ACRE_TOOL_COMPARE_SCENARIOS_H

#include "tool/compare/scenario.h"

struct scenario_run {
    struct acre_trace_writer *writer;
    uint64_t random;
    bool failed;
};

/** A live block; SCENARIO_NONE is none. */
typedef uint64_t scenario_block;
#define SCENARIO_NONE UINT64_MAX

/** The next number below `bound`, which is at least 1. */
uint32_t scenario_below(struct scenario_run *run, uint32_t bound);

/** True once in `times`. */
bool scenario_once_in(struct scenario_run *run, uint32_t times);

/** A size from `low` to `high`, small ones as often as all those twice, four times ... as large. */
uint64_t scenario_size(struct scenario_run *run, uint32_t low, uint32_t high);

scenario_block scenario_take(struct scenario_run *run, uint64_t size);
scenario_block scenario_take_aligned(struct scenario_run *run, uint64_t size, uint64_t align);
void scenario_resize(struct scenario_run *run, scenario_block *block, uint64_t size);

/** Frees the block, if there is one, and leaves SCENARIO_NONE. */
void scenario_give(struct scenario_run *run, scenario_block *block);

/** Blocks of which none is live yet. */
void scenario_clear(scenario_block *blocks, size_t count);

/** Frees all those that are live, in order. */
void scenario_give_all(struct scenario_run *run, scenario_block *blocks, size_t count);

/* One function each. */
void scenario_kernel(struct scenario_run *run);
void scenario_game_frame(struct scenario_run *run);
void scenario_database(struct scenario_run *run);
void scenario_packet_buffers(struct scenario_run *run);
void scenario_json(struct scenario_run *run);
void scenario_fragmenter(struct scenario_run *run);

#endif
