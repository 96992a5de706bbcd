/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "measures.h"

#include <signal.h>
#include <sys/ptrace.h>

#if defined(__x86_64__)
#define CAN_STEP true
#else
#define CAN_STEP false
#endif

/* Traps that the parent no longer waits for go by. */
static void pass_trap(int signal)
{
    (void)signal;
}

void bench_measure_step(struct replay_worker *worker)
{
    size_t warm = (size_t)worker->script->facts.warm;
    struct replay_instance instance;
    struct replay_window window = bench_window(worker, 0, warm);
    if (!CAN_STEP) {
        bench_cannot(worker, "stepping is not known for this processor");
        return;
    }
    if (!bench_open(worker, &instance))
        return;
    instance.loops->plain(&window, &instance, worker->slots);
    signal(SIGTRAP, pass_trap);
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) || raise(SIGSTOP)) {
        bench_cannot(worker, "processes may not be traced here");
        return;
    }
    window = bench_window(worker, warm, bench_limited_end(worker));
    instance.loops->trapping(&window, &instance, worker->slots);
}
