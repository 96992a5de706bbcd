/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Shows a measurement: as text for people, as JSON for programs.
 */
#ifndef ACRE_TOOL_REPLAY_REPORT_H
#define ACRE_TOOL_REPLAY_REPORT_H

#include "replay/measure.h"

#include <cjson/cJSON.h>
#include <stdio.h>

/** What the notes below the tables say; zeroed before the first table. */
struct replay_notes {
    size_t tables;
    size_t rounds;
    double loop_least, loop_most; /**< Nanoseconds of the replay loop. */
    bool timed, not_counted, not_verified, stepped, resident, fitted, interrupted, threads,
        threads_cut;
};

/** Prints what a script is: process, operations, peak, and problems of the recording. */
void replay_report_facts(FILE *out, const struct replay_facts *facts);

/** Prints what was replayed, the table and what went wrong, and adds to the notes. */
void replay_report_text(FILE *out, const struct replay_table *table, struct replay_notes *notes);

/** Prints what the figures of all tables mean. */
void replay_report_notes(FILE *out, const struct replay_notes *notes);

/** Adds what is known of a script to a JSON object. */
void replay_report_json_facts(cJSON *object, const struct replay_facts *facts);

/** A JSON object of one process of the trace; null when there is no memory. */
cJSON *replay_report_json(const struct replay_table *table);

#endif
