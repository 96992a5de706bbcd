/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "replay/pack.h"

#define WHAT_MASK ((UINT32_C(1) << REPLAY_VERB_SHIFT) - 1)

/* A difference of slots: 0, -1, 1, -2, ... become 0, 1, 2, 3, ... */
static uint32_t zigzag(uint32_t difference)
{
    return difference << 1 ^ (0u - (difference >> 31));
}

static uint32_t unzigzag(uint32_t number)
{
    return number >> 1 ^ (0u - (number & 1));
}

/* A size of 29 bits with "wide" above them becomes one with "wide" below. */
static uint32_t lower_wide(uint32_t what)
{
    return (what & REPLAY_SIZE_MASK) << 1 | (what & REPLAY_WIDE ? 1 : 0);
}

static uint32_t raise_wide(uint32_t packed)
{
    return packed >> 1 | (packed & 1 ? REPLAY_WIDE : 0);
}

size_t replay_pack_ops(uint8_t *into, const struct replay_op *ops, size_t count)
{
    uint8_t *at = into;
    uint32_t slot = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t verb = ops[i].what >> REPLAY_VERB_SHIFT;
        at = replay_pack_number(at, (uint64_t)zigzag(ops[i].slot - slot) << 2 | verb);
        if (verb != REPLAY_DEALLOC)
            at = replay_pack_number(at, lower_wide(ops[i].what & WHAT_MASK));
        slot = ops[i].slot;
    }
    return (size_t)(at - into);
}

/* The next operation; `*last` is the one before. */
ACRE_INLINE const uint8_t *unpack_next_op(const uint8_t *from, struct replay_op *last)
{
    uint64_t head;
    uint64_t size = 0;
    from = replay_unpack_number(from, &head);
    uint32_t verb = (uint32_t)head & 3;
    if (verb != REPLAY_DEALLOC)
        from = replay_unpack_number(from, &size);
    last->slot += unzigzag((uint32_t)(head >> 2));
    last->what = verb << REPLAY_VERB_SHIFT | raise_wide((uint32_t)size);
    return from;
}

void replay_unpack_ops(struct replay_op *ops, size_t count, const uint8_t *from)
{
    struct replay_op op = { 0, 0 };
    for (size_t i = 0; i < count; i++) {
        from = unpack_next_op(from, &op);
        ops[i] = op;
    }
}

struct replay_op replay_unpack_op(const uint8_t *from, size_t index)
{
    struct replay_op op = { 0, 0 };
    for (size_t i = 0; i <= index; i++)
        from = unpack_next_op(from, &op);
    return op;
}

size_t replay_pack_ticks(uint8_t *into, const uint32_t *ticks, size_t count)
{
    uint8_t *at = into;
    for (size_t i = 0; i < count; i++)
        at = replay_pack_number(at, ticks[i]);
    return (size_t)(at - into);
}

void replay_unpack_ticks(uint32_t *ticks, size_t count, const uint8_t *from)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t number;
        from = replay_unpack_number(from, &number);
        ticks[i] = (uint32_t)number;
    }
}
