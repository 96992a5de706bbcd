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
#define EXPLORE_IGNORED(name, parameters)                                                          \
    void __tsan_##name parameters;                                                                 \
    void __tsan_##name parameters                                                                  \
    {                                                                                              \
    }

#define EXPLORE_STORED(name, parameters)                                                           \
    void __tsan_##name parameters;                                                                 \
    void __tsan_##name parameters                                                                  \
    {                                                                                              \
        explore_store();                                                                           \
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

EXPLORE_IGNORED(init, (void))
EXPLORE_IGNORED(func_entry, (void *caller))
EXPLORE_IGNORED(func_exit, (void))
EXPLORE_IGNORED(read1, (void *at))
EXPLORE_IGNORED(read2, (void *at))
EXPLORE_IGNORED(read4, (void *at))
EXPLORE_IGNORED(read8, (void *at))
EXPLORE_IGNORED(read16, (void *at))
EXPLORE_IGNORED(read_range, (void *at, size_t size))
EXPLORE_STORED(write1, (void *at))
EXPLORE_STORED(write2, (void *at))
EXPLORE_STORED(write4, (void *at))
EXPLORE_STORED(write8, (void *at))
EXPLORE_STORED(write16, (void *at))
EXPLORE_STORED(write_range, (void *at, size_t size))
EXPLORE_ATOMIC(8)
EXPLORE_ATOMIC(16)
EXPLORE_ATOMIC(32)
EXPLORE_ATOMIC(64)
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */
