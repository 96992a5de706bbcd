/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/replay/stamp.h"

#include <string.h>

#define WORD sizeof(uint64_t)
#define DENSE ((size_t)64 << 10)
#define STRIDE ((size_t)512)
#define TAIL ((size_t)64)

static uint64_t word_at(uint32_t slot, size_t offset)
{
    return ((uint64_t)slot + 1) * UINT64_C(0x9E3779B97F4A7C15) ^
           ((uint64_t)offset + 1) * UINT64_C(0xC2B2AE3D27D4EB4F);
}

/* The stamped offset that follows `offset`. */
static size_t next(size_t offset)
{
    return offset + (offset < DENSE ? WORD : STRIDE);
}

/* The first stamped offset, not of a tail, at or after `from`. */
static size_t first(size_t from)
{
    size_t unit = from < DENSE ? WORD : STRIDE;
    return (from + unit - 1) / unit * unit;
}

static size_t tail_start(size_t size)
{
    return size > TAIL ? (size - TAIL) / WORD * WORD : 0;
}

/* Bytes of the word at `offset` that lie within `size`. */
static size_t part(size_t offset, size_t size)
{
    return size - offset < WORD ? size - offset : WORD;
}

static void put(void *block, size_t offset, size_t size, uint32_t slot)
{
    uint64_t word = word_at(slot, offset);
    memcpy((char *)block + offset, &word, part(offset, size));
}

static int differs(const void *block, size_t offset, size_t size, uint32_t slot)
{
    uint64_t word = word_at(slot, offset);
    return memcmp((const char *)block + offset, &word, part(offset, size));
}

void replay_stamp(void *block, size_t from, size_t size, uint32_t slot)
{
    /* The word that `from` cuts was stamped in part. */
    for (size_t offset = first(from / WORD * WORD); offset < size; offset = next(offset))
        put(block, offset, size, slot);
    for (size_t offset = tail_start(size); offset < size; offset += WORD)
        put(block, offset, size, slot);
}

size_t replay_stamp_check(const void *block, size_t from, size_t to, uint32_t slot)
{
    for (size_t offset = first(from); offset < to; offset = next(offset))
        if (differs(block, offset, to, slot))
            return offset;
    return SIZE_MAX;
}

size_t replay_stamp_check_tail(const void *block, size_t size, uint32_t slot)
{
    for (size_t offset = tail_start(size); offset < size; offset += WORD)
        if (differs(block, offset, size, slot))
            return offset;
    return SIZE_MAX;
}
