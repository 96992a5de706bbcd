/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "wrap/guard_block.h"

#include "base/bits.h"
#include "base/memory.h"

/* The size asked for, and a seal: log2 of the lead in its lowest byte, above that a checksum of the
 * size, the lead and the user's pointer, so that a record that was copied is none. */
struct record {
    size_t asked;
    size_t seal;
};

_Static_assert(sizeof(struct record) == ACRE_GUARD_RECORD, "the public figure");
_Static_assert(ACRE_GUARD_FRONT % ACRE_NATURAL_ALIGN == 0, "pointers stay naturally aligned");
_Static_assert(ACRE_GUARD_FRONT > ACRE_GUARD_RECORD, "there is a fence in front");

enum { LOG2_FIELD = 0xff, HALF = 4 * sizeof(size_t) };

static size_t seal_of(const unsigned char *ptr, size_t asked, size_t lead_log2)
{
    const size_t odd = (size_t)UINT64_C(0x9e3779b97f4a7c15);
    size_t mix = ((size_t)(uintptr_t)ptr ^ lead_log2) * odd;
    mix = (mix ^ asked ^ mix >> HALF) * odd;
    return ((mix ^ mix >> HALF) & ~(size_t)LOG2_FIELD) | lead_log2;
}

static struct record record_of(const struct guarded *block)
{
    return (struct record){ block->asked,
        seal_of(block->ptr, block->asked, acre_bits_highest(block->lead)) };
}

static struct record read_record(const unsigned char *place)
{
    struct record record;
    memcpy(&record, place, sizeof record);
    return record;
}

static unsigned char *front_zone(const struct guarded *block)
{
    return block->ptr - ACRE_GUARD_FRONT;
}

static unsigned char *last_record(const struct guarded *block)
{
    return block->start + block->room - ACRE_GUARD_RECORD;
}

/* The lead that a record names; 0 when no block has one like it. */
static size_t lead_in(struct record record)
{
    size_t log2 = record.seal & LOG2_FIELD;
    size_t lead = log2 < 8 * sizeof(size_t) ? (size_t)1 << log2 : 0;
    return lead >= ACRE_GUARD_FRONT ? lead : 0;
}

/* Takes size and lead from a record, if it is that of a block at ptr in this inner block. */
static bool accept(struct guarded *block, struct record record)
{
    size_t lead = lead_in(record);
    size_t most = block->room - ACRE_GUARD_REAR - ACRE_GUARD_RECORD;
    if (lead == 0 || lead >= most || record.asked == 0 || record.asked > most - lead ||
        record.seal != seal_of(block->start + lead, record.asked, record.seal & LOG2_FIELD))
        return false;
    block->ptr = block->start + lead;
    block->lead = lead;
    block->asked = record.asked;
    return true;
}

bool acre_guard_block_in(unsigned char *start, size_t room, struct guarded *block)
{
    block->start = start;
    block->room = room;
    if (room <= ACRE_GUARD_COST)
        return false;
    if (accept(block, read_record(last_record(block))))
        return true;
    for (size_t lead = ACRE_GUARD_FRONT; lead < room - ACRE_GUARD_REAR; lead *= 2) {
        struct record record = read_record(start + lead - ACRE_GUARD_FRONT);
        if (lead_in(record) == lead && accept(block, record))
            return true;
    }
    return false;
}

/* Judges a pointer `lead` bytes into a live inner block. The record at the end goes first: one in
 * front of the pointer may be the user's bytes. */
static enum guard_found judge(unsigned char *ptr, size_t lead, size_t room, struct guarded *block)
{
    block->start = ptr - lead;
    block->room = room;
    if (room <= ACRE_GUARD_COST || lead >= room - ACRE_GUARD_REAR - ACRE_GUARD_RECORD)
        return GUARD_NO_BLOCK;
    if (!acre_guard_block_in(ptr - lead, room, block)) {
        block->ptr = ptr;
        return GUARD_BROKEN;
    }
    return block->ptr == ptr ? GUARD_BLOCK : GUARD_NO_BLOCK;
}

/* GCOVR_EXCL_START: for builds that do not prove pointers, and none of those is measured. */
/* The record in front says where the inner block starts; without it nothing does. */
static enum guard_found trust(const struct acre_guard *guard, void *ptr, struct guarded *block)
{
    unsigned char *user = ptr;
    if (user == NULL)
        return GUARD_NO_BLOCK;
    struct record front = read_record(user - ACRE_GUARD_FRONT);
    size_t lead = lead_in(front);
    if (lead == 0 || front.seal != seal_of(user, front.asked, front.seal & LOG2_FIELD))
        return GUARD_BROKEN;
    struct acre_num room = acre_usable_size(guard->inner, user - lead);
    return room.status == ACRE_OK ? judge(user, lead, room.num, block) : GUARD_NO_BLOCK;
}
/* GCOVR_EXCL_STOP */

/* A lead above the least is the block's alignment, so the pointer is a multiple of it. The first
 * inner block found in front of the pointer is the only one that can hold it. */
enum guard_found acre_guard_block_at(
    const struct acre_guard *guard, void *ptr, struct guarded *block)
{
    uintptr_t at = (uintptr_t)ptr;
    size_t most = at & (~at + 1);
    size_t lead = ACRE_GUARD_FRONT;
    if (!ACRE_CHECK_POINTERS)
        return trust(guard, ptr, block);
    do {
        struct acre_num room = acre_usable_size(guard->inner, (void *)(at - lead));
        if (room.status == ACRE_OK)
            return judge(ptr, lead, room.num, block);
        lead *= 2;
    } while (lead <= most && lead != 0);
    return GUARD_NO_BLOCK;
}

void acre_guard_block_seal(const struct guarded *block)
{
    struct record record = record_of(block);
    memset(front_zone(block), ACRE_GUARD_FENCE, ACRE_GUARD_FRONT);
    memcpy(front_zone(block), &record, sizeof record);
    memset(block->ptr + block->asked, ACRE_GUARD_FENCE, ACRE_GUARD_REAR);
    memcpy(last_record(block), &record, sizeof record);
}

/* ---- damage ---- */

static void note(struct acre_guard_damage *damage, size_t distance)
{
    if (damage->distance == 0 || distance < damage->distance)
        damage->distance = distance;
    if (distance > damage->reach)
        damage->reach = distance;
}

static struct acre_guard_damage nothing(const struct guarded *block, enum acre_guard_side side)
{
    return (struct acre_guard_damage){ block->ptr, block->asked, side, 0, 0 };
}

bool acre_guard_block_before(const struct guarded *block, struct acre_guard_damage *damage)
{
    unsigned char want[ACRE_GUARD_FRONT];
    struct record record = record_of(block);
    memset(want, ACRE_GUARD_FENCE, sizeof want);
    memcpy(want, &record, sizeof record);
    *damage = nothing(block, ACRE_GUARD_BEFORE);
    for (size_t i = 0; i < ACRE_GUARD_FRONT; i++) {
        if (front_zone(block)[i] != want[i])
            note(damage, ACRE_GUARD_FRONT - i);
    }
    return damage->distance != 0;
}

bool acre_guard_block_behind(const struct guarded *block, struct acre_guard_damage *damage)
{
    unsigned char want[ACRE_GUARD_RECORD];
    struct record record = record_of(block);
    const unsigned char *end = block->ptr + block->asked;
    memcpy(want, &record, sizeof record);
    *damage = nothing(block, ACRE_GUARD_BEHIND);
    for (size_t i = 0; i < ACRE_GUARD_REAR; i++) {
        if (end[i] != ACRE_GUARD_FENCE)
            note(damage, i + 1);
    }
    for (size_t i = 0; i < ACRE_GUARD_RECORD; i++) {
        if (last_record(block)[i] != want[i])
            note(damage, (size_t)(last_record(block) + i - end) + 1);
    }
    return damage->distance != 0;
}
