/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Where the metadata of a range lies, and how much there is.
 */
#include "base/memory.h"
#include "bitmap/bitmap_private.h"

#if ACRE_MAX_POOL == 0

/** Words that a set of `groups` groups takes. */
static size_t bitmap_set_size(size_t groups)
{
    size_t words = 0;
    do {
        groups = bitmap_set_words(groups);
        words += groups;
    } while (groups > 1);
    return words;
}

/** Bytes that the descriptor of a range of `pages` pages takes. O(levels). */
static size_t bitmap_descriptor_size(size_t pages)
{
    size_t size = sizeof(struct acre_bitmap_range);
    for (size_t nodes = bitmap_parents(bitmap_chunks(pages)); nodes > 1;) {
        nodes = bitmap_parents(nodes);
        size += sizeof(struct bitmap_run *);
    }
    return acre_align_up(size, sizeof(uint64_t));
}

size_t acre_bitmap_metadata_size(size_t pages)
{
    size_t chunks = bitmap_chunks(pages);
    size_t groups = bitmap_parents(chunks);
    size_t words = chunks * (BITMAP_CHUNK_WORDS + 1) + 2 * bitmap_set_size(groups);
    size_t runs = 0;
    for (size_t nodes = groups; nodes > 1;) {
        nodes = bitmap_parents(nodes);
        runs += nodes;
    }
    return bitmap_node_size(pages) + bitmap_descriptor_size(pages) + words * sizeof(uint64_t) +
           groups * sizeof(struct acre_bitmap_group) + runs * sizeof(struct bitmap_run);
}

/** Lays out a set of the range's groups from `at` on. Returns the word after it. */
static uint64_t *bitmap_layout_set(struct bitmap_set *set, size_t groups, uint64_t *at)
{
    set->size = groups;
    set->levels = 0;
    do {
        groups = bitmap_set_words(groups);
        set->bits[set->levels++] = at;
        at += groups;
    } while (groups > 1);
    return at;
}

/** Lays out the levels of nodes from `at` on. */
static void bitmap_layout_nodes(struct acre_bitmap_range *range, void *at)
{
    size_t nodes = bitmap_groups(range);
    struct bitmap_run *run = at;
    range->top = 1;
    while (nodes > 1) {
        nodes = bitmap_parents(nodes);
        range->nodes[range->top++ - 1] = run;
        run += nodes;
    }
}

void acre_bitmap_layout(struct acre_bitmap_range *range)
{
    size_t chunks = bitmap_chunks(range->pages);
    size_t groups = bitmap_groups(range);
    size_t descriptor = bitmap_descriptor_size(range->pages);
    size_t before = bitmap_node_size(range->pages) + descriptor;
    size_t size = acre_bitmap_metadata_size(range->pages) - before;
    range->words = (uint64_t *)(void *)((char *)range + descriptor);
    range->leaves = range->words + chunks * BITMAP_CHUNK_WORDS;
    range->groups = (struct acre_bitmap_group *)(void *)(range->leaves + chunks);
    uint64_t *at = (uint64_t *)(void *)(range->groups + groups);
    at = bitmap_layout_set(&range->free_groups, groups, at);
    at = bitmap_layout_set(&range->dirty_groups, groups, at);
    bitmap_layout_nodes(range, at);
    range->dirty_count = 0;
    range->dirty_next = 0;
    memset(range->words, 0, size);
}

/** The address after a set of groups that begins at another one; 0: it does not. */
static uintptr_t bitmap_set_end(const struct bitmap_set *set, size_t groups, uintptr_t at)
{
    unsigned level = 0;
    if (set->size != groups)
        return 0;
    do {
        if (at == 0 || (uintptr_t)set->bits[level++] != at)
            return 0;
        groups = bitmap_set_words(groups);
        at += groups * sizeof(uint64_t);
    } while (groups > 1);
    return set->levels == level ? at : 0;
}

/** True when the levels of nodes begin at an address. */
static bool bitmap_nodes_are_at(const struct acre_bitmap_range *range, uintptr_t at)
{
    unsigned top = 1;
    for (size_t nodes = bitmap_groups(range); nodes > 1; top++) {
        nodes = bitmap_parents(nodes);
        if ((uintptr_t)range->nodes[top - 1] != at)
            return false;
        at += nodes * sizeof(struct bitmap_run);
    }
    return range->top == top;
}

bool acre_bitmap_has_sound_layout(const struct acre_bitmap_range *range)
{
    size_t groups = bitmap_groups(range);
    const uint64_t *words =
        (const void *)((const char *)range + bitmap_descriptor_size(range->pages));
    const uint64_t *leaves = words + bitmap_chunks(range->pages) * BITMAP_CHUNK_WORDS;
    const struct acre_bitmap_group *first = (const void *)(leaves + bitmap_chunks(range->pages));
    if (range->words != words || range->leaves != leaves || range->groups != first)
        return false;
    uintptr_t dirty = bitmap_set_end(&range->free_groups, groups, (uintptr_t)(first + groups));
    uintptr_t nodes = bitmap_set_end(&range->dirty_groups, groups, dirty);
    return nodes != 0 && bitmap_nodes_are_at(range, nodes);
}

#endif
