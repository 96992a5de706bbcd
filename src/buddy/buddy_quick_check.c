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

/* ---- BUDDY-11: regions by their largest free block ---- */

/* acre_check_mix() of a region, 0 of null. */
static size_t buddy_mix(const struct acre_buddy_region *region)
{
    return region != NULL ? acre_check_mix((uintptr_t)region) : 0;
}

/* Whether the heads of the lists and the links of regions lead to regions with a free block alone,
 * and to each once. None is followed. */
static bool buddy_lists_add_up(const struct acre_buddy *buddy)
{
    size_t sum = 0;
    for (unsigned order = 0; order < ACRE_WORD_BITS; order++)
        sum += buddy_mix(buddy->by_order[order]);
    for (const struct acre_buddy_region *region = buddy_first_region(buddy); region != NULL;
         region = buddy_next_region(region)) {
        sum += buddy_mix(region->order_next);
        sum -= region->largest != BUDDY_NONE ? buddy_mix(region) : 0;
    }
    return sum == 0;
}

/* Whether a region says what its largest free block is, and has the fields of a list's entry. */
static bool buddy_has_sound_order(const struct acre_buddy_region *region)
{
    struct acre_buddy_region expected = *region;
    expected.largest = (unsigned char)acre_buddy_highest_order(region);
    buddy_set_largest_from(&expected);
    return region->largest == expected.largest && region->largest_from == expected.largest_from &&
           region->larger_from == expected.larger_from &&
           (region->largest != BUDDY_NONE ||
               (region->order_next == NULL && region->order_prev == NULL));
}

/* How many regions a list has, each of its order and linked back, so that they are no circle;
 * `most` + 1 when it is not sound. The links of all lists add up. */
static size_t buddy_count_list(const struct acre_buddy *buddy, unsigned order, size_t most)
{
    const struct acre_buddy_region *region = buddy->by_order[order];
    const struct acre_buddy_region *before = NULL;
    size_t count = 0;
    if ((region != NULL) != (buddy->orders >> order & 1))
        return most + 1;
    for (; region != NULL; region = region->order_next) {
        if (region->largest != order || region->order_prev != before)
            return most + 1;
        before = region;
        count++;
    }
    return count;
}

const void *acre_buddy_find_bad_order(const struct acre_buddy *buddy)
{
    const struct acre_buddy_region *region = buddy_first_region(buddy);
    size_t listed = 0;
    for (; region != NULL; region = buddy_next_region(region)) {
        if (!buddy_has_sound_order(region))
            return region;
        listed += region->largest != BUDDY_NONE;
    }
    if (!buddy_lists_add_up(buddy))
        return &buddy->orders;
    for (unsigned order = 0; order < ACRE_WORD_BITS; order++) {
        size_t count = buddy_count_list(buddy, order, listed);
        if (count > listed)
            return &buddy->by_order[order];
        listed -= count;
    }
    return listed != 0 ? &buddy->orders : NULL;
}

#endif
