/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Shows a measurement: as text for people, as JSON for programs.
 */
#ifndef ACRE_TOOL_REPLAY_REPORT_H
#define ACRE_TOOL_REPLAY_REPORT_H

#include "tool/replay/measure.h"

#include <cjson/cJSON.h>
#include <stdio.h>

/** Prints what was replayed, the table, and notes that say what the figures mean. */
void replay_report_text(FILE *out, const struct replay_table *table);

/** A JSON object of one process of the trace; null when there is no memory. */
cJSON *replay_report_json(const struct replay_table *table);

#endif
