/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The one question to the system that is asked on every call, and therefore inline.
 */
#ifndef ACRE_HOSTED_OS_THREADS_H
#define ACRE_HOSTED_OS_THREADS_H

#include <stdbool.h>

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

#endif
