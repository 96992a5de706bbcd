/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The table from addresses to regions: an array over a range of addresses. One step leads to the
 * region that has an address, but where several begin in one slot: then the index does.
 */
#include "base/regions.h"

enum {
    TABLE_LEAST_LOG2 = 23,     /* ranges of fewer bytes have few regions */
    TABLE_MOST_SLOTS = 1 << 18 /* of larger ranges, a table has the first 4 GiB */
};

/* How many slots a range has, with a part of one at both of its ends. */
static size_t region_table_slots(size_t range)
{
    size_t slots = (range >> ACRE_REGION_TABLE_LOG2) + 2;
    return slots < TABLE_MOST_SLOTS ? slots : TABLE_MOST_SLOTS;
}

size_t acre_region_table_size(size_t range)
{
    if (ACRE_SMALL || range >> TABLE_LEAST_LOG2 == 0)
        return 0;
    return sizeof(struct acre_region_table) +
           region_table_slots(range) * sizeof(struct acre_region *);
}

static uintptr_t region_last_byte(const struct acre_region *region)
{
    return region->start + (region->size - 1);
}

/* The slots of a region, from one on up to another one. */
struct region_slots {
    size_t from;
    size_t to;
};

static struct region_slots region_slots_of(
    const struct acre_region_table *table, const struct acre_region *region)
{
    struct region_slots slots = { 0, 0 };
    if (region_last_byte(region) < table->base)
        return slots;
    slots.to = ((region_last_byte(region) - table->base) >> ACRE_REGION_TABLE_LOG2) + 1;
    if (slots.to > table->slots)
        slots.to = table->slots;
    if (region->start > table->base)
        slots.from = (region->start - table->base) >> ACRE_REGION_TABLE_LOG2;
    return slots;
}

static struct acre_region *region_none(struct acre_region_table *table)
{
    return (struct acre_region *)(void *)table->none;
}

void acre_region_table_insert(struct acre_regions *regions, struct acre_region *region)
{
    struct acre_region_table *table = acre_regions_table(regions);
    if (table == NULL)
        return;
    struct region_slots slots = region_slots_of(table, region);
    for (size_t slot = slots.from; slot < slots.to; slot++)
        if (table->entries[slot] == region_none(table) ||
            table->entries[slot]->start < region->start)
            table->entries[slot] = region;
}

/* Whether a region, or none when it is null, has a byte at or above the start of a slot. */
static bool region_reaches_slot(
    const struct acre_region_table *table, const struct acre_region *region, size_t slot)
{
    return region != NULL &&
           region_last_byte(region) >= table->base + (slot << ACRE_REGION_TABLE_LOG2);
}

void acre_region_table_remove(struct acre_regions *regions, const struct acre_region *region)
{
    struct acre_region_table *table = acre_regions_table(regions);
    if (table == NULL)
        return;
    struct region_slots slots = region_slots_of(table, region);
    for (size_t slot = slots.from; slot < slots.to; slot++)
        if (table->entries[slot] == region)
            table->entries[slot] =
                region_reaches_slot(table, region->prev, slot) ? region->prev : region_none(table);
}

void acre_regions_set_table(
    struct acre_regions *regions, void *memory, uintptr_t start, size_t range)
{
    struct acre_region_table *table = memory;
    uintptr_t root = acre_regions_root(regions);
    regions->index = root;
    if (table == NULL)
        return;
    *table = (struct acre_region_table){ .root = root,
        .base = acre_align_down(start, (uintptr_t)1 << ACRE_REGION_TABLE_LOG2) };
    table->slots = ((start + (range - 1) - table->base) >> ACRE_REGION_TABLE_LOG2) + 1;
    if (table->slots > TABLE_MOST_SLOTS)
        table->slots = TABLE_MOST_SLOTS;
    for (size_t slot = 0; slot < table->slots; slot++)
        table->entries[slot] = region_none(table);
    regions->index = (uintptr_t)table | ACRE_REGION_IS_TABLE;
    for (struct acre_region *region = regions->first; region != NULL; region = region->next)
        acre_region_table_insert(regions, region);
}

const void *acre_region_table_find_broken(const struct acre_regions *regions)
{
    struct acre_region_table *table = acre_regions_table(regions);
    const struct acre_region *next = regions->first; /* the lowest that starts above the slot */
    const struct acre_region *region = NULL;
    for (size_t word = 0; table != NULL && word < ACRE_REGION_NONE_WORDS; word++)
        if (table->none[word] != 0)
            return &table->none[word];
    for (size_t slot = 0; table != NULL && slot < table->slots; slot++) {
        uintptr_t last = table->base + ((slot + 1) << ACRE_REGION_TABLE_LOG2) - 1;
        for (; next != NULL && next->start <= last; next = next->next)
            region = next;
        const struct acre_region *due =
            region_reaches_slot(table, region, slot) ? region : region_none(table);
        if (table->entries[slot] != due)
            return &table->entries[slot];
    }
    return NULL;
}
