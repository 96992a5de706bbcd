/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Linux. Nothing here calls a function that a program could replace by one that allocates: the
 * kernel is entered directly where the machine is known (else through syscall(2)), and what the
 * kernel told the process at its start is read from the stack.
 */
#include "os/os.h"

#include "os/call_linux.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <linux/futex.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what the kernel put at the top of the stack: argc, arguments, null, environment, null,
 * pairs of numbers ---- */

extern void *__libc_stack_end __attribute__((weak));

static char **first_environment(void)
{
    uintptr_t count = *(uintptr_t *)__libc_stack_end;
    return (char **)__libc_stack_end + 1 + count + 1;
}

/* The value for `type`, 0 when there is none. */
static unsigned long auxiliary_value(unsigned long type)
{
    if (&__libc_stack_end == NULL)
        return getauxval(type);
    char **variable = first_environment();
    while (*variable != NULL)
        variable++;
    const ElfW(auxv_t) *pair = (const void *)(variable + 1);
    while (pair->a_type != AT_NULL && pair->a_type != type)
        pair++;
    return pair->a_type == type ? pair->a_un.a_val : 0;
}

size_t acre_os_page_size(void)
{
    static _Atomic size_t size;
    if (atomic_load_explicit(&size, memory_order_relaxed) == 0)
        atomic_store_explicit(&size, auxiliary_value(AT_PAGESZ), memory_order_relaxed);
    return atomic_load_explicit(&size, memory_order_relaxed);
}

/* The C library knows its environment only once it is initialised. */
static char **current_environment(void)
{
    if (environ != NULL || &__libc_stack_end == NULL)
        return environ;
    return first_environment();
}

/* What follows `name` and '=' at the start of `variable`, or null. */
static const char *value_of(const char *variable, const char *name)
{
    while (*name != '\0' && *variable == *name) {
        variable++;
        name++;
    }
    return *name == '\0' && *variable == '=' ? variable + 1 : NULL;
}

const char *acre_os_env(const char *name)
{
    char **variable = current_environment();
    const char *value = NULL;
    if (variable == NULL || auxiliary_value(AT_SECURE) != 0)
        return NULL;
    while (value == NULL && *variable != NULL)
        value = value_of(*variable++, name);
    return value;
}

/* ---- memory ---- */

#ifdef SYS_mmap2
#define SYSTEM_MMAP SYS_mmap2
#else
#define SYSTEM_MMAP SYS_mmap
#endif

/* What a system call returned, as 0 or an error number. */
static int error_of(long result)
{
    return result < 0 && result > -4096 ? (int)-result : 0;
}

int acre_os_map(void *hint, size_t size, void **start)
{
    long address = os_call(SYSTEM_MMAP, (long)(uintptr_t)hint, (long)size, PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (error_of(address) != 0)
        return ENOMEM;
    *start = (void *)(uintptr_t)address;
    return 0;
}

int acre_os_unmap(void *start, size_t size)
{
    return error_of(os_call(SYS_munmap, (long)(uintptr_t)start, (long)size, 0, 0, 0, 0));
}

int acre_os_remap(void *start, size_t size, size_t new_size, void **moved)
{
    long address = os_call(
        SYS_mremap, (long)(uintptr_t)start, (long)size, (long)new_size, MREMAP_MAYMOVE, 0, 0);
    if (error_of(address) != 0)
        return ENOMEM;
    *moved = (void *)(uintptr_t)address;
    return 0;
}

int acre_os_discard(void *start, size_t size)
{
    return error_of(
        os_call(SYS_madvise, (long)(uintptr_t)start, (long)size, MADV_DONTNEED, 0, 0, 0));
}

int acre_os_fence(void *start, size_t size)
{
    long address = os_call(SYSTEM_MMAP, (long)(uintptr_t)start, (long)size, PROT_NONE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
    return error_of(address);
}

/* ---- threads, files, process ---- */

size_t acre_os_secret(void)
{
    size_t secret = 0;
    uintptr_t random = auxiliary_value(AT_RANDOM);
    if (random != 0)
        __builtin_memcpy(&secret, (const void *)random, sizeof secret);
    return secret;
}

size_t acre_os_thread(void)
{
    return (size_t)os_call(SYS_gettid, 0, 0, 0, 0, 0, 0);
}

void acre_os_wait(_Atomic uint32_t *word, uint32_t value)
{
    os_call(SYS_futex, (long)(uintptr_t)word, FUTEX_WAIT_PRIVATE, (long)value, 0, 0, 0);
}

void acre_os_wake_one(_Atomic uint32_t *word)
{
    os_call(SYS_futex, (long)(uintptr_t)word, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
}

void acre_os_write(int fd, const char *text, size_t size)
{
    while (size != 0) {
        long written = os_call(SYS_write, fd, (long)(uintptr_t)text, (long)size, 0, 0, 0);
        if (written == -EINTR)
            continue;
        if (written <= 0)
            break;
        text += written;
        size -= (size_t)written;
    }
}

int acre_os_keep_fd(int fd, int *copy)
{
    enum { out_of_the_way = 512 };
    long result = os_call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, out_of_the_way, 0, 0, 0);
    if (error_of(result) != 0)
        result = os_call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1, 0, 0, 0);
    if (error_of(result) == 0)
        *copy = (int)result;
    return error_of(result);
}

static int file_of(int fd, struct statx *file)
{
    return error_of(os_call(
        SYS_statx, fd, (long)(uintptr_t) "", AT_EMPTY_PATH, STATX_INO, (long)(uintptr_t)file, 0));
}

bool acre_os_same_file(int one, int other)
{
    struct statx a = { 0 };
    struct statx b = { 0 };
    return file_of(one, &a) == 0 && file_of(other, &b) == 0 && a.stx_ino == b.stx_ino &&
           a.stx_dev_major == b.stx_dev_major && a.stx_dev_minor == b.stx_dev_minor;
}

long acre_os_process(void)
{
    return os_call(SYS_getpid, 0, 0, 0, 0, 0, 0);
}

_Noreturn void acre_os_exit(int status)
{
    for (;;)
        os_call(SYS_exit_group, status, 0, 0, 0, 0, 0);
}
