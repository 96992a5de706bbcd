/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Buddy's checker, for the quick lists: BUDDY-7.
 */
#include "buddy/buddy_fast.h"

#if ACRE_MAX_POOL == 0

/* Whether the block of an entry is aligned, and at an odd number on the list of odd blocks. */
static bool buddy_has_sound_position(
    const struct acre_buddy *buddy, const struct acre_buddy_quick_block *entry, unsigned list)
{
    bool odd = (entry->pos & (buddy->mask + 1)) != 0;
    return (entry->pos & (buddy_bytes(buddy, buddy_order_of_list(list)) - 1)) == 0 &&
           odd == (list == ACRE_BUDDY_QUICK_ORDERS);
}

static bool buddy_has_sound_list(const struct acre_buddy *buddy, unsigned number)
{
    unsigned size_class = buddy_class_of_list(buddy, number);
    const struct acre_buddy_class *list = &buddy->classes[size_class];
    if (buddy->quick_depth > ACRE_BUDDY_QUICK_DEPTH || list->entries != buddy->quick[number] ||
        list->limit != buddy->quick_depth * (size_t)BUDDY_ENTRY || list->used > list->limit ||
        list->used % BUDDY_ENTRY != 0 || list->size != buddy_class_size(buddy, size_class))
        return false;
    for (size_t i = 0; i < buddy_quick_count(list); i++)
        if (!buddy_has_sound_position(buddy, &list->entries[i], number))
            return false;
    return true;
}

/* Whether a class that has no quick list has the empty one that never takes a block. */
static bool buddy_has_no_list(const struct acre_buddy *buddy, unsigned size_class)
{
    const struct acre_buddy_class *list = &buddy->classes[size_class];
    return list->used == 0 && list->limit == 0 && list->entries == NULL &&
           list->size == buddy_class_size(buddy, size_class);
}

const void *acre_buddy_find_bad_list(const struct acre_buddy *buddy)
{
    for (unsigned list = 0; list < ACRE_BUDDY_QUICK_LISTS; list++)
        if (!buddy_has_sound_list(buddy, list))
            return &buddy->classes[buddy_class_of_list(buddy, list)];
    for (unsigned size_class = 0; size_class < BUDDY_ODD; size_class++)
        if (size_class - buddy->bias >= ACRE_BUDDY_QUICK_ORDERS &&
            !buddy_has_no_list(buddy, size_class))
            return &buddy->classes[size_class];
    return NULL;
}

/* Whether the block of an entry lies in a region, and the entry names its own state byte. */
static bool buddy_has_sound_entry(
    const struct acre_buddy *buddy, const struct acre_buddy_quick_block *entry)
{
    uintptr_t block = entry->pos >> buddy_smallest_log2(buddy);
    const struct acre_buddy_region *region = acre_buddy_find_region(buddy, block);
    return region != NULL && entry->state == buddy_state_of(region, block);
}

const void *acre_buddy_find_bad_entry(const struct acre_buddy *buddy)
{
    for (unsigned number = 0; number < ACRE_BUDDY_QUICK_LISTS; number++) {
        const struct acre_buddy_class *list = &buddy->classes[buddy_class_of_list(buddy, number)];
        for (size_t i = 0; i < buddy_quick_count(list); i++)
            if (!buddy_has_sound_entry(buddy, &list->entries[i]))
                return &list->entries[i];
    }
    return NULL;
}

size_t acre_buddy_count_quick(const struct acre_buddy *buddy)
{
    size_t count = 0;
    for (unsigned list = 0; list < ACRE_BUDDY_QUICK_LISTS; list++)
        count += buddy_quick_count(&buddy->classes[buddy_class_of_list(buddy, list)]);
    return count;
}

#endif
