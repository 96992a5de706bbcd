/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * What the recorder keeps per thread.
 */
#ifndef ACRE_RECORD_RECORD_THREAD_H
#define ACRE_RECORD_RECORD_THREAD_H

#include <stdbool.h>
#include <stdint.h>

#define RECORD_LIKELY(x) __builtin_expect(!!(x), 1)
#define RECORD_COLD __attribute__((noinline, cold))

struct record_self {
    uint32_t thread; /* 1, 2, ...; 0: none yet in this process */
    bool finding;    /* record_find_real() is at work in this thread */
    bool busy;       /* a slow path holds the lock: calls made meanwhile are not recorded */
    bool has_fork;
    uint32_t fork_ring;
    uint64_t fork_order;
};

extern __thread struct record_self record_self __attribute__((tls_model("initial-exec")));

#endif
