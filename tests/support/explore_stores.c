/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Puts a point at which the scheduler of explore_threads.c may switch in front of every store as
 * well, in cases that ask for it: a fork copies memory between any two of them. The sources are
 * compiled with the instrumentation of ThreadSanitizer, whose runtime these functions stand in for.
 */
#include "support/explore_threads.h"

#include <stdint.h>

/* The names are given by the compiler. */
/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming) */
#define EXPLORE_CALLED(name, parameters, action)                                                   \
    void __tsan_##name parameters;                                                                 \
    void __tsan_##name parameters                                                                  \
    {                                                                                              \
        action;                                                                                    \
    }

#define EXPLORE_ATOMIC(bits)                                                                       \
    uint##bits##_t __tsan_atomic##bits##_load(const uint##bits##_t *at, int order);                \
    uint##bits##_t __tsan_atomic##bits##_load(const uint##bits##_t *at, int order)                 \
    {                                                                                              \
        (void)order;                                                                               \
        return *at;                                                                                \
    }                                                                                              \
    void __tsan_atomic##bits##_store(uint##bits##_t *at, uint##bits##_t value, int order);         \
    void __tsan_atomic##bits##_store(uint##bits##_t *at, uint##bits##_t value, int order)          \
    {                                                                                              \
        (void)order;                                                                               \
        *at = value;                                                                               \
    }

EXPLORE_CALLED(init, (void), (void)0)
EXPLORE_CALLED(func_entry, (void *caller), (void)0)
EXPLORE_CALLED(func_exit, (void), (void)0)
EXPLORE_CALLED(read1, (void *at), (void)0)
EXPLORE_CALLED(read2, (void *at), (void)0)
EXPLORE_CALLED(read4, (void *at), (void)0)
EXPLORE_CALLED(read8, (void *at), (void)0)
EXPLORE_CALLED(read16, (void *at), (void)0)
EXPLORE_CALLED(read_range, (void *at, size_t size), (void)0)
EXPLORE_CALLED(write1, (void *at), explore_store())
EXPLORE_CALLED(write2, (void *at), explore_store())
EXPLORE_CALLED(write4, (void *at), explore_store())
EXPLORE_CALLED(write8, (void *at), explore_store())
EXPLORE_CALLED(write16, (void *at), explore_store())
EXPLORE_CALLED(write_range, (void *at, size_t size), explore_store())
EXPLORE_ATOMIC(8)
EXPLORE_ATOMIC(16)
EXPLORE_ATOMIC(32)
EXPLORE_ATOMIC(64)
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */
