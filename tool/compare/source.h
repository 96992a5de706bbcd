/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The trace to compare on, made by recording a command or by writing a synthetic workload.
 */
#ifndef ACRE_TOOL_COMPARE_SOURCE_H
#define ACRE_TOOL_COMPARE_SOURCE_H

#include "tool/compare/scenario.h"

/** A trace to make. */
struct compare_source {
    char **program;                          /**< The command to record, or null. */
    const struct compare_scenario *scenario; /**< To make up, or null. */
    const char *path; /**< Of the trace; null: of a file to be deleted in the end. */
    char made[64];    /**< That file; "": none. */
    double busy_ns;   /**< Processor time of the command, recording included; 0: not known. */
};

/**
 * Makes the trace and sets `path`. An interrupt typed meanwhile is for the command: what it has
 * allocated until then is in the trace.
 * @return an exit code, after a message when it is not 0.
 */
int compare_make_trace(struct compare_source *source);

/** Makes an empty file for a trace that is not kept and sets `path`. @return false after a
 * message. */
bool compare_name_trace(struct compare_source *source);

/** Records a command with times, for a process whose heap is not measured. @return an exit code. */
int compare_record_command(char **program, const char *path);

/** Processor time of the children that were waited for, in nanoseconds; 0: not known. */
double compare_children_ns(void);

#endif
