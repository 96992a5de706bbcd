/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The page map, and the memory for records. Entries are published with release stores before a
 * pointer into their pages leaves the allocator.
 */
#include "base/memory.h"
#include "threaded/threaded_private.h"

#if THREADED_IS_LOCK_FREE

enum { META_PAGES = 4 }; /* taken for records at a time */

uintptr_t acre_threaded_take_pages(
    struct acre_threaded *threaded, struct acre_pages pages, size_t count, size_t align)
{
    struct acre_num got = acre_alloc_pages(pages, count, align);
    const struct acre_threaded_env *env = &threaded->env;
    if (got.status == ACRE_NO_MEMORY && env->grow != NULL) {
        size_t slack = align > ACRE_THREADED_PAGE ? align : 0;
        if (env->grow(env->arg, pages, count * ACRE_THREADED_PAGE + slack))
            got = acre_alloc_pages(pages, count, align);
    }
    return got.status == ACRE_OK ? got.num : 0;
}

/* Starts a new run of pages for records. The rest of the old run stays unused. */
static bool threaded_meta_refill(struct acre_threaded *threaded, size_t bytes)
{
    struct acre_pages meta = threaded->env.meta;
    size_t least = (bytes + ACRE_THREADED_PAGE - 1) / ACRE_THREADED_PAGE;
    size_t pages = META_PAGES;
    ACRE_ASSERT(least <= pages); /* no record and no node is larger */
    uintptr_t start = acre_threaded_take_pages(threaded, meta, pages, ACRE_THREADED_PAGE);
    if (start == 0) {
        pages = least;
        start = acre_threaded_take_pages(threaded, meta, pages, ACRE_THREADED_PAGE);
    }
    if (start == 0)
        return false;
    threaded->meta_at = start;
    threaded->meta_end = start + pages * ACRE_THREADED_PAGE;
    threaded->meta_bytes += pages * ACRE_THREADED_PAGE;
    return true;
}

void *acre_threaded_meta(struct acre_threaded *threaded, size_t bytes, size_t align)
{
    uintptr_t at = acre_align_up(threaded->meta_at, align);
    if (threaded->meta_at == 0 ||
        threaded->meta_end - at < bytes) { /* the end has every alignment */
        if (!threaded_meta_refill(threaded, bytes))
            return NULL;
        at = threaded->meta_at;
    }
    threaded->meta_at = at + bytes;
    return threaded->env.meta_is_zero ? (void *)at : memset((void *)at, 0, bytes);
}

static struct acre_threaded_node *threaded_make_node(struct acre_threaded *threaded, unsigned log2)
{
    return acre_threaded_meta(threaded, sizeof(_Atomic(void *)) << log2, sizeof(void *));
}

/* The node below a root entry, made if it is missing. */
static struct acre_threaded_node *threaded_root_node(struct acre_threaded *threaded, size_t top)
{
    struct acre_threaded_node *_Atomic *entry = &threaded->root[top];
    struct acre_threaded_node *node = atomic_load_explicit(entry, memory_order_relaxed);
    if (node == NULL && (node = threaded_make_node(threaded, THREADED_TOP_NODE_LOG2)) != NULL)
        atomic_store_explicit(entry, node, memory_order_release);
    return node;
}

/* The leaf of a page, made if it is missing; null: no memory, or no address of this machine. */
static struct acre_threaded_node *threaded_leaf(struct acre_threaded *threaded, uintptr_t page)
{
    uintptr_t top = page >> (THREADED_LEAF_LOG2 + THREADED_MIDDLE_LOG2);
    if (top >= ACRE_THREADED_ROOT)
        return NULL;
    struct acre_threaded_node *node = threaded_root_node(threaded, top);
    if (!THREADED_HAS_MIDDLE || node == NULL)
        return node;
    size_t index = (page >> THREADED_LEAF_LOG2) & (((size_t)1 << THREADED_MIDDLE_LOG2) - 1);
    struct acre_threaded_node *leaf = threaded_entry(node, index);
    if (leaf == NULL && (leaf = threaded_make_node(threaded, THREADED_LEAF_LOG2)) != NULL)
        atomic_store_explicit(&node->entry[index], leaf, memory_order_release);
    return leaf;
}

bool acre_threaded_map_reserve(struct acre_threaded *threaded, uintptr_t start, size_t pages)
{
    uintptr_t page = start >> ACRE_THREADED_PAGE_LOG2;
    uintptr_t last = page + (pages - 1);
    uintptr_t step = (uintptr_t)1 << THREADED_LEAF_LOG2;
    for (; page < last; page += step)
        if (threaded_leaf(threaded, page) == NULL)
            return false;
    return threaded_leaf(threaded, last) != NULL;
}

void acre_threaded_map_set(
    struct acre_threaded *threaded, uintptr_t start, size_t pages, struct acre_threaded_slab *slab)
{
    uintptr_t first = start >> ACRE_THREADED_PAGE_LOG2;
    for (uintptr_t page = first; page - first < pages; page++) {
        struct acre_threaded_node *leaf = threaded_leaf(threaded, page);
        size_t index = page & (((size_t)1 << THREADED_LEAF_LOG2) - 1);
        ACRE_ASSERT(leaf != NULL);
        atomic_store_explicit(&leaf->entry[index], slab, memory_order_release);
    }
}

/* The first of the entries of a leaf, from an index on, whose slab starts there. */
static const struct acre_threaded_slab *threaded_leaf_slab(
    const struct acre_threaded_node *leaf, uintptr_t page)
{
    size_t index = page & (((size_t)1 << THREADED_LEAF_LOG2) - 1);
    for (; index < (size_t)1 << THREADED_LEAF_LOG2; index++, page++) {
        const struct acre_threaded_slab *slab = threaded_entry(leaf, index);
        if (slab != NULL && slab->start >> ACRE_THREADED_PAGE_LOG2 == page)
            return slab;
    }
    return NULL;
}

const struct acre_threaded_slab *acre_threaded_slab_from(
    const struct acre_threaded *threaded, uintptr_t page)
{
    enum { MIDDLE = THREADED_MIDDLE_LOG2, BELOW_ROOT = THREADED_LEAF_LOG2 + MIDDLE };
    while (page >> BELOW_ROOT < ACRE_THREADED_ROOT) {
        const struct acre_threaded_node *node =
            atomic_load_explicit(&threaded->root[page >> BELOW_ROOT], memory_order_acquire);
        unsigned skip = BELOW_ROOT;
        if (THREADED_HAS_MIDDLE && node != NULL) {
            node = threaded_entry(node, (page >> THREADED_LEAF_LOG2) & (((size_t)1 << MIDDLE) - 1));
            skip = THREADED_LEAF_LOG2;
        }
        const struct acre_threaded_slab *slab = node ? threaded_leaf_slab(node, page) : NULL;
        if (slab != NULL)
            return slab;
        page = ((page >> skip) + 1) << skip;
    }
    return NULL;
}

#endif
