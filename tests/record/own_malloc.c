/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A program that brings its own malloc, which no preloaded library replaces. */
#include <stddef.h>
#include <string.h>

static _Alignas(16) char pool[1 << 20];
static size_t used;

void *malloc(size_t size)
{
    void *block = pool + used;
    used += (size + 15) & ~(size_t)15;
    return block;
}

void free(void *block)
{
    (void)block;
}

void *calloc(size_t count, size_t size)
{
    return malloc(count * size);
}

void *realloc(void *block, size_t size)
{
    void *moved = malloc(size);
    return block ? memmove(moved, block, size) : moved;
}

int main(void)
{
    free(malloc(100));
    return 0;
}
