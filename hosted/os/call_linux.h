/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * A system call of Linux that leaves errno alone and calls no function, so that nothing which a
 * program replaces stands in between.
 */
#ifndef ACRE_HOSTED_OS_CALL_LINUX_H
#define ACRE_HOSTED_OS_CALL_LINUX_H

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

/** Returns what the kernel returns: from -4095 to -1 an error number, negated. */
#if defined(__x86_64__) && defined(__LP64__)
static inline long os_call(long number, long a, long b, long c, long d, long e, long f)
{
    long result;
    register long fourth __asm__("r10") = d;
    register long fifth __asm__("r8") = e;
    register long sixth __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth), "r"(sixth)
                     : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
static inline long os_call(long number, long a, long b, long c, long d, long e, long f)
{
    register long call __asm__("x8") = number;
    register long first __asm__("x0") = a;
    register long second __asm__("x1") = b;
    register long third __asm__("x2") = c;
    register long fourth __asm__("x3") = d;
    register long fifth __asm__("x4") = e;
    register long sixth __asm__("x5") = f;
    __asm__ volatile("svc 0"
                     : "+r"(first)
                     : "r"(call), "r"(second), "r"(third), "r"(fourth), "r"(fifth), "r"(sixth)
                     : "memory");
    return first;
}
#else
static inline long os_call(long number, long a, long b, long c, long d, long e, long f)
{
    int saved = errno;
    long result = syscall(number, a, b, c, d, e, f);
    if (result == -1)
        result = -errno;
    errno = saved;
    return result;
}
#endif

#endif
