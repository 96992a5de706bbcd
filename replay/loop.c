/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The loops over a script: one of each for every type of backend. */
#include "replay/counter.h"
#include "replay/worker.h"

enum loop_mode {
    PLAIN,
    STRICT,  /* up to the first operation that is not served */
    TOUCHING /* each byte of a block is written when it is allocated */
};

/* Bytes that a slot holds before an operation and that stay what they are. */
ACRE_INLINE size_t held(const struct replay_slot *slot, struct replay_op op)
{
    return slot->ptr && replay_op_verb(op) == REPLAY_REALLOC ? replay_slot_size(slot) : 0;
}

ACRE_INLINE bool step_touching(const struct replay_instance *instance,
    enum replay_backend_type type, struct replay_op op, const struct replay_wide *wides,
    struct replay_slot *slots)
{
    struct replay_slot *slot = &slots[op.slot];
    size_t before = held(slot, op);
    if (!replay_step(instance, type, op, wides, slots))
        return false;
    size_t size = replay_slot_size(slot);
    if (type != REPLAY_EMPTY && replay_op_verb(op) != REPLAY_DEALLOC && size > before)
        memset((char *)slot->ptr + before, 0x5A, size - before);
    return true;
}

/* `type` and `mode` are constants where this is inlined. */
ACRE_INLINE uint64_t run(const struct replay_window *window, const struct replay_instance *shared,
    struct replay_slot *slots, enum replay_backend_type type, enum loop_mode mode)
{
    const struct replay_instance instance = *shared;
    const struct replay_wide *wides = window->wides;
    const struct replay_op *end = window->ops + window->count;
    uint64_t failed = 0;
    for (const struct replay_op *op = window->ops; op < end; op++) {
        if (ACRE_LIKELY(mode == TOUCHING ? step_touching(&instance, type, *op, wides, slots)
                                         : replay_step(&instance, type, *op, wides, slots)))
            continue;
        failed++;
        if (mode == STRICT)
            break;
    }
    return failed;
}

ACRE_INLINE uint64_t run_on(const struct replay_window *window,
    const struct replay_instance *instance, struct replay_slot *slots, enum loop_mode mode)
{
    switch (instance->backend->type) {
    case REPLAY_BUILTIN:
        return run(window, instance, slots, REPLAY_BUILTIN, mode);
    case REPLAY_PLUGIN:
        return run(window, instance, slots, REPLAY_PLUGIN, mode);
    case REPLAY_SYSTEM:
        return run(window, instance, slots, REPLAY_SYSTEM, mode);
    case REPLAY_EMPTY:
        break;
    }
    return run(window, instance, slots, REPLAY_EMPTY, mode);
}

uint64_t replay_run(const struct replay_window *window, const struct replay_instance *instance,
    struct replay_slot *slots)
{
    return run_on(window, instance, slots, PLAIN);
}

uint64_t replay_run_touching(const struct replay_window *window,
    const struct replay_instance *instance, struct replay_slot *slots)
{
    return run_on(window, instance, slots, TOUCHING);
}

bool replay_run_strict(const struct replay_window *window, const struct replay_instance *instance,
    struct replay_slot *slots)
{
    return run_on(window, instance, slots, STRICT) == 0;
}

ACRE_INLINE void run_steps(const struct replay_window *window, const struct replay_instance *shared,
    struct replay_slot *slots, uint32_t *ticks, uint64_t cost, enum replay_backend_type type)
{
    const struct replay_instance instance = *shared;
    const struct replay_wide *wides = window->wides;
    const struct replay_op *ops = window->ops;
    for (uint64_t i = 0; i < window->count; i++) {
        uint64_t start = acre_clock_ticks();
        replay_step(&instance, type, ops[i], wides, slots);
        uint64_t took = acre_clock_ticks() - start;
        took = took > cost ? took - cost : 0;
        if (took < ticks[i])
            ticks[i] = (uint32_t)took;
    }
}

void replay_run_steps(const struct replay_window *window, const struct replay_instance *instance,
    struct replay_slot *slots, uint32_t *ticks, uint64_t cost)
{
    switch (instance->backend->type) {
    case REPLAY_BUILTIN:
        run_steps(window, instance, slots, ticks, cost, REPLAY_BUILTIN);
        break;
    case REPLAY_PLUGIN:
        run_steps(window, instance, slots, ticks, cost, REPLAY_PLUGIN);
        break;
    case REPLAY_SYSTEM:
        run_steps(window, instance, slots, ticks, cost, REPLAY_SYSTEM);
        break;
    case REPLAY_EMPTY:
        break;
    }
}
