/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Every operation timed on its own. The same script is run several times on a fresh instance; the
 * least time of each operation counts, since what disturbs it comes from outside.
 */
#include "loop.h"
#include "measures.h"
#include "spread.h"

#include <stdlib.h>
#include <string.h>

enum { REPLAYS = 5 };

void bench_measure_latency(const struct bench_child *child, struct bench_result *result)
{
    const struct bench_script *script = child->script;
    size_t ops = script->stop - script->warm;
    if (ops > child->limit)
        ops = child->limit;
    uint32_t *ticks = bench_pool_map(ops * sizeof *ticks, true);
    void *self = bench_instance(child, result);
    if (!ticks || !self)
        return;
    memset(ticks, 0xff, ops * sizeof *ticks);
    struct bench_run run = { script, child->bound.table, self, child->slots, script->warm,
        script->warm + ops, ticks };
    for (int replay = 0; replay < REPLAYS; replay++) {
        bench_run_ops(child, self, 0, script->warm);
        child->bound.loops->ticks(&run);
        bench_run_ops(child, self, script->warm + ops, script->count);
    }
    bench_spread_by_kind(script, ticks, ops, result->value);
}
