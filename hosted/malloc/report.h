/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The accounts on one line, for malloc_stats() and ACRE_STATS.
 */
#ifndef ACRE_HOSTED_MALLOC_REPORT_H
#define ACRE_HOSTED_MALLOC_REPORT_H

/** Writes the line to a file descriptor. Takes the lock. */
void acre_report_write(int fd);

/** Keeps standard error for the report at exit, as many a program closes it before. */
void acre_report_prepare(void);

/** Writes the report at exit, if ACRE_STATS asks for it. */
void acre_report_at_exit(void);

#endif
