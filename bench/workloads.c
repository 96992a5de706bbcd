/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "workloads.h"
#include "builder.h"

const struct bench_workload bench_workloads[] = {
    { "churn", "10,000 slots toggled at random, sizes log-uniform 16..4096 B", bench_build_churn, 0,
        NULL },
    { "lifo", "10,000 blocks of 64 B, last in first out", bench_build_lifo, 64, NULL },
    { "fifo", "a ring of 10,000 blocks of 64 B, the oldest replaced", bench_build_fifo, 64, NULL },
    { "random", "10,000 slots of 64 B toggled at random", bench_build_random, 64, NULL },
    { "bulk-512", "25,000 blocks of 512 B, freed in random order", bench_build_bulk, 512, NULL },
    { "bulk-4160", "7,500 blocks of 4,160 B, freed in random order", bench_build_bulk, 4160, NULL },
    { "grow", "arrays grown by half, by resizing, to 3 M integers", bench_build_grow, 3000000,
        NULL },
    { "map", "an ordered map of 50,000 small keys filled, churned, cleared", bench_build_map, 50000,
        NULL },
    { "large", "500 slots toggled at random, sizes log-uniform 4 KiB..1 MiB", bench_build_large, 0,
        NULL },
    { "aligned", "2,000 slots, sizes 16..4096 B, each aligned to 16..4096 B", bench_build_aligned,
        0, NULL },
    { NULL, NULL, NULL, 0, NULL },
};

const struct bench_workload bench_workload_fragmented = { "fragmented",
    "a fragmented heap of 40 MiB, then toggles of 16 B..16 KiB", bench_build_fragmented,
    (size_t)40 << 20, NULL };

const struct bench_workload bench_workload_scale = { "scale",
    "toggles over a given number of live blocks, sizes log-uniform 16..256 B", bench_build_scale, 0,
    NULL };

bool bench_workload_build(struct replay_script *script, const struct bench_workload *workload,
    uint64_t seed, unsigned scale)
{
    struct bench_builder builder;
    bench_builder_open(&builder, script);
    if (builder.failed)
        return false;
    if (workload->path)
        builder.failed = !bench_build_trace(&builder, workload->path, scale) || builder.failed;
    else
        workload->build(&builder, seed, scale, workload->param);
    return bench_builder_close(&builder);
}
