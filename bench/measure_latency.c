/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Every operation timed on its own. The same script runs several times on one instance; the least
 * time of each operation counts, since what disturbs it comes from outside.
 */
#include "measures.h"
#include "verbs.h"

#include <stdlib.h>
#include <string.h>

enum { REPLAYS = 5 };

void bench_measure_latency(struct replay_worker *worker)
{
    const struct replay_facts *facts = &worker->script->facts;
    struct replay_window measured =
        bench_window(worker, (size_t)facts->warm, bench_limited_end(worker));
    size_t size = (size_t)measured.count * sizeof(uint32_t);
    uint32_t *ticks = malloc(size + 1);
    struct replay_instance instance;
    if (!ticks || !bench_open(worker, &instance))
        return;
    memset(ticks, 0xff, size);
    for (int replay = 0; replay < REPLAYS; replay++) {
        struct replay_window before = bench_window(worker, 0, (size_t)facts->warm);
        struct replay_window after =
            bench_window(worker, bench_limited_end(worker), (size_t)facts->ops);
        instance.loops->plain(&before, &instance, worker->slots);
        instance.loops->ticks(&measured, &instance, worker->slots, ticks, 0);
        instance.loops->plain(&after, &instance, worker->slots);
    }
    bench_figures_by_verb(worker->script, ticks, (size_t)measured.count, worker->results->figures);
}
