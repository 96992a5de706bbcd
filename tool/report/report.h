/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * A comparison as one page of HTML that needs nothing else: its text, style, programs and figures
 * are all inside.
 */
#ifndef ACRE_TOOL_REPORT_H
#define ACRE_TOOL_REPORT_H

#include "tool/compare/candidates.h"
#include "tool/map/track.h"

#include <stdio.h>

/**
 * The heap maps of the candidates with a pool, each in the pool that its survey was made in. One
 * that cannot be had, or that an interrupt came before, is left out.
 * @param candidates where the candidates come from.
 * @param path of the trace that the script was read from.
 * @return map_history_json() with an array "maps" of map_track_json(); null: no memory.
 */
cJSON *report_maps(const struct compare_candidates *candidates, const struct replay_script *script,
    const char *path, struct acre_progress *progress);

/**
 * Writes the page.
 * @param maps of report_maps(), which it takes; may be null.
 * @return false: there was no memory, or `out` failed.
 */
bool report_write(FILE *out, const struct compare_result *result, cJSON *maps);

#endif
