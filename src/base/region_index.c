/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The index from addresses to regions: a radix tree over the starts of the regions.
 *
 * A node covers the ACRE_REGION_WAYS << shift addresses from base on, with an entry for each
 * (1 << shift) of them, its slot. shift is a multiple of ACRE_REGION_DIGIT, and a node is as low as
 * it can be: its starts lie in two slots at least, so there are fewer nodes than regions. A region
 * with a node lends it to whatever part of the tree needs one.
 *
 *   entry: a node, marked by bit 0, when several regions start in the slot and there was a node to
 *          spare; else the last region of the node that starts at or before the slot's end; in the
 *          slots before the first one in which a region starts, the same region as in that one
 *
 *   starts          . A . . . B . C D . . .            (C and D in one slot)
 *   entries         A A A A A B B node D D ...         (or D in place of the node)
 *
 * So a lookup that follows the address's digits and tests none on the way ends at a region. It is
 * the one that contains the address, or the next one above that, unless the digits that the tree
 * leaves out differ or several regions share the slot. Only then, and for addresses of no region, a
 * second way down tests all digits.
 */
#include "base/region_index.h"
#include "base/check.h"

enum { REGION_SPARE = 0xff /* as a shift: the index does not use the node */ };

_Static_assert(ACRE_REGION_LEVELS *(int)ACRE_REGION_DIGIT == 8 * (int)sizeof(size_t),
    "the digits are all of an address");

/* ---- entries ---- */

static uintptr_t region_to_entry(const struct acre_region *region)
{
    return (uintptr_t)region;
}

static uintptr_t region_node_to_entry(const struct acre_region_node *node)
{
    return (uintptr_t)node | ACRE_REGION_IS_NODE;
}

ACRE_INLINE bool region_entry_is_leaf(uintptr_t entry)
{
    return (entry & ACRE_REGION_IS_NODE) == 0;
}

ACRE_INLINE struct acre_region *region_of_entry(uintptr_t entry)
{
    return (struct acre_region *)entry;
}

ACRE_INLINE struct acre_region_node *region_node_of_entry(uintptr_t entry)
{
    return (struct acre_region_node *)(entry - ACRE_REGION_IS_NODE);
}

/* What a damaged node says is kept to what can be shifted by. */
ACRE_INLINE unsigned region_shift(const struct acre_region_node *node)
{
    return (unsigned)(node->shift & (8 * sizeof(uintptr_t) - 1));
}

/* The slot of an address in a node; ACRE_REGION_WAYS or more when the node does not cover it. */
static uintptr_t region_slot(const struct acre_region_node *node, uintptr_t at)
{
    return (at - node->base) >> region_shift(node);
}

/* The node that a region brought. */
static struct acre_region_node *region_own_node(const struct acre_region *region)
{
    return (struct acre_region_node *)(uintptr_t)region - 1;
}

/* Whether a region starts in a slot. */
static bool region_is_slot_used(const struct acre_region_node *node, unsigned slot)
{
    uintptr_t entry = node->entries[slot];
    return entry != 0 && (!region_entry_is_leaf(entry) ||
                             region_slot(node, region_of_entry(entry)->start) == slot);
}

/* The highest region below an entry. */
static struct acre_region *region_last_below(uintptr_t entry)
{
    while (!region_entry_is_leaf(entry))
        entry = region_node_of_entry(entry)->entries[ACRE_REGION_WAYS - 1];
    return region_of_entry(entry);
}

/* The lowest region below an entry, or one that starts in the same slot as that. */
static struct acre_region *region_near_first_below(uintptr_t entry)
{
    while (!region_entry_is_leaf(entry))
        entry = region_node_of_entry(entry)->entries[0];
    return region_of_entry(entry);
}

/* ---- lookup ---- */

/* The region that the digits of an address lead to. It is the floor of the address, or above that
 * with no others between than regions of one slot. */
static struct acre_region *region_at_or_above_floor(uintptr_t entry, uintptr_t at)
{
    while (!region_entry_is_leaf(entry)) {
        const struct acre_region_node *node = region_node_of_entry(entry);
        uintptr_t slot = region_slot(node, at);
        if (slot >= ACRE_REGION_WAYS)
            return at < node->base ? region_near_first_below(entry) : region_last_below(entry);
        entry = node->entries[slot];
    }
    return region_of_entry(entry);
}

struct acre_region *acre_indexed_floor(const struct acre_regions *regions, uintptr_t at)
{
    uintptr_t root = acre_regions_root(regions);
    if (root == 0)
        return NULL;
    struct acre_region *region = region_at_or_above_floor(root, at);
    while (region != NULL && region->start > at)
        region = region->prev;
    return region;
}

/* Looks an address up that is in no region, or in one that the short way does not lead to. */
static ACRE_NOINLINE struct acre_region *regions_find_slow(
    const struct acre_regions *regions, uintptr_t at)
{
    struct acre_region *region = acre_indexed_floor(regions, at);
    return region != NULL && acre_region_contains(region, at) ? region : NULL;
}

struct acre_region *acre_indexed_find(const struct acre_regions *regions, uintptr_t at)
{
    struct acre_region *region = acre_regions_find_short(regions, at);
    return ACRE_LIKELY(region != NULL) ? region : regions_find_slow(regions, at);
}

/* ---- nodes ---- */

/* A node that is spare is in a list, through its first entry to the next and its second one back. */
static void region_push_spare(struct acre_regions *regions, struct acre_region_node *node)
{
    node->shift = REGION_SPARE;
    node->entries[0] = (uintptr_t)regions->spare;
    node->entries[1] = 0;
    if (regions->spare != NULL)
        regions->spare->entries[1] = (uintptr_t)node;
    regions->spare = node;
}

static void region_unlink_spare(struct acre_regions *regions, const struct acre_region_node *node)
{
    struct acre_region_node *next = (struct acre_region_node *)node->entries[0];
    struct acre_region_node *prev = (struct acre_region_node *)node->entries[1];
    if (next != NULL)
        next->entries[1] = (uintptr_t)prev;
    if (prev != NULL)
        prev->entries[0] = (uintptr_t)next;
    else
        regions->spare = next;
}

/* A spare node; null: there is none. */
static struct acre_region_node *region_pop_spare(struct acre_regions *regions)
{
    struct acre_region_node *node = regions->spare;
    if (node != NULL)
        region_unlink_spare(regions, node);
    return node;
}

/* Writes the entries of slots in which no region starts. */
static void region_fill_gaps(struct acre_region_node *node)
{
    uintptr_t last = 0;
    for (unsigned slot = 0; slot < ACRE_REGION_WAYS; slot++) {
        if (!region_is_slot_used(node, slot)) {
            node->entries[slot] = last;
            continue;
        }
        uintptr_t before = last;
        last = region_to_entry(region_last_below(node->entries[slot]));
        for (unsigned low = 0; before == 0 && low < slot; low++)
            node->entries[low] = last;
    }
    ACRE_ASSERT(last != 0); /* REGIONS-4 */
}

/* Makes a node empty that has the starts of two regions in two of its slots. */
static void region_init_node(struct acre_region_node *node, uintptr_t start, uintptr_t other)
{
    size_t shift = acre_bits_highest(start ^ other) / ACRE_REGION_DIGIT * ACRE_REGION_DIGIT;
    node->shift = shift;
    node->base = start & ~(((uintptr_t)ACRE_REGION_WAYS << shift) - 1);
    for (unsigned slot = 0; slot < ACRE_REGION_WAYS; slot++)
        node->entries[slot] = 0;
}

/* Makes a node of an entry and of a region that it does not cover. */
static void region_join_to_node(
    struct acre_region_node *node, uintptr_t *entry, const struct acre_region *region)
{
    uintptr_t start = region_last_below(*entry)->start;
    region_init_node(node, start, region->start);
    node->entries[region_slot(node, start)] = *entry;
    node->entries[region_slot(node, region->start)] = region_to_entry(region);
    *entry = region_node_to_entry(node);
}

/* Whether a region starts among the addresses of a parent's slot; everywhere when the parent is
 * null. */
static bool region_starts_in(
    const struct acre_region_node *parent, const struct acre_region *region, uintptr_t slot)
{
    return region != NULL && (parent == NULL || region_slot(parent, region->start) == slot);
}

/* Makes a node of all regions of a slot, of which one is given, and of which there are several. */
static void region_divide_slot(struct acre_region_node *node, const struct acre_region_node *parent,
    uintptr_t *entry, const struct acre_region *region)
{
    uintptr_t slot = parent != NULL ? (uintptr_t)(entry - parent->entries) : 0;
    const struct acre_region *first = region;
    const struct acre_region *last = region;
    while (region_starts_in(parent, first->prev, slot))
        first = first->prev;
    while (region_starts_in(parent, last->next, slot))
        last = last->next;
    region_init_node(node, first->start, last->start);
    for (; first != last->next; first = first->next)
        node->entries[region_slot(node, first->start)] = region_to_entry(first);
    *entry = region_node_to_entry(node);
}

/* Takes a node without nodes below it out of the tree below an entry that is a node: its regions
 * share a slot of the node above from then on. */
static struct acre_region_node *region_collapse_lowest(uintptr_t *entry)
{
    for (;;) {
        struct acre_region_node *node = region_node_of_entry(*entry);
        unsigned slot = 0;
        while (slot < ACRE_REGION_WAYS && region_entry_is_leaf(node->entries[slot]))
            slot++;
        if (slot == ACRE_REGION_WAYS) {
            *entry = region_to_entry(region_last_below(*entry));
            return node;
        }
        entry = &node->entries[slot];
    }
}

/* ---- insertion and removal ---- */

/* The nodes from the root to a region's start, and the entries that lead to them and beyond. */
struct region_path {
    unsigned depth;
    struct acre_region_node *nodes[ACRE_REGION_LEVELS];
    uintptr_t *links[ACRE_REGION_LEVELS + 1];
};

static void region_trace(struct acre_regions *regions, uintptr_t start, struct region_path *path)
{
    struct acre_region_table *table = acre_regions_table(regions);
    uintptr_t *link = table != NULL ? &table->root : &regions->index;
    path->depth = 0;
    path->links[0] = link;
    while (*link != 0 && !region_entry_is_leaf(*link)) {
        struct acre_region_node *node = region_node_of_entry(*link);
        if (region_slot(node, start) >= ACRE_REGION_WAYS)
            return;
        link = &node->entries[region_slot(node, start)];
        path->nodes[path->depth++] = node;
        path->links[path->depth] = link;
    }
}

static void region_fill_path(const struct region_path *path)
{
    for (unsigned level = path->depth; level-- > 0;)
        region_fill_gaps(path->nodes[level]);
}

/* Enters a region where its path ends; false when that has only become possible now. */
static bool region_enter(
    struct acre_regions *regions, struct acre_region *region, struct region_path *path)
{
    uintptr_t *link = path->links[path->depth];
    struct acre_region_node *parent = path->depth != 0 ? path->nodes[path->depth - 1] : NULL;
    bool is_gap =
        parent != NULL && !region_is_slot_used(parent, (unsigned)(link - parent->entries));
    if (*link == 0 || is_gap) {
        *link = region_to_entry(region);
        return true;
    }
    struct acre_region_node *node = region_pop_spare(regions);
    if (node != NULL && region_entry_is_leaf(*link)) {
        region_divide_slot(node, parent, link, region);
    } else if (node != NULL) {
        region_join_to_node(node, link, region);
    } else if (!region_entry_is_leaf(*link)) {
        region_push_spare(regions, region_collapse_lowest(link));
        return false;
    } else if (region_of_entry(*link)->start < region->start) {
        *link = region_to_entry(region);
    }
    if (node != NULL)
        path->nodes[path->depth++] = node;
    return true;
}

void acre_region_index_insert(struct acre_regions *regions, struct acre_region *region)
{
    struct region_path path;
    if (region->has_node)
        region_push_spare(regions, region_own_node(region));
    do
        region_trace(regions, region->start, &path);
    while (!region_enter(regions, region, &path));
    region_fill_path(&path);
}

/* The only entry of a node in whose slot a region starts; 0 when there are several. */
static uintptr_t region_only_entry(const struct acre_region_node *node)
{
    uintptr_t only = 0;
    for (unsigned slot = 0; slot < ACRE_REGION_WAYS; slot++) {
        if (!region_is_slot_used(node, slot))
            continue;
        if (only != 0)
            return 0;
        only = node->entries[slot];
    }
    return only;
}

/* Takes a node in use out of the tree: moves its contents to a spare node or to one below it, or
 * lets its regions share a slot. */
static void region_vacate_node(struct acre_regions *regions, const struct acre_region_node *node)
{
    struct region_path path;
    unsigned level = 0;
    region_trace(regions, node->base, &path);
    /* The path reaches the node, which is in use. NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
    while (*path.links[level] != region_node_to_entry(node))
        level++;
    struct acre_region_node *target = region_pop_spare(regions);
    if (target == NULL)
        target = region_collapse_lowest(path.links[level]);
    if (target == node)
        return;
    *target = *node;
    *path.links[level] = region_node_to_entry(target);
}

/* Removes a region from the entry that its path ends at. */
static void region_leave(
    struct acre_regions *regions, const struct acre_region *region, struct region_path *path)
{
    uintptr_t *link = path->links[path->depth];
    struct acre_region_node *node = path->depth != 0 ? path->nodes[path->depth - 1] : NULL;
    uintptr_t slot = node != NULL ? (uintptr_t)(link - node->entries) : 0;
    if (*link != region_to_entry(region))
        return;
    bool shared = region_starts_in(node, region->prev, slot);
    *link = shared ? region_to_entry(region->prev) : 0;
    uintptr_t only = node != NULL ? region_only_entry(node) : 0;
    if (only != 0) {
        path->depth--;
        *path->links[path->depth] = only;
        region_push_spare(regions, node);
    }
}

void acre_region_index_remove(struct acre_regions *regions, struct acre_region *region)
{
    struct region_path path;
    region_trace(regions, region->start, &path);
    ACRE_ASSERT(region_entry_is_leaf(*path.links[path.depth])); /* REGIONS-4 */
    region_leave(regions, region, &path);
    region_fill_path(&path);
    if (!region->has_node)
        return;
    struct acre_region_node *node = region_own_node(region);
    if (node->shift == REGION_SPARE)
        region_unlink_spare(regions, node);
    else
        region_vacate_node(regions, node);
}

/* ---- check ---- */

/* Whether a region has a node and the index uses it. */
static bool region_lends(const struct acre_region *region)
{
    return region->has_node && region_own_node(region)->shift != REGION_SPARE;
}

/* acre_check_mix() of an entry that is a node, 0 of a region. */
static size_t region_mix_entry(uintptr_t entry)
{
    return region_entry_is_leaf(entry) ? 0 : acre_check_mix(entry);
}

/* Whether the root and the entries of nodes in use lead to nodes in use alone, and to each once.
 * The nodes are those of the regions in the list; no entry is followed. */
static bool region_links_add_up(const struct acre_regions *regions)
{
    size_t sum = region_mix_entry(acre_regions_root(regions));
    for (const struct acre_region *region = regions->first; region; region = region->next) {
        if (!region_lends(region))
            continue;
        const struct acre_region_node *node = region_own_node(region);
        sum -= region_mix_entry(region_node_to_entry(node));
        for (unsigned slot = 0; slot < ACRE_REGION_WAYS; slot++)
            sum += region_mix_entry(node->entries[slot]);
    }
    return sum == 0;
}

/* A node on the way from the root to the lowest region that was not met yet. */
struct region_step {
    const struct acre_region_node *node;
    const struct acre_region *last; /* met below the node */
    size_t slot; /* the next one; a power of two of bytes in all, to be indexed */
    size_t used; /* slots before it in which regions start */
};

/* A walk through the tree and the list side by side. */
struct region_walk {
    const struct acre_region *next; /* the lowest one not met yet */
    const struct acre_region *last; /* met */
    size_t nodes;                   /* met */
    unsigned depth;
    struct region_step steps[ACRE_REGION_LEVELS];
};

/* Goes down to the node of an entry; false when it is not sound or does not cover the next region. */
static bool region_walk_down(struct region_walk *walk, uintptr_t entry)
{
    const struct acre_region_node *node = region_node_of_entry(entry);
    if (walk->depth == ACRE_REGION_LEVELS || node->shift % ACRE_REGION_DIGIT != 0 ||
        node->shift >= 8 * sizeof(size_t) ||
        (node->base & (((uintptr_t)ACRE_REGION_WAYS << node->shift) - 1)) != 0 ||
        region_slot(node, walk->next->start) >= ACRE_REGION_WAYS)
        return false;
    walk->steps[walk->depth++] = (struct region_step){ .node = node };
    walk->nodes++;
    return true;
}

/* Whether the slots before the first one in which regions start lead to the last of these. */
static bool region_has_sound_lead(const struct region_step *step)
{
    size_t slot = 0;
    while (slot < step->slot && step->node->entries[slot] == region_to_entry(step->last))
        slot++;
    return slot == step->slot;
}

/* Ends a slot in which regions start, all met, or none. */
static bool region_end_slot(struct region_walk *walk, struct region_step *step, bool met)
{
    uintptr_t entry = step->node->entries[step->slot];
    if (met) {
        step->last = walk->last;
        step->used++;
        if (!region_starts_in(step->node, walk->last, step->slot) ||
            region_starts_in(step->node, walk->next, step->slot) ||
            (step->used == 1 && !region_has_sound_lead(step)))
            return false;
    }
    step->slot++;
    return region_entry_is_leaf(entry) ? step->last == NULL || entry == region_to_entry(step->last)
                                       : met;
}

/* Goes on by one slot, down to a node or up from one; false when something is not sound. */
static bool region_walk_on(struct region_walk *walk)
{
    struct region_step *step = &walk->steps[walk->depth - 1];
    if (step->slot == ACRE_REGION_WAYS) {
        if (step->used < 2 || --walk->depth == 0)
            return step->used > 1;
        return region_end_slot(walk, &walk->steps[walk->depth - 1], true);
    }
    if (!region_starts_in(step->node, walk->next, step->slot))
        return region_end_slot(walk, step, false);
    if (!region_entry_is_leaf(step->node->entries[step->slot]))
        return region_walk_down(walk, step->node->entries[step->slot]);
    for (; region_starts_in(step->node, walk->next, step->slot); walk->next = walk->next->next)
        walk->last = walk->next;
    return region_end_slot(walk, step, true);
}

/* Whether the tree has all regions of the list, which has some, in its entries, and all nodes in
 * use. The links add up, so that each leads to a node. */
static bool region_tree_holds(const struct acre_regions *regions, size_t nodes)
{
    struct region_walk walk = { .next = regions->first };
    uintptr_t root = acre_regions_root(regions);
    if (region_entry_is_leaf(root))
        return nodes == 0;
    if (!region_walk_down(&walk, root))
        return false;
    while (walk.depth != 0)
        if (!region_walk_on(&walk))
            return false;
    return walk.next == NULL && walk.nodes == nodes;
}

const struct acre_region *acre_region_index_find_broken(const struct acre_regions *regions)
{
    const struct acre_region *last = NULL;
    size_t nodes = 0;
    for (const struct acre_region *region = regions->first; region; region = region->next) {
        nodes += region_lends(region);
        last = region;
    }
    if (last == NULL)
        return NULL;
    uintptr_t root = acre_regions_root(regions);
    bool sound = (!region_entry_is_leaf(root) || root == region_to_entry(last)) &&
                 region_links_add_up(regions) && region_tree_holds(regions, nodes);
    return sound ? NULL : regions->first;
}
