/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "wrap/guard_block.h"

#include "base/bits.h"
#include "base/memory.h"
#include "base/wide.h"

/* The requested size, and a checksum whose lowest byte is log2 of the offset. The rest of it
 * depends on the size, the offset and the user's pointer, so that a copied record is not valid. */
struct record {
    size_t size;
    size_t checksum;
};

_Static_assert(sizeof(struct record) == ACRE_GUARD_RECORD, "the public figure");
_Static_assert(ACRE_GUARD_FRONT % ACRE_NATURAL_ALIGN == 0, "pointers stay naturally aligned");
_Static_assert(ACRE_GUARD_FRONT > ACRE_GUARD_RECORD, "there is a fence in front");

enum { LOG2_FIELD = 0xff, HALF = 4 * sizeof(size_t) };

static size_t guard_checksum(const unsigned char *ptr, size_t size, size_t offset_log2)
{
    const size_t odd = (size_t)UINT64_C(0x9e3779b97f4a7c15);
    size_t mix = acre_multiply((size_t)(uintptr_t)ptr ^ offset_log2, odd);
    mix = acre_multiply(mix ^ size ^ mix >> HALF, odd);
    return ((mix ^ mix >> HALF) & ~(size_t)LOG2_FIELD) | offset_log2;
}

static struct record guard_record_of(const struct guarded *block)
{
    return (struct record){ block->size,
        guard_checksum(block->ptr, block->size, acre_bits_highest(block->offset)) };
}

static struct record guard_read_record(const unsigned char *place)
{
    struct record record;
    memcpy(&record, place, sizeof record);
    return record;
}

static unsigned char *guard_front_zone(const struct guarded *block)
{
    return block->ptr - ACRE_GUARD_FRONT;
}

static unsigned char *guard_last_record(const struct guarded *block)
{
    return block->start + block->usable - ACRE_GUARD_RECORD;
}

/* The offset that a record names; 0 when no block has one like it. */
static size_t guard_offset_in(struct record record)
{
    size_t log2 = record.checksum & LOG2_FIELD;
    size_t offset = log2 < 8 * sizeof(size_t) ? (size_t)1 << log2 : 0;
    return offset >= ACRE_GUARD_FRONT ? offset : 0;
}

/* Reads size and offset from a record if it is valid for a block in this inner block. */
static bool guard_accept_record(struct guarded *block, struct record record)
{
    size_t offset = guard_offset_in(record);
    size_t limit = block->usable - ACRE_GUARD_REAR - ACRE_GUARD_RECORD;
    if (offset == 0 || offset >= limit || record.size == 0 || record.size > limit - offset ||
        record.checksum !=
            guard_checksum(block->start + offset, record.size, record.checksum & LOG2_FIELD))
        return false;
    block->ptr = block->start + offset;
    block->offset = offset;
    block->size = record.size;
    return true;
}

bool acre_guard_block_in(unsigned char *start, size_t usable, struct guarded *block)
{
    block->start = start;
    block->usable = usable;
    if (usable <= ACRE_GUARD_COST)
        return false;
    if (guard_accept_record(block, guard_read_record(guard_last_record(block))))
        return true;
    for (size_t offset = ACRE_GUARD_FRONT; offset < usable - ACRE_GUARD_REAR; offset *= 2) {
        struct record record = guard_read_record(start + offset - ACRE_GUARD_FRONT);
        if (guard_offset_in(record) == offset && guard_accept_record(block, record))
            return true;
    }
    return false;
}

/* Examines a pointer `offset` bytes into a live inner block. The record at the end comes first: the
 * bytes in front of the pointer may be the user's. */
static enum guard_found guard_examine(
    unsigned char *ptr, size_t offset, size_t usable, struct guarded *block)
{
    block->start = ptr - offset;
    block->usable = usable;
    if (usable <= ACRE_GUARD_COST || offset >= usable - ACRE_GUARD_REAR - ACRE_GUARD_RECORD)
        return GUARD_NO_BLOCK;
    if (!acre_guard_block_in(ptr - offset, usable, block)) {
        block->ptr = ptr;
        return GUARD_BROKEN;
    }
    return block->ptr == ptr ? GUARD_BLOCK : GUARD_NO_BLOCK;
}

/* NOT-COVERED-BEGIN: for builds without pointer validation, whose coverage is not measured. */
/* The record in front says where the inner block starts; without it, the start is unknown. */
static enum guard_found guard_trust_record(
    const struct acre_guard *guard, void *ptr, struct guarded *block)
{
    unsigned char *user = ptr;
    if (user == NULL)
        return GUARD_NO_BLOCK;
    struct record front = guard_read_record(user - ACRE_GUARD_FRONT);
    size_t offset = guard_offset_in(front);
    if (offset == 0 ||
        front.checksum != guard_checksum(user, front.size, front.checksum & LOG2_FIELD))
        return GUARD_BROKEN;
    struct acre_num usable = acre_usable_size(guard->inner, user - offset);
    return usable.status == ACRE_OK ? guard_examine(user, offset, usable.num, block)
                                    : GUARD_NO_BLOCK;
}
/* NOT-COVERED-END */

/* An offset above the smallest is the block's alignment, so the pointer is a multiple of it. The
 * first inner block found in front of the pointer is the only one that can hold it. */
enum guard_found acre_guard_block_at(
    const struct acre_guard *guard, void *ptr, struct guarded *block)
{
    uintptr_t at = (uintptr_t)ptr;
    size_t limit = at & (~at + 1);
    size_t offset = ACRE_GUARD_FRONT;
    if (!ACRE_CHECK_POINTERS)
        return guard_trust_record(guard, ptr, block); /* NOT-COVERED: as above */
    do {
        struct acre_num usable = acre_usable_size(guard->inner, (void *)(at - offset));
        if (usable.status == ACRE_OK)
            return guard_examine(ptr, offset, usable.num, block);
        offset *= 2;
    } while (offset <= limit && offset != 0);
    return GUARD_NO_BLOCK;
}

void acre_guard_block_write(const struct guarded *block)
{
    ACRE_ASSERT(acre_is_pow2(block->offset) && block->offset >= ACRE_GUARD_FRONT);
    ACRE_ASSERT(block->usable >= guard_need(block->offset, block->size));
    struct record record = guard_record_of(block);
    memset(guard_front_zone(block), ACRE_GUARD_FENCE, ACRE_GUARD_FRONT);
    memcpy(guard_front_zone(block), &record, sizeof record);
    memset(block->ptr + block->size, ACRE_GUARD_FENCE, ACRE_GUARD_REAR);
    memcpy(guard_last_record(block), &record, sizeof record);
}

/* ---- damage ---- */

static void guard_note_distance(struct acre_guard_damage *damage, size_t distance)
{
    if (damage->distance == 0 || distance < damage->distance)
        damage->distance = distance;
    if (distance > damage->reach)
        damage->reach = distance;
}

static struct acre_guard_damage guard_no_damage(
    const struct guarded *block, enum acre_guard_side side)
{
    return (struct acre_guard_damage){ block->ptr, block->size, side, 0, 0 };
}

bool acre_guard_block_before(const struct guarded *block, struct acre_guard_damage *damage)
{
    unsigned char want[ACRE_GUARD_FRONT];
    struct record record = guard_record_of(block);
    memset(want, ACRE_GUARD_FENCE, sizeof want);
    memcpy(want, &record, sizeof record);
    *damage = guard_no_damage(block, ACRE_GUARD_BEFORE);
    for (size_t i = 0; i < ACRE_GUARD_FRONT; i++) {
        if (guard_front_zone(block)[i] != want[i])
            guard_note_distance(damage, ACRE_GUARD_FRONT - i);
    }
    return damage->distance != 0;
}

bool acre_guard_block_behind(const struct guarded *block, struct acre_guard_damage *damage)
{
    unsigned char want[ACRE_GUARD_RECORD];
    struct record record = guard_record_of(block);
    const unsigned char *end = block->ptr + block->size;
    memcpy(want, &record, sizeof record);
    *damage = guard_no_damage(block, ACRE_GUARD_BEHIND);
    for (size_t i = 0; i < ACRE_GUARD_REAR; i++) {
        if (end[i] != ACRE_GUARD_FENCE)
            guard_note_distance(damage, i + 1);
    }
    for (size_t i = 0; i < ACRE_GUARD_RECORD; i++) {
        if (guard_last_record(block)[i] != want[i])
            guard_note_distance(damage, (size_t)(guard_last_record(block) + i - end) + 1);
    }
    return damage->distance != 0;
}
