/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The region benchmark: what is measured, and the work that is counted. */
#ifndef BENCH_REGIONS_REGIONS_H
#define BENCH_REGIONS_REGIONS_H

#include <acre/plugin.h>
#include <stdbool.h>

/* What callgrind counts, under any names that the compiler derives from these: a call and the
 * function around it. */
#define REGIONS_COUNTED                                                                            \
    "--toggle-collect='bench_regions_alloc*' --toggle-collect='bench_regions_dealloc*' "           \
    "--toggle-collect='bench_regions_plugin_alloc*' "                                              \
    "--toggle-collect='bench_regions_plugin_dealloc*'"

/* A built-in backend by its name, or a plugin. */
struct regions_subject {
    const char *name;
    const char *path;                 /* of the plugin; null: built in */
    const struct acre_plugin *plugin; /* null: built in */
};

/* Loads the plugin at `path`; false, with a sentence on the standard error stream, when it cannot
 * be used. */
bool regions_load(struct regions_subject *subject, const char *path);

/* Blocks of 64 to 512 bytes fill so many separate regions, half of them are freed at random, then
 * blocks drawn at random are freed or allocated `toggles` times. False: a call went wrong. */
bool regions_toggle(const struct regions_subject *subject, size_t regions, size_t toggles);

#endif
