/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The four functions that acre needs from a port; the compiler calls no others. */
#include "base/memory.h"

#include <stdbool.h>
#include <stdint.h>

/* A word that may alias anything: both sides are taken by words where their addresses allow. */
typedef size_t __attribute__((may_alias)) word;

static size_t words_in(const void *a, const void *b, size_t size)
{
    bool aligned = (((uintptr_t)a | (uintptr_t)b) & (sizeof(word) - 1)) == 0;
    return aligned ? size / sizeof(word) : 0;
}

/* From the lowest byte up: right also when the target overlaps the source from below. */
static void *copy_up(void *target, const void *source, size_t size)
{
    word *to = target;
    const word *from = source;
    size_t words = words_in(to, from, size);
    for (size_t i = 0; i < words; i++)
        to[i] = from[i];
    unsigned char *rest = target;
    const unsigned char *rest_from = source;
    for (size_t i = words * sizeof(word); i < size; i++)
        rest[i] = rest_from[i];
    return target;
}

void *memcpy(void *restrict target, const void *restrict source, size_t size)
{
    return copy_up(target, source, size);
}

void *memmove(void *target, const void *source, size_t size)
{
    unsigned char *to = target;
    const unsigned char *from = source;
    if ((uintptr_t)to - (uintptr_t)from >= size)
        return copy_up(target, source, size);
    while (size-- > 0)
        to[size] = from[size];
    return target;
}

void *memset(void *target, int value, size_t size)
{
    word *to = target;
    size_t words = words_in(to, to, size);
    word pattern = (word)-1 / 255 * (unsigned char)value;
    for (size_t i = 0; i < words; i++)
        to[i] = pattern;
    unsigned char *rest = target;
    for (size_t i = words * sizeof(word); i < size; i++)
        rest[i] = (unsigned char)value;
    return target;
}

int memcmp(const void *left, const void *right, size_t size)
{
    const word *a = left;
    const word *b = right;
    size_t words = words_in(a, b, size);
    size_t same = 0;
    while (same < words && a[same] == b[same])
        same++;
    const unsigned char *rest_a = left;
    const unsigned char *rest_b = right;
    for (size_t i = same * sizeof(word); i < size; i++) {
        if (rest_a[i] != rest_b[i])
            return rest_a[i] < rest_b[i] ? -1 : 1;
    }
    return 0;
}
