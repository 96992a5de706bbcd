/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include "bench.h"

enum { BENCH_LIST_MAX = 48 };

struct bench_list {
    const char *item[BENCH_LIST_MAX];
    size_t count;
};

struct bench_options {
    bool json, smoke, list;
    uint64_t seed;
    unsigned rounds; /* 0: as many as the kind of run has */
    const char *commit;
    struct bench_list workloads, allocators, plugins, traces, only;
};

enum bench_parsed { BENCH_PARSED, BENCH_PARSED_HELP, BENCH_PARSED_WRONG };

/* Explains itself on stdout (help) or stderr (wrong). */
enum bench_parsed bench_options_parse(struct bench_options *options, int argc, char **argv);

bool bench_list_has(const struct bench_list *list, const char *item);

/* Whether a part of the run is wanted: all are when none was chosen with --only. */
bool bench_wanted(const struct bench_options *options, const char *part);

#endif
