/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Instructions of the measured part: by the machine's counter, or by valgrind's. */
#include "measures.h"

#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_START_INSTRUMENTATION
#define CALLGRIND_STOP_INSTRUMENTATION
#endif

/* Up to `limit` operations of the measured part are counted. */
static size_t counted_end(const struct bench_child *child)
{
    const struct bench_script *script = child->script;
    size_t ops = script->stop - script->warm;
    return script->warm + (ops < child->limit ? ops : child->limit);
}

static int open_counter(void)
{
    struct perf_event_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.type = PERF_TYPE_HARDWARE;
    attr.size = sizeof attr;
    attr.config = PERF_COUNT_HW_INSTRUCTIONS;
    attr.disabled = 1;
    attr.exclude_kernel = 1;
    attr.exclude_hv = 1;
    return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

void bench_measure_count(const struct bench_child *child, struct bench_result *result)
{
    size_t from = child->script->warm, to = counted_end(child);
    uint64_t instructions = 0;
    int counter = open_counter();
    void *self = bench_instance(child, result);
    if (counter < 0) {
        result->outcome = BENCH_CANNOT;
        snprintf(result->text, sizeof result->text, "this machine counts no instructions");
        return;
    }
    if (!self)
        return;
    bench_run_ops(child, self, 0, from);
    ioctl(counter, PERF_EVENT_IOC_ENABLE, 0);
    bench_run_ops(child, self, from, to);
    ioctl(counter, PERF_EVENT_IOC_DISABLE, 0);
    if (read(counter, &instructions, sizeof instructions) != (ssize_t)sizeof instructions)
        result->outcome = BENCH_BROKEN;
    result->value[1] = (double)(to - from);
    result->value[0] = (double)instructions / result->value[1];
}

void bench_measure_callgrind(const struct bench_child *child, struct bench_result *result)
{
    size_t from = child->script->warm, to = counted_end(child);
    void *self = bench_instance(child, result);
    if (!self)
        return;
    bench_run_ops(child, self, 0, from);
    CALLGRIND_START_INSTRUMENTATION;
    bench_run_ops(child, self, from, to);
    CALLGRIND_STOP_INSTRUMENTATION;
    result->value[1] = (double)(to - from);
}
