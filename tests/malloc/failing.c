/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Preloaded before the drop-in malloc: replaces syscall(2), through which that asks for memory, by
 * one that can be told to refuse the k-th request.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

void failing_arm(int k);
int failing_fired(void);

static int left;
static int fired;

/* From now on the k-th request is refused; 0: none. */
void failing_arm(int k)
{
    left = k;
    fired = 0;
}

/* Whether one was refused since. */
int failing_fired(void)
{
    return fired;
}

static int refuses(long number)
{
    int asks = number == SYS_mmap || number == SYS_mprotect || number == SYS_munmap ||
               number == SYS_madvise;
    if (!asks || left == 0 || --left != 0)
        return 0;
    fired = 1;
    return 1;
}

__attribute__((constructor)) static void start(void)
{
    const char *at = getenv("FAIL_AT");
    if (at != NULL)
        failing_arm((int)strtol(at, NULL, 10));
}

long syscall(long sysno, ...)
{
    static long (*real)(long, ...);
    long a[6];
    va_list list;
    va_start(list, sysno);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(list, long);
    va_end(list);
    if (refuses(sysno)) {
        errno = ENOMEM;
        return -1;
    }
    if (real == NULL)
        real = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
    return real(sysno, a[0], a[1], a[2], a[3], a[4], a[5]);
}
