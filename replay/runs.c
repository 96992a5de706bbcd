/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "replay/runs.h"

#include "replay/pack.h"

#include <string.h>

/* Bytes at most of a run: a thread has 32 bits, a count 64. */
#define MOST_RUN 15u

/* Adds the run that is complete. @return false: there is no memory. */
static bool end_run(struct replay_script *script)
{
    uint8_t packed[MOST_RUN];
    uint8_t *end = replay_pack_number(packed, script->run_thread);
    size_t size = (size_t)(replay_pack_number(end, script->run_length) - packed);
    uint64_t first = script->facts.run_bytes;
    if (!replay_array_at(&script->run_array, first + MOST_RUN, 1))
        return false;
    memcpy(replay_array_at(&script->run_array, first, 1), packed, size);
    script->facts.run_bytes += size;
    return true;
}

/* Runs of fewer operations than the script has are as good as none. */
static void forget_runs(struct replay_script *script)
{
    script->facts.run_bytes = 0;
    script->run_length = 0;
}

void replay_runs_add(struct replay_script *script, uint32_t thread)
{
    if (script->facts.streamed) {
        forget_runs(script);
        return;
    }
    if (script->run_length && thread != script->run_thread) {
        if (!end_run(script))
            forget_runs(script);
        script->run_length = 0;
    }
    script->run_thread = thread;
    script->run_length++;
}

void replay_runs_end(struct replay_script *script)
{
    if (script->run_length && !end_run(script))
        forget_runs(script);
    script->run_length = 0;
}

bool replay_runs_next(struct replay_runs *runs, const struct replay_script *script)
{
    const uint8_t *bytes = script->run_array.items;
    uint64_t thread;
    if (runs->at >= script->facts.run_bytes)
        return false;
    const uint8_t *end = replay_unpack_number(bytes + runs->at, &thread);
    end = replay_unpack_number(end, &runs->count);
    runs->at = (uint64_t)(end - bytes);
    runs->thread = (uint32_t)thread;
    return true;
}
