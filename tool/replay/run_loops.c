/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The loops over a script: one of each for every type of subject. */
#include "tool/replay/clock.h"
#include "tool/replay/work.h"

/* `type` and `strict` are constants where this is inlined. */
ACRE_INLINE uint64_t run(const struct replay_script *script, const struct replay_instance *shared,
    struct replay_slot *slots, enum replay_subject_type type, bool strict)
{
    const struct replay_instance instance = *shared;
    const struct replay_wide *wides = replay_wides(script);
    const struct replay_op *end = replay_ops(script) + script->facts.ops;
    uint64_t failed = 0;
    for (const struct replay_op *op = replay_ops(script); op < end; op++) {
        if (ACRE_LIKELY(replay_step(&instance, type, *op, wides, slots)))
            continue;
        failed++;
        if (strict)
            break;
    }
    return failed;
}

ACRE_INLINE uint64_t run_on(const struct replay_script *script,
    const struct replay_instance *instance, struct replay_slot *slots, bool strict)
{
    switch (instance->subject->type) {
    case REPLAY_ON_KIND:
        return run(script, instance, slots, REPLAY_ON_KIND, strict);
    case REPLAY_ON_PLUGIN:
        return run(script, instance, slots, REPLAY_ON_PLUGIN, strict);
    case REPLAY_ON_SYSTEM:
        return run(script, instance, slots, REPLAY_ON_SYSTEM, strict);
    case REPLAY_ON_NOTHING:
        break;
    }
    return run(script, instance, slots, REPLAY_ON_NOTHING, strict);
}

uint64_t replay_run(const struct replay_script *script, const struct replay_instance *instance,
    struct replay_slot *slots)
{
    return run_on(script, instance, slots, false);
}

bool replay_run_strict(const struct replay_script *script, const struct replay_instance *instance,
    struct replay_slot *slots)
{
    return run_on(script, instance, slots, true) == 0;
}

ACRE_INLINE void run_steps(const struct replay_script *script, const struct replay_instance *shared,
    struct replay_slot *slots, uint32_t *ticks, uint64_t cost, enum replay_subject_type type)
{
    const struct replay_instance instance = *shared;
    const struct replay_wide *wides = replay_wides(script);
    const struct replay_op *ops = replay_ops(script);
    for (uint64_t i = 0; i < script->facts.ops; i++) {
        uint64_t start = replay_ticks();
        replay_step(&instance, type, ops[i], wides, slots);
        uint64_t took = replay_ticks() - start;
        took = took > cost ? took - cost : 0;
        if (took < ticks[i])
            ticks[i] = (uint32_t)took;
    }
}

void replay_run_steps(const struct replay_script *script, const struct replay_instance *instance,
    struct replay_slot *slots, uint32_t *ticks, uint64_t cost)
{
    switch (instance->subject->type) {
    case REPLAY_ON_KIND:
        run_steps(script, instance, slots, ticks, cost, REPLAY_ON_KIND);
        break;
    case REPLAY_ON_PLUGIN:
        run_steps(script, instance, slots, ticks, cost, REPLAY_ON_PLUGIN);
        break;
    case REPLAY_ON_SYSTEM:
        run_steps(script, instance, slots, ticks, cost, REPLAY_ON_SYSTEM);
        break;
    case REPLAY_ON_NOTHING:
        break;
    }
}
