/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A deliberately naive first-fit allocator as a plugin: a list of blocks in order of address, each
 * with a header. ACRE_TEST_FAULT in the environment names the promise that it breaks; without it,
 * it keeps all. Alignments above 4096 are refused.
 */
#include <acre/plugin.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { UNIT = 32, MOST_ALIGN = 4096 };

struct block {
    struct block *next; /* by address; null: the last */
    size_t size;        /* bytes after the header */
    size_t used;        /* 0: free */
    size_t pad[UNIT / sizeof(size_t) - 3];
};

struct pool {
    struct block *first;
    unsigned char *end;
    const char *fault;
    unsigned long calls;
};

static struct block *shared_first; /* with the fault "instances" */

static bool has_fault(const struct pool *pool, const char *name)
{
    return pool->fault != NULL && strcmp(pool->fault, name) == 0;
}

static void *create(void *memory, size_t size)
{
    struct pool *pool = memory;
    if (size < 4 * UNIT)
        return NULL;
    const char *fault = getenv("ACRE_TEST_FAULT");
    bool dirty = fault != NULL && strcmp(fault, "dirty") == 0;
    struct block *first = (struct block *)(void *)((unsigned char *)memory + 2 * UNIT);
    if (dirty && pool->calls != 0)
        return NULL;
    *pool = (struct pool){ first, (unsigned char *)memory + size, fault, 0 };
    *first = (struct block){ NULL, size - 3 * UNIT, 0, { 0 } };
    if (has_fault(pool, "instances") && shared_first != NULL)
        pool->first = shared_first;
    shared_first = pool->first;
    return pool;
}

/* The bytes to skip at a free block's start, so that what follows a header there is aligned. */
static size_t gap_of(const struct block *block, size_t align)
{
    uintptr_t start = (uintptr_t)(block + 1);
    size_t gap = (size_t)(((start + align - 1) & ~(uintptr_t)(align - 1)) - start);
    return gap;
}

static struct block *split(struct block *block, size_t at)
{
    struct block *rest = (struct block *)(void *)((unsigned char *)(block + 1) + at);
    *rest = (struct block){ block->next, block->size - at - UNIT, 0, { 0 } };
    block->size = at;
    block->next = rest;
    return rest;
}

static struct block *find_fit(struct pool *pool, size_t size, size_t align)
{
    for (struct block *block = pool->first; block != NULL; block = block->next) {
        size_t gap = block->used == 0 ? gap_of(block, align) : 0;
        if (block->used != 0 || gap > block->size || size > block->size - gap)
            continue;
        return gap == 0 ? block : split(block, gap - UNIT);
    }
    return NULL;
}

static void *spoil(struct pool *pool, struct block *block, size_t align)
{
    unsigned char *start = (unsigned char *)(block + 1);
    if (has_fault(pool, "overlap") && pool->calls % 4 == 0)
        return start + UNIT / 2;
    if (has_fault(pool, "misaligned") && align > 64)
        return start + 64;
    if (has_fault(pool, "outside") && pool->calls % 8 == 7)
        return pool->end + 8 * MOST_ALIGN;
    if (has_fault(pool, "crash") && pool->calls > 3)
        abort();
    if (has_fault(pool, "leave") && pool->calls > 3)
        exit(3);
    while (has_fault(pool, "loop") && pool->calls > 3)
        *(volatile unsigned long *)&pool->calls = 4;
    if (has_fault(pool, "before"))
        ((unsigned char *)pool)[-1] = 0;
    return start;
}

static void *alloc(void *self, size_t size, size_t align)
{
    struct pool *pool = self;
    pool->calls++;
    size_t rounded = (size + UNIT - 1) / UNIT * UNIT;
    if (align > MOST_ALIGN || (rounded < size && !has_fault(pool, "wrap")))
        return NULL;
    struct block *block = find_fit(pool, rounded, align < UNIT ? UNIT : align);
    if (block == NULL && has_fault(pool, "boast"))
        return (unsigned char *)pool + 4 * UNIT;
    if (block == NULL)
        return NULL;
    if (block->size - rounded >= 2 * UNIT)
        split(block, rounded);
    block->used = 1;
    return spoil(pool, block, align);
}

static void merge_after(struct block *block)
{
    while (block->next != NULL && block->next->used == 0) {
        block->size += UNIT + block->next->size;
        block->next = block->next->next;
    }
}

static void dealloc(void *self, void *ptr, size_t size, size_t align)
{
    struct pool *pool = self;
    (void)align;
    if (has_fault(pool, "leak"))
        return;
    if (has_fault(pool, "scribble"))
        memset((unsigned char *)ptr + size, 0xee, 2 * UNIT + 8);
    if (has_fault(pool, "overlap") || has_fault(pool, "misaligned") || has_fault(pool, "boast"))
        return;
    ((struct block *)ptr - 1)->used = 0;
    for (struct block *block = pool->first; block != NULL; block = block->next) {
        if (block->used == 0)
            merge_after(block);
    }
}

static void *resize(void *self, void *ptr, size_t old_size, size_t new_size, size_t align)
{
    struct pool *pool = self;
    size_t kept = old_size < new_size ? old_size : new_size;
    if (has_fault(pool, "free-first"))
        dealloc(self, ptr, old_size, align);
    void *moved = alloc(self, new_size, align);
    if (moved == NULL)
        return NULL;
    memmove(moved, ptr, kept - (has_fault(pool, "forget") && kept > 0 ? 1 : 0));
    if (!has_fault(pool, "free-first"))
        dealloc(self, ptr, old_size, align);
    return moved;
}

ACRE_PLUGIN_EXPORT const struct acre_plugin acre_plugin = {
    .abi = ACRE_PLUGIN_ABI,
    .name = "naive",
    .version = "1",
    .create = create,
    .alloc = alloc,
    .dealloc = dealloc,
    .realloc = resize,
};
