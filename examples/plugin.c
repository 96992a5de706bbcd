/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * An allocator of your own as a plugin: segregated lists over a bump pointer. A freed block goes to
 * the list of its power of two, and serves the next request of that size; blocks never merge.
 */
#include <acre/plugin.h>

enum { CLASSES = 48, LEAST_LOG2 = 4 };

struct node {
    struct node *next;
};
struct bump {
    uintptr_t next;
    uintptr_t end;
    struct node *freed[CLASSES]; /* by log2 of the size */
};

static unsigned class_of(size_t size)
{
    unsigned log2 = LEAST_LOG2;
    while (((size_t)1 << log2) < size)
        log2++;
    return log2;
}

static void *create(void *pool, size_t size)
{
    if (size < sizeof(struct bump))
        return NULL;
    struct bump *bump = pool;
    *bump = (struct bump){ .next = (uintptr_t)(bump + 1), .end = (uintptr_t)pool + size };
    return bump;
}

static void *alloc(void *self, size_t size, size_t align)
{
    struct bump *bump = self;
    unsigned log2 = class_of(size > align ? size : align);
    struct node *node = bump->freed[log2];
    if (node != NULL) {
        bump->freed[log2] = node->next;
        return node;
    }
    size_t rounded = (size_t)1 << log2;
    uintptr_t start = (bump->next + rounded - 1) & ~((uintptr_t)rounded - 1);
    if (start > bump->end || bump->end - start < rounded)
        return NULL;
    bump->next = start + rounded;
    return (void *)start;
}

static void dealloc(void *self, void *ptr, size_t size, size_t align)
{
    struct bump *bump = self;
    unsigned log2 = class_of(size > align ? size : align);
    struct node *node = ptr;
    node->next = bump->freed[log2];
    bump->freed[log2] = node;
}

const struct acre_plugin acre_plugin = {
    .abi = ACRE_PLUGIN_ABI,
    .name = "lists",
    .version = "1.0",
    .create = create,
    .alloc = alloc,
    .dealloc = dealloc,
};
