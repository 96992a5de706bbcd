/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "replay/peaks.h"

#include "replay/loop.h"
#include "replay/survey.h"

#include <stdlib.h>

struct peaks {
    const struct replay_script *script;
    uint64_t *sizes; /* bytes asked for, by slot */
    uint64_t live;
    uint64_t most; /* of the interval so far */
    uint64_t *moments;
    size_t count; /* of moments; the last of them may still move */
};

static void follow(struct peaks *peaks, struct replay_op op)
{
    uint64_t size =
        replay_op_verb(op) == REPLAY_DEALLOC ? 0 : replay_op_size(op, replay_wides(peaks->script));
    peaks->live += size - peaks->sizes[op.slot];
    peaks->sizes[op.slot] = size;
}

static void begin_interval(struct peaks *peaks, uint64_t at)
{
    peaks->moments[peaks->count++] = at;
    peaks->most = peaks->live;
}

static void take_peak(struct peaks *peaks, uint64_t at)
{
    if (peaks->live <= peaks->most)
        return;
    peaks->moments[peaks->count - 1] = at;
    peaks->most = peaks->live;
}

static void find_all(struct peaks *peaks, uint64_t last, size_t count)
{
    struct replay_window window = { 0 };
    while (replay_script_next(peaks->script, &window) && window.first <= last) {
        for (uint64_t i = 0; i < window.count && window.first + i <= last; i++) {
            uint64_t at = window.first + i;
            follow(peaks, window.ops[i]);
            if (at == replay_sample_op(last, peaks->count, count))
                begin_interval(peaks, at);
            else if (peaks->count)
                take_peak(peaks, at);
        }
    }
}

size_t replay_find_peaks(
    const struct replay_script *script, uint64_t last, size_t count, uint64_t *moments)
{
    struct peaks peaks = { .script = script };
    peaks.moments = moments;
    peaks.sizes = calloc((size_t)script->facts.slots + 1, sizeof *peaks.sizes);
    if (!peaks.sizes)
        return 0;
    find_all(&peaks, last, last < count ? (size_t)last + 1 : count);
    free(peaks.sizes);
    return peaks.count;
}
