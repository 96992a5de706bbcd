/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Preloaded beside the drop-in malloc: functions that an allocator might call, each replaced by one
 * that allocates itself.
 */
#include <dlfcn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

int hostile_calls(void);
void *mmap(void *start, size_t size, int protection, int flags, int fd, off_t offset);
int munmap(void *start, size_t size);
int mprotect(void *start, size_t size, int protection);
int madvise(void *start, size_t size, int advice);
int open(const char *path, int flags, ...);

static int calls;

/* How often one of these functions was called. */
int hostile_calls(void)
{
    return calls;
}

static void allocate(void)
{
    calls++;
    void *volatile ptr = malloc(5000);
    free(ptr);
}

char *getenv(const char *name)
{
    size_t length = strlen(name);
    allocate();
    for (char **variable = environ; *variable != NULL; variable++)
        if (strncmp(*variable, name, length) == 0 && (*variable)[length] == '=')
            return *variable + length + 1;
    return NULL;
}

char *secure_getenv(const char *name)
{
    return getenv(name);
}

void *mmap(void *start, size_t size, int protection, int flags, int fd, off_t offset)
{
    allocate();
    return (void *)(uintptr_t)syscall(SYS_mmap, start, size, protection, flags, fd, offset);
}

int munmap(void *start, size_t size)
{
    allocate();
    return (int)syscall(SYS_munmap, start, size);
}

int mprotect(void *start, size_t size, int protection)
{
    allocate();
    return (int)syscall(SYS_mprotect, start, size, protection);
}

int madvise(void *start, size_t size, int advice)
{
    allocate();
    return (int)syscall(SYS_madvise, start, size, advice);
}

int open(const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    int mode = va_arg(list, int);
    va_end(list);
    allocate();
    return (int)syscall(SYS_openat, -100, path, flags, mode);
}

ssize_t read(int fd, void *buf, size_t nbytes)
{
    allocate();
    return syscall(SYS_read, fd, buf, nbytes);
}

ssize_t write(int fd, const void *buf, size_t n)
{
    allocate();
    return syscall(SYS_write, fd, buf, n);
}

pid_t getpid(void)
{
    allocate();
    return (pid_t)syscall(SYS_getpid);
}

long sysconf(int name)
{
    allocate();
    return name == _SC_PAGESIZE ? 4096 : -1;
}

/* ---- memory and strings ---- */

void *memset(void *target, int value, size_t size)
{
    volatile unsigned char *to = target;
    allocate();
    while (size-- != 0)
        *to++ = (unsigned char)value;
    return target;
}

void *memcpy(void *target, const void *source, size_t size)
{
    volatile unsigned char *to = target;
    const unsigned char *from = source;
    allocate();
    while (size-- != 0)
        *to++ = *from++;
    return target;
}

void *memmove(void *target, const void *source, size_t size)
{
    volatile unsigned char *to = target;
    const unsigned char *from = source;
    allocate();
    for (size_t i = 0; (uintptr_t)target < (uintptr_t)source && i < size; i++)
        to[i] = from[i];
    for (size_t i = size; (uintptr_t)target > (uintptr_t)source && i-- != 0;)
        to[i] = from[i];
    return target;
}

int memcmp(const void *left, const void *right, size_t size)
{
    const volatile unsigned char *a = left;
    const volatile unsigned char *b = right;
    allocate();
    for (; size != 0; size--, a++, b++)
        if (*a != *b)
            return *a - *b;
    return 0;
}

int strcmp(const char *left, const char *right)
{
    allocate();
    for (; *left != '\0' && *left == *right; left++)
        right++;
    return (unsigned char)*left - (unsigned char)*right;
}

size_t strlen(const char *text)
{
    const volatile char *end = text;
    allocate();
    while (*end != '\0')
        end++;
    return (size_t)(end - text);
}

unsigned long getauxval(unsigned long type)
{
    static unsigned long (*real)(unsigned long);
    allocate();
    if (real == NULL)
        real = (unsigned long (*)(unsigned long))dlsym(RTLD_NEXT, "getauxval");
    return real(type);
}
