/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "trace_blocks.h"

#include <string.h>

enum {
    FIRST_CAPACITY = 64,
    /* Entries of the index for each slot: it is never more than half full. */
    INDEX_PER_SLOT = 2,
    /* A larger index is given back between sections, lest each small one pay for clearing it. */
    INDEX_KEPT = 4096
};

/* A capacity is the smallest power of two that holds the live blocks, so no size below overflows.
 */
_Static_assert((ACRE_TRACE_LIVE_MAX & (ACRE_TRACE_LIVE_MAX - 1)) == 0 &&
                   (uint64_t)ACRE_TRACE_LIVE_MAX * sizeof(struct acre_trace_block) <= SIZE_MAX,
    "the limit of live blocks fits the address space");

static inline uint32_t home_of(const struct acre_trace_reader *reader, uint64_t ordinal)
{
    return (uint32_t)((ordinal * reader->index_factor) >> reader->index_shift);
}

/* Multiply-shift hashing. The factor's upper bits are the golden ratio's, so that near ordinals,
 * the usual case, spread without collision; the lower ones follow from where the index lies, which
 * a file made to collide cannot know. */
static void choose_hash(struct acre_trace_reader *reader)
{
    const uint64_t golden = UINT64_C(0x9e3779b97f4a7c15);
    const uint64_t place = (uint64_t)(uintptr_t)reader->index ^ (uint64_t)(uintptr_t)reader << 20;

    reader->index_factor = (golden ^ (place * golden) >> 24) | 1;
    reader->index_shift = 64;
    for (uint32_t size = reader->index_size; size > 1; size >>= 1)
        reader->index_shift--;
}

static inline uint32_t next_slot(const struct acre_trace_reader *reader, uint32_t at)
{
    return (at + 1) & (reader->index_size - 1);
}

static void index_put(struct acre_trace_reader *reader, uint32_t slot)
{
    uint32_t at = home_of(reader, reader->blocks[slot].ordinal);

    while (reader->index[at])
        at = next_slot(reader, at);
    reader->index[at] = slot + 1;
}

/** Where in the index the entry of a live slot is. */
static uint32_t index_of(const struct acre_trace_reader *reader, uint32_t slot)
{
    uint32_t at = home_of(reader, reader->blocks[slot].ordinal);

    while (reader->index[at] != slot + 1)
        at = next_slot(reader, at);
    return at;
}

/** Empties entry `hole` and moves back those that were pushed past it. */
static void index_remove(struct acre_trace_reader *reader, uint32_t hole)
{
    const uint32_t mask = reader->index_size - 1;

    for (uint32_t at = next_slot(reader, hole); reader->index[at]; at = next_slot(reader, at)) {
        uint32_t home = home_of(reader, reader->blocks[reader->index[at] - 1].ordinal);

        if (((at - home) & mask) >= ((at - hole) & mask)) {
            reader->index[hole] = reader->index[at];
            hole = at;
        }
    }
    reader->index[hole] = 0;
}

static void *resize_memory(
    struct acre_trace_reader *reader, void *old, size_t old_size, size_t new_size)
{
    return reader->memory.resize(reader->memory.user, old, old_size, new_size);
}

static bool grow_blocks(struct acre_trace_reader *reader, uint32_t capacity)
{
    const size_t size = sizeof(struct acre_trace_block);
    void *blocks =
        resize_memory(reader, reader->blocks, reader->slot_capacity * size, capacity * size);

    if (!blocks)
        return false;
    reader->blocks = blocks;
    reader->slot_capacity = capacity;
    return true;
}

/** Makes the index fit `capacity` slots. Only called with no free slot, so all slots are live. */
static bool grow_index(struct acre_trace_reader *reader, uint32_t capacity)
{
    const size_t bytes = (size_t)capacity * INDEX_PER_SLOT * sizeof(uint32_t);
    uint32_t *index = resize_memory(reader, NULL, 0, bytes);

    if (!index)
        return false;
    memset(index, 0, bytes);
    if (reader->index)
        resize_memory(reader, reader->index, (size_t)reader->index_size * sizeof(uint32_t), 0);
    reader->index = index;
    reader->index_size = capacity * INDEX_PER_SLOT;
    choose_hash(reader);
    for (uint32_t slot = 0; slot < reader->slots; slot++)
        index_put(reader, slot);
    return true;
}

static enum acre_trace_status make_slots(struct acre_trace_reader *reader)
{
    uint32_t capacity = reader->slots ? reader->slots * 2 : FIRST_CAPACITY;

    if (reader->slots >= reader->live_max)
        return ACRE_TRACE_TOO_LARGE;
    if (capacity > reader->slot_capacity && !grow_blocks(reader, capacity))
        return ACRE_TRACE_NO_MEMORY;
    if (capacity * INDEX_PER_SLOT > reader->index_size && !grow_index(reader, capacity))
        return ACRE_TRACE_NO_MEMORY;
    return ACRE_TRACE_OK;
}

void acre_trace_blocks_clear(struct acre_trace_reader *reader)
{
    if (reader->index_size > INDEX_KEPT)
        acre_trace_blocks_release(reader);
    if (reader->index)
        memset(reader->index, 0, (size_t)reader->index_size * sizeof(uint32_t));
    reader->slots = 0;
    reader->free_slot = 0;
    reader->live = 0;
}

void acre_trace_blocks_release(struct acre_trace_reader *reader)
{
    if (reader->index)
        resize_memory(reader, reader->index, (size_t)reader->index_size * sizeof(uint32_t), 0);
    if (reader->blocks)
        resize_memory(reader, reader->blocks, reader->slot_capacity * sizeof *reader->blocks, 0);
    reader->index = NULL;
    reader->blocks = NULL;
    reader->index_size = reader->slot_capacity = 0;
}

/** Takes a slot that is known to exist. */
static uint32_t take_slot(struct acre_trace_reader *reader)
{
    uint32_t slot = reader->slots;

    if (reader->free_slot) {
        slot = reader->free_slot - 1;
        reader->free_slot = reader->blocks[slot].next_free;
    } else {
        reader->slots++;
    }
    reader->live++;
    return slot;
}

enum acre_trace_status acre_trace_blocks_add(
    struct acre_trace_reader *reader, const struct acre_trace_block *block, uint32_t *slot)
{
    if (!reader->free_slot &&
        (reader->slots == reader->slot_capacity || reader->slots >= reader->live_max)) {
        enum acre_trace_status status = make_slots(reader);

        if (status != ACRE_TRACE_OK)
            return status;
    }
    *slot = take_slot(reader);
    reader->blocks[*slot] = *block;
    index_put(reader, *slot);
    return ACRE_TRACE_OK;
}

bool acre_trace_blocks_find(
    const struct acre_trace_reader *reader, uint64_t ordinal, uint32_t *slot)
{
    if (!reader->index)
        return false;
    for (uint32_t at = home_of(reader, ordinal); reader->index[at]; at = next_slot(reader, at)) {
        *slot = reader->index[at] - 1;
        if (reader->blocks[*slot].ordinal == ordinal)
            return true;
    }
    return false;
}

void acre_trace_blocks_rename(struct acre_trace_reader *reader, uint32_t slot, uint64_t ordinal)
{
    index_remove(reader, index_of(reader, slot));
    reader->blocks[slot].ordinal = ordinal;
    index_put(reader, slot);
}

void acre_trace_blocks_remove(struct acre_trace_reader *reader, uint32_t slot)
{
    index_remove(reader, index_of(reader, slot));
    reader->blocks[slot].next_free = reader->free_slot;
    reader->free_slot = slot + 1;
    reader->live--;
}
