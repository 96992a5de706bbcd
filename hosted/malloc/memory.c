/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The memory and string functions of ISO C that code of this library calls, which the linker binds
 * to these (--wrap). A program may replace the C library's by functions that allocate, and they
 * would be called while the lock is held. Contracts as in C11.
 *
 * This file is compiled so that the compiler makes no calls of these loops.
 */
#include <stddef.h>
#include <stdint.h>

void *__wrap_memcpy(void *restrict target, const void *restrict source, size_t size);
void *__wrap_memmove(void *target, const void *source, size_t size);
void *__wrap_memset(void *target, int value, size_t size);
int __wrap_memcmp(const void *left, const void *right, size_t size);
int __wrap_strcmp(const char *left, const char *right);
size_t __wrap_strlen(const char *text);

/* A word that may lie anywhere and alias anything. */
typedef uint64_t __attribute__((may_alias, aligned(1))) memory_word;
typedef unsigned char memory_vector __attribute__((vector_size(16), may_alias, aligned(1)));

enum { word = sizeof(memory_word), vector = sizeof(memory_vector) };

/* From this many bytes on, the machine's own copy loop is as fast as any. */
enum { long_copy = 2048 };

#if defined(__x86_64__)
static void copy_long(void *target, const void *source, size_t size)
{
    __asm__ volatile("rep movsb" : "+D"(target), "+S"(source), "+c"(size) : : "memory");
}

static void set_long(void *target, int value, size_t size)
{
    __asm__ volatile("rep stosb" : "+D"(target), "+c"(size) : "a"(value) : "memory");
}
#endif

/* Fewer bytes than a vector, by two pieces that overlap. */
static void copy_short(char *to, const char *from, size_t size)
{
    if (size >= word) {
        memory_word first = *(const memory_word *)(const void *)from;
        memory_word last = *(const memory_word *)(const void *)(from + size - word);
        *(memory_word *)(void *)to = first;
        *(memory_word *)(void *)(to + size - word) = last;
        return;
    }
    while (size-- != 0)
        *to++ = *from++;
}

/* The last vector overlaps the one before; it is read first, as the ranges may overlap. */
static void copy_up(char *to, const char *from, size_t size)
{
    if (size < vector) {
        copy_short(to, from, size);
        return;
    }
    memory_vector *end = (memory_vector *)(void *)(to + size - vector);
    memory_vector last = *(const memory_vector *)(const void *)(from + size - vector);
    for (; size >= 4 * vector; size -= 4 * vector) {
        memory_vector *target = (void *)to;
        const memory_vector *source = (const void *)from;
        memory_vector a = source[0], b = source[1], c = source[2], d = source[3];
        target[0] = a;
        target[1] = b;
        target[2] = c;
        target[3] = d;
        to += 4 * vector;
        from += 4 * vector;
    }
    for (; size > vector; size -= vector, to += vector, from += vector)
        *(memory_vector *)(void *)to = *(const memory_vector *)(const void *)from;
    *end = last;
}

static void copy_down(char *to, const char *from, size_t size)
{
    while (size >= vector) {
        size -= vector;
        *(memory_vector *)(void *)(to + size) = *(const memory_vector *)(const void *)(from + size);
    }
    while (size-- != 0)
        to[size] = from[size];
}

void *__wrap_memcpy(void *restrict target, const void *restrict source, size_t size)
{
#if defined(__x86_64__)
    if (size >= long_copy) {
        copy_long(target, source, size);
        return target;
    }
#endif
    copy_up(target, source, size);
    return target;
}

void *__wrap_memmove(void *target, const void *source, size_t size)
{
    uintptr_t ahead = (uintptr_t)target - (uintptr_t)source;
    if (ahead >= size && -ahead >= vector)
        return __wrap_memcpy(target, source, size);
    if (ahead >= size)
        copy_up(target, source, size);
    else
        copy_down(target, source, size);
    return target;
}

void *__wrap_memset(void *target, int value, size_t size)
{
    char *to = target;
#if defined(__x86_64__)
    if (size >= long_copy) {
        set_long(target, value, size);
        return target;
    }
#endif
    memory_word filled = (unsigned char)value * UINT64_C(0x0101010101010101);
    memory_vector wide = (memory_vector){ 0 } + (unsigned char)value;
    for (; size >= vector; size -= vector, to += vector)
        *(memory_vector *)(void *)to = wide;
    for (; size >= word; size -= word, to += word)
        *(memory_word *)(void *)to = filled;
    while (size-- != 0)
        *to++ = (char)value;
    return target;
}

int __wrap_memcmp(const void *left, const void *right, size_t size)
{
    const unsigned char *a = left;
    const unsigned char *b = right;
    for (; size != 0; size--, a++, b++)
        if (*a != *b)
            return *a < *b ? -1 : 1;
    return 0;
}

int __wrap_strcmp(const char *left, const char *right)
{
    while (*left != '\0' && *left == *right) {
        left++;
        right++;
    }
    return (unsigned char)*left - (unsigned char)*right;
}

size_t __wrap_strlen(const char *text)
{
    const char *end = text;
    while (*end != '\0')
        end++;
    return (size_t)(end - text);
}
