/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Counts instructions under valgrind's callgrind, which repeats exactly on every machine. */
#ifndef BENCH_CALLGRIND_H
#define BENCH_CALLGRIND_H

#include <stdbool.h>

/* Whether `valgrind` is to be found, and this program was built with its headers. */
bool callgrind_is_there(void);

/* The sum that callgrind writes at the end of its file, which is removed; -1 if there is none, or
 * nothing was counted. */
double callgrind_read_totals(const char *path);

/* Runs this program anew under callgrind with `arguments`, as a shell reads them, and returns the
 * instructions between entry and end of the functions that `options` names
 * ("--toggle-collect=NAME ..."); -1 if valgrind did not count. */
double callgrind_count_self(const char *options, const char *arguments);

#endif
