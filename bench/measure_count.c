/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Instructions of the measured part: by the machine's counter, or by valgrind's. */
#include "measures.h"
#include "replay/counter.h"

#include <stdio.h>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_START_INSTRUMENTATION
#define CALLGRIND_STOP_INSTRUMENTATION
#endif

void bench_measure_count(struct replay_worker *worker)
{
    size_t from = (size_t)worker->script->facts.warm, to = bench_limited_end(worker);
    uint64_t before = 0, after = 0;
    int counter = replay_counter_open();
    struct replay_instance instance;
    if (counter < 0) {
        bench_cannot(worker, "this machine counts no instructions");
        return;
    }
    if (!bench_open(worker, &instance))
        return;
    bench_run_ops(worker, &instance, 0, from);
    bool counted = replay_counter_read(counter, &before);
    bench_run_ops(worker, &instance, from, to);
    if (!replay_counter_read(counter, &after) || !counted)
        snprintf(worker->results->fault, REPLAY_FAULT_ROOM, "the counter gives nothing");
    worker->results->figures[1] = (double)(to - from);
    worker->results->figures[0] = (double)(after - before) / (double)(to - from);
}

void bench_measure_callgrind(struct replay_worker *worker)
{
    size_t from = (size_t)worker->script->facts.warm, to = bench_limited_end(worker);
    struct replay_instance instance;
    if (!bench_open(worker, &instance))
        return;
    bench_run_ops(worker, &instance, 0, from);
    CALLGRIND_START_INSTRUMENTATION;
    bench_run_ops(worker, &instance, from, to);
    CALLGRIND_STOP_INSTRUMENTATION;
    worker->results->figures[1] = (double)(to - from);
}
