/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include "bench.h"
#include "cli/options.h"

struct bench_options {
    bool json, smoke, list;
    uint64_t seed;
    size_t rounds; /* 0: as many as the kind of run has */
    const char *commit;
    struct acre_text_list workloads, allocators, plugins, traces, only;
};

enum acre_parsed bench_options_parse(struct bench_options *options, int argc, char **argv);

/* Whether a part of the run is wanted: all are when none was chosen with --only. */
bool bench_wanted(const struct bench_options *options, const char *part);

#endif
