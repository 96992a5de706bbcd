/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * What a worker of the benchmark can be told to do, beside the tasks of every worker.
 */
#include "measures.h"

void bench_worker_do(void *argument)
{
    static void (*const measures[])(struct replay_worker * worker) = {
        [BENCH_TIME - REPLAY_TASKS] = bench_measure_time,
        [BENCH_LATENCY - REPLAY_TASKS] = bench_measure_latency,
        [BENCH_COUNT - REPLAY_TASKS] = bench_measure_count,
        [BENCH_CALLGRIND - REPLAY_TASKS] = bench_measure_callgrind,
        [BENCH_STEP - REPLAY_TASKS] = bench_measure_step,
        [BENCH_GAPS - REPLAY_TASKS] = bench_measure_gaps,
    };
    struct replay_worker *worker = argument;
    int task = (int)worker->results->task;
    if (task < REPLAY_TASKS)
        replay_worker_do(worker);
    else if (bench_worker_prepare(worker))
        measures[task - REPLAY_TASKS](worker);
}
