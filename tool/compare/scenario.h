/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Made-up programs to compare allocators on: each imitates one kind of software. They are
 * deterministic, the same on every machine; scenarios.h has what one of them is written with.
 */
#ifndef ACRE_TOOL_COMPARE_SCENARIO_H
#define ACRE_TOOL_COMPARE_SCENARIO_H

#include "trace/trace_file.h"

struct scenario_run;

struct compare_scenario {
    const char *name; /**< As --scenario takes it. */
    const char *text; /**< What it imitates, in one line. */
    void (*run)(struct scenario_run *run);
};

/** Ends with a null name. */
extern const struct compare_scenario compare_scenarios[];

/** The one of that name, or null. */
const struct compare_scenario *compare_scenario_find(const char *name);

/** Writes the trace of a scenario to the file `path`. @return false with errno set. */
bool compare_scenario_write(const struct compare_scenario *scenario, const char *path);

#endif
