/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * What is asked of the system, or depends on it, on every call, and is therefore inline.
 */
#ifndef ACRE_HOSTED_OS_THREADS_H
#define ACRE_HOSTED_OS_THREADS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#if defined(__has_include)
#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#define ACRE_OS_SINGLE_THREADED __libc_single_threaded
#endif
#endif
#ifndef ACRE_OS_SINGLE_THREADED
#define ACRE_OS_SINGLE_THREADED false
#endif

/**
 * Whether this process surely has one thread only. False when that is not known. A thread that is
 * created sees everything written before, so a lock may be left out while this is true.
 */
static inline bool acre_os_single_threaded(void)
{
    return ACRE_OS_SINGLE_THREADED;
}

/**
 * Adds 1 to a number that other threads change too, if there are others; returns what it was
 * before. A process with one thread does without the locked instruction, which takes many times as
 * long as one that is not. That is still one instruction: a signal handler that adds too gets
 * another number.
 */
static inline uint64_t acre_os_take_number(_Atomic uint64_t *number)
{
#if defined(__x86_64__)
    if (acre_os_single_threaded()) {
        uint64_t taken = 1;

        __asm__ volatile("xaddq %0, %1" : "+r"(taken), "+m"(*number));
        return taken;
    }
#endif
    return atomic_fetch_add_explicit(number, 1, memory_order_relaxed);
}

#endif
