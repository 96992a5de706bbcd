/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "replay/stamp.h"

#include <string.h>

/* Every word of the first `dense` bytes is stamped, then one in `stride` bytes, and the last TAIL. */
#define WORD sizeof(uint64_t)
#define TAIL ((size_t)64)

#define SLOT_FACTOR UINT64_C(0x9E3779B97F4A7C15)
#define OFFSET_FACTOR UINT64_C(0xC2B2AE3D27D4EB4F)

static size_t dense = (size_t)64 << 10;
static size_t stride = 512;

void replay_stamp_set_coarse(bool coarse)
{
    dense = coarse ? 4096 : (size_t)64 << 10;
    stride = coarse ? 4096 : 512;
}

static uint64_t word_at(uint32_t slot, size_t offset)
{
    return ((uint64_t)slot + 1) * SLOT_FACTOR ^ ((uint64_t)offset + 1) * OFFSET_FACTOR;
}

/* The first multiple of `unit` at or after `from`. */
static size_t stamp_first(size_t from, size_t unit)
{
    return (from + unit - 1) / unit * unit;
}

static size_t tail_start(size_t size)
{
    return size > TAIL ? (size - TAIL) / WORD * WORD : 0;
}

static size_t stamp_lesser(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Bytes of the word at `offset` that lie before `end`. */
static size_t stamp_part(size_t offset, size_t end)
{
    return stamp_lesser(end - offset, WORD);
}

/* ---- writing ---- */

static void stamp_word(char *block, size_t offset, size_t end, uint32_t slot)
{
    uint64_t word = word_at(slot, offset);
    memcpy(block + offset, &word, stamp_part(offset, end));
}

/* The words from `offset` on, one after another; whole ones need no multiplication. */
static void stamp_words(char *block, size_t offset, size_t end, uint32_t slot)
{
    uint64_t slots = word_at(slot, offset) ^ ((uint64_t)offset + 1) * OFFSET_FACTOR;
    uint64_t offsets = ((uint64_t)offset + 1) * OFFSET_FACTOR;
    for (; offset < end && end - offset >= WORD; offset += WORD) {
        uint64_t word = slots ^ offsets;
        memcpy(block + offset, &word, WORD);
        offsets += WORD * OFFSET_FACTOR;
    }
    if (offset < end)
        stamp_word(block, offset, end, slot);
}

void replay_stamp(void *block, size_t from, size_t size, uint32_t slot)
{
    /* The word that `from` cuts was stamped in part. */
    stamp_words(block, from / WORD * WORD, stamp_lesser(size, dense), slot);
    for (size_t offset = stamp_first(from < dense ? dense : from / WORD * WORD, stride);
         offset < size; offset += stride)
        stamp_word(block, offset, size, slot);
    stamp_words(block, tail_start(size), size, slot);
}

/* ---- checking: where it differs, or SIZE_MAX ---- */

static bool stamp_differs(const char *block, size_t offset, size_t end, uint32_t slot)
{
    uint64_t word = word_at(slot, offset);
    return memcmp(block + offset, &word, stamp_part(offset, end)) != 0;
}

static size_t check_words(const char *block, size_t offset, size_t end, uint32_t slot)
{
    uint64_t slots = word_at(slot, offset) ^ ((uint64_t)offset + 1) * OFFSET_FACTOR;
    uint64_t offsets = ((uint64_t)offset + 1) * OFFSET_FACTOR;
    for (; offset < end && end - offset >= WORD; offset += WORD) {
        uint64_t word;
        memcpy(&word, block + offset, WORD);
        if (word != (slots ^ offsets))
            return offset;
        offsets += WORD * OFFSET_FACTOR;
    }
    return offset < end && stamp_differs(block, offset, end, slot) ? offset : SIZE_MAX;
}

size_t replay_stamp_check(const void *block, size_t from, size_t to, uint32_t slot)
{
    size_t found = check_words(block, stamp_first(from, WORD), stamp_lesser(to, dense), slot);
    size_t offset = stamp_first(from < dense ? dense : from, stride);
    for (; found == SIZE_MAX && offset < to; offset += stride)
        if (stamp_differs(block, offset, to, slot))
            found = offset;
    return found;
}

size_t replay_stamp_check_tail(const void *block, size_t size, uint32_t slot)
{
    return check_words(block, tail_start(size), size, slot);
}
