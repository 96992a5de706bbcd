/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The loops over a script: one of each for every type of subject. */
#include "tool/replay/clock.h"
#include "tool/replay/work.h"

enum manner {
    PLAIN,
    STRICT, /* up to the first operation that is not served */
    WRITING /* each byte of a block is written when the program gets it */
};

/* Bytes that a slot holds before an operation and that stay what they are. */
ACRE_INLINE size_t held(const struct replay_slot *slot, struct replay_op op)
{
    return slot->ptr && replay_op_verb(op) == REPLAY_REALLOC ? replay_slot_size(slot) : 0;
}

ACRE_INLINE bool step_writing(const struct replay_instance *instance, enum replay_subject_type type,
    struct replay_op op, const struct replay_wide *wides, struct replay_slot *slots)
{
    struct replay_slot *slot = &slots[op.slot];
    size_t before = held(slot, op);
    if (!replay_step(instance, type, op, wides, slots))
        return false;
    size_t size = replay_slot_size(slot);
    if (type != REPLAY_ON_NOTHING && replay_op_verb(op) != REPLAY_DEALLOC && size > before)
        memset((char *)slot->ptr + before, 0x5A, size - before);
    return true;
}

/* `type` and `manner` are constants where this is inlined. */
ACRE_INLINE uint64_t run(const struct replay_part *part, const struct replay_instance *shared,
    struct replay_slot *slots, enum replay_subject_type type, enum manner manner)
{
    const struct replay_instance instance = *shared;
    const struct replay_wide *wides = part->wides;
    const struct replay_op *end = part->stretch.ops + part->stretch.count;
    uint64_t failed = 0;
    for (const struct replay_op *op = part->stretch.ops; op < end; op++) {
        if (ACRE_LIKELY(manner == WRITING ? step_writing(&instance, type, *op, wides, slots)
                                          : replay_step(&instance, type, *op, wides, slots)))
            continue;
        failed++;
        if (manner == STRICT)
            break;
    }
    return failed;
}

ACRE_INLINE uint64_t run_on(const struct replay_part *part, const struct replay_instance *instance,
    struct replay_slot *slots, enum manner manner)
{
    switch (instance->subject->type) {
    case REPLAY_ON_BACKEND:
        return run(part, instance, slots, REPLAY_ON_BACKEND, manner);
    case REPLAY_ON_PLUGIN:
        return run(part, instance, slots, REPLAY_ON_PLUGIN, manner);
    case REPLAY_ON_SYSTEM:
        return run(part, instance, slots, REPLAY_ON_SYSTEM, manner);
    case REPLAY_ON_NOTHING:
        break;
    }
    return run(part, instance, slots, REPLAY_ON_NOTHING, manner);
}

uint64_t replay_run(const struct replay_part *part, const struct replay_instance *instance,
    struct replay_slot *slots)
{
    return run_on(part, instance, slots, PLAIN);
}

uint64_t replay_run_writing(const struct replay_part *part, const struct replay_instance *instance,
    struct replay_slot *slots)
{
    return run_on(part, instance, slots, WRITING);
}

bool replay_run_strict(const struct replay_part *part, const struct replay_instance *instance,
    struct replay_slot *slots)
{
    return run_on(part, instance, slots, STRICT) == 0;
}

ACRE_INLINE void run_steps(const struct replay_part *part, const struct replay_instance *shared,
    struct replay_slot *slots, uint32_t *ticks, uint64_t cost, enum replay_subject_type type)
{
    const struct replay_instance instance = *shared;
    const struct replay_wide *wides = part->wides;
    const struct replay_op *ops = part->stretch.ops;
    for (uint64_t i = 0; i < part->stretch.count; i++) {
        uint64_t start = acre_clock_ticks();
        replay_step(&instance, type, ops[i], wides, slots);
        uint64_t took = acre_clock_ticks() - start;
        took = took > cost ? took - cost : 0;
        if (took < ticks[i])
            ticks[i] = (uint32_t)took;
    }
}

void replay_run_steps(const struct replay_part *part, const struct replay_instance *instance,
    struct replay_slot *slots, uint32_t *ticks, uint64_t cost)
{
    switch (instance->subject->type) {
    case REPLAY_ON_BACKEND:
        run_steps(part, instance, slots, ticks, cost, REPLAY_ON_BACKEND);
        break;
    case REPLAY_ON_PLUGIN:
        run_steps(part, instance, slots, ticks, cost, REPLAY_ON_PLUGIN);
        break;
    case REPLAY_ON_SYSTEM:
        run_steps(part, instance, slots, ticks, cost, REPLAY_ON_SYSTEM);
        break;
    case REPLAY_ON_NOTHING:
        break;
    }
}
