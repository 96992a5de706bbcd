/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "clock.h"
#include "measures.h"

#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>

/* Traps that the parent no longer waits for go by. */
static void pass(int signal)
{
    (void)signal;
}

void bench_measure_step(const struct bench_child *child, struct bench_result *result)
{
    const struct bench_script *script = child->script;
    if (!BENCH_CAN_STEP) {
        result->outcome = BENCH_CANNOT;
        snprintf(result->text, sizeof result->text, "stepping is not known for this processor");
        return;
    }
    size_t ops = script->stop - script->warm;
    void *self = bench_instance(child, result);
    if (!self)
        return;
    bench_run_ops(child, self, 0, script->warm);
    struct bench_run run = { script, child->bound.table, self, child->slots, script->warm,
        script->warm + (ops < child->limit ? ops : child->limit), NULL };
    signal(SIGTRAP, pass);
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) || raise(SIGSTOP)) {
        result->outcome = BENCH_CANNOT;
        snprintf(result->text, sizeof result->text, "processes may not be traced here");
        return;
    }
    child->bound.loops->traps(&run);
}
