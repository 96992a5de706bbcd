/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Linux. The kernel is called through syscall(2), never through mmap() and its like: programs
 * replace those by functions of their own, and some of these call malloc.
 */
#include "os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef SYS_mmap2
#define SYSTEM_MMAP SYS_mmap2
#else
#define SYSTEM_MMAP SYS_mmap
#endif

/* What a system call returned, as 0 or an error number; errno is put back to `saved`. */
static int result_of(long result, int saved)
{
    int error = result == -1 ? errno : 0;
    errno = saved;
    return error;
}

size_t acre_os_page_size(void)
{
    return (size_t)getauxval(AT_PAGESZ);
}

int acre_os_reserve(void *hint, size_t size, void **start)
{
    int saved = errno;
    long address = syscall(
        SYSTEM_MMAP, hint, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, (unsigned long)0);
    int error = result_of(address, saved);
    if (error == 0)
        *start = (void *)(uintptr_t)address;
    return error == 0 ? 0 : ENOMEM;
}

int acre_os_commit(void *start, size_t size)
{
    int saved = errno;
    int error = result_of(syscall(SYS_mprotect, start, size, PROT_READ | PROT_WRITE), saved);
    return error == 0 ? 0 : ENOMEM;
}

int acre_os_decommit(void *start, size_t size)
{
    int error = acre_os_discard(start, size);
    int saved = errno;
    if (error == 0)
        error = result_of(syscall(SYS_mprotect, start, size, PROT_NONE), saved);
    return error;
}

int acre_os_discard(void *start, size_t size)
{
    int saved = errno;
    return result_of(syscall(SYS_madvise, start, size, MADV_DONTNEED), saved);
}

int acre_os_release(void *start, size_t size)
{
    int saved = errno;
    return result_of(syscall(SYS_munmap, start, size), saved);
}

bool acre_os_addresses_are_scarce(void)
{
    int saved = errno;
    struct {
        uint64_t current, maximum;
    } limit;
    int error = result_of(syscall(SYS_prlimit64, 0, RLIMIT_AS, NULL, &limit), saved);
    return sizeof(void *) < 8 || error != 0 || limit.current != UINT64_MAX;
}

void acre_os_wait(_Atomic uint32_t *word, uint32_t value)
{
    int saved = errno;
    (void)result_of(syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL), saved);
}

void acre_os_wake_one(_Atomic uint32_t *word)
{
    int saved = errno;
    (void)result_of(syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1), saved);
}

void acre_os_write(int fd, const char *text, size_t size)
{
    int saved = errno;
    while (size != 0) {
        long written = syscall(SYS_write, fd, text, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            break;
        text += written;
        size -= (size_t)written;
    }
    errno = saved;
}

int acre_os_keep_fd(int fd, int *copy)
{
    enum { out_of_the_way = 512 };
    int saved = errno;
    long result = syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, out_of_the_way);
    if (result == -1)
        result = syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int error = result_of(result, saved);
    if (error == 0)
        *copy = (int)result;
    return error;
}

bool acre_os_same_file(int one, int other)
{
    int saved = errno;
    struct statx a;
    struct statx b;
    int error = result_of(syscall(SYS_statx, one, "", AT_EMPTY_PATH, STATX_INO, &a), saved);
    if (error == 0)
        error = result_of(syscall(SYS_statx, other, "", AT_EMPTY_PATH, STATX_INO, &b), saved);
    return error == 0 && a.stx_ino == b.stx_ino && a.stx_dev_major == b.stx_dev_major &&
           a.stx_dev_minor == b.stx_dev_minor;
}

/* The C library knows its environment only once it is initialised; what is called before finds it
 * where the kernel put it: behind the arguments, at the top of the stack. */
extern void *__libc_stack_end __attribute__((weak));

static char **environment(void)
{
    if (environ != NULL || &__libc_stack_end == NULL)
        return environ;
    uintptr_t count = *(uintptr_t *)__libc_stack_end;
    return (char **)__libc_stack_end + 1 + count + 1;
}

const char *acre_os_env(const char *name)
{
    size_t length = strlen(name);
    char **variable = environment();
    if (variable == NULL || getauxval(AT_SECURE) != 0)
        return NULL;
    for (; *variable != NULL; variable++)
        if (strncmp(*variable, name, length) == 0 && (*variable)[length] == '=')
            return *variable + length + 1;
    return NULL;
}

long acre_os_process(void)
{
    return syscall(SYS_getpid);
}

_Noreturn void acre_os_exit(int status)
{
    for (;;)
        syscall(SYS_exit_group, status);
}
