/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The workloads. A new one is a build function and a line in workloads.c. */
#ifndef BENCH_WORKLOADS_H
#define BENCH_WORKLOADS_H

#include "bench.h"

/* The fixed list, ended by a null name. The first is the one most targets are set for. */
extern const struct bench_workload bench_workloads[];

/* A fragmented heap, then toggles: where the worst single operation is looked for. */
extern const struct bench_workload bench_workload_fragmented;

/* Toggles over `param` live blocks, for the table of scaling. */
extern const struct bench_workload bench_workload_scale;

/* Computes a workload's script, ready to be measured. False: it could not be; the script is
 * closed. */
bool bench_workload_build(struct replay_script *script, const struct bench_workload *workload,
    uint64_t seed, unsigned scale);

/* workload_trace.c; false: it cannot be read, and a sentence about it went to stderr. */
bool bench_check_trace(const char *path);
bool bench_build_trace(struct bench_builder *builder, const char *path, unsigned scale);

/* workloads_fixed.c: blocks of one size */
void bench_build_lifo(struct bench_builder *builder, uint64_t seed, unsigned scale, size_t param);
void bench_build_fifo(struct bench_builder *builder, uint64_t seed, unsigned scale, size_t param);
void bench_build_random(struct bench_builder *builder, uint64_t seed, unsigned scale, size_t param);
void bench_build_bulk(struct bench_builder *builder, uint64_t seed, unsigned scale, size_t param);

/* workloads_mixed.c: blocks of many sizes */
void bench_build_churn(struct bench_builder *builder, uint64_t seed, unsigned scale, size_t param);
void bench_build_large(struct bench_builder *builder, uint64_t seed, unsigned scale, size_t param);
void bench_build_aligned(
    struct bench_builder *builder, uint64_t seed, unsigned scale, size_t param);
void bench_build_fragmented(
    struct bench_builder *builder, uint64_t seed, unsigned scale, size_t param);
void bench_build_scale(struct bench_builder *builder, uint64_t seed, unsigned scale, size_t param);

/* workloads_data.c: what data structures ask for */
void bench_build_grow(struct bench_builder *builder, uint64_t seed, unsigned scale, size_t param);
void bench_build_map(struct bench_builder *builder, uint64_t seed, unsigned scale, size_t param);

#endif
