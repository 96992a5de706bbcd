/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The benchmark of the two-level heap on fragmented pages, with plugins that take the free runs as
 * regions beside it: the work that is counted and timed. */
#ifndef BENCH_HEAP_HEAP_BENCH_H
#define BENCH_HEAP_HEAP_BENCH_H

#include <acre/plugin.h>
#include <stdbool.h>
#include <stddef.h>

/* What callgrind counts, under any names that the compiler derives from these: calls of a churn,
 * calls that are refused. */
#define HEAP_COUNTED_CHURN                                                                         \
    "--toggle-collect='bench_heap_alloc*' --toggle-collect='bench_heap_dealloc*' "                 \
    "--toggle-collect='bench_heap_plugin_alloc*' --toggle-collect='bench_heap_plugin_dealloc*'"
#define HEAP_COUNTED_REFUSED "--toggle-collect='bench_heap_refused*'"

/* A heap whose pages are half free, in runs of `run` pages; 0: in one run. */
struct heap_case {
    const char *name;                 /* of the backend */
    const struct acre_plugin *plugin; /* null: built in */
    size_t run;                       /* pages */
    size_t size;                      /* bytes */
};

struct heap_times {
    double churn;   /* ns, a toggle of the churn */
    double refused; /* ns, the longest of the calls that were refused */
    size_t chunks;  /* regions that the byte allocator or the plugin has */
};

/* Blocks of 200 bytes fill the heap, `refused` more requests are refused, half of the blocks are
 * freed at random, then blocks drawn at random are freed or allocated `toggles` times. False: a
 * call went wrong. */
bool heap_churn(
    const struct heap_case *which, size_t refused, size_t toggles, struct heap_times *times);

#endif
