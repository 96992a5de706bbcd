/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/compare/profile.h"

#include "replay/loop.h"
#include "replay/peaks.h"

#include <stdlib.h>
#include <string.h>

/* A slot's block: when it was allocated, from 1; 0: there is none. */
struct block {
    uint64_t born;
    uint64_t size;
};

struct profiler {
    struct compare_profile *profile;
    const struct replay_script *script;
    struct block *blocks;
    struct replay_sample now;
};

static void request(struct profiler *profiler, struct block *block, uint64_t size)
{
    unsigned bucket = replay_bucket(size);
    profiler->profile->sizes[bucket]++;
    profiler->profile->size_bytes[bucket] += size;
    profiler->now.live += size - block->size;
    block->size = size;
}

static void profile_op(struct profiler *profiler, struct replay_op op, uint64_t at)
{
    struct block *block = &profiler->blocks[op.slot];
    uint64_t size = replay_op_size(op, replay_wides(profiler->script));
    switch (replay_op_verb(op)) {
    case REPLAY_ALLOC:
        *block = (struct block){ at + 1, 0 };
        profiler->now.blocks++;
        request(profiler, block, size);
        break;
    case REPLAY_REALLOC:
        request(profiler, block, size);
        break;
    case REPLAY_DEALLOC:
        profiler->profile->lifetimes[replay_bucket(at + 1 - block->born)]++;
        profiler->now.blocks--;
        profiler->now.live -= block->size;
        break;
    }
}

static void take_all(struct profiler *profiler)
{
    struct compare_profile *profile = profiler->profile;
    uint64_t moments[REPLAY_SAMPLES];
    size_t count = replay_find_peaks(
        profiler->script, profiler->script->facts.ops - 1, REPLAY_SAMPLES, moments);
    for (struct replay_window window = { 0 }; replay_script_next(profiler->script, &window);) {
        for (uint64_t i = 0; i < window.count; i++) {
            profiler->now.op = window.first + i;
            profile_op(profiler, window.ops[i], profiler->now.op);
            if (profile->count < count && profiler->now.op == moments[profile->count])
                profile->samples[profile->count++] = profiler->now;
        }
    }
}

bool compare_profile_make(struct compare_profile *profile, const struct replay_script *script)
{
    struct profiler profiler = { .profile = profile, .script = script };
    memset(profile, 0, sizeof *profile);
    profiler.blocks = calloc((size_t)script->facts.slots + 1, sizeof *profiler.blocks);
    if (!profiler.blocks)
        return false;
    take_all(&profiler);
    free(profiler.blocks);
    return true;
}
