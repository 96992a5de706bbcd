/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/map/history.h"

#include "replay/loop.h"
#include "replay/peaks.h"

#include <stdlib.h>

enum {
    REPORT_MOMENTS = 120,
    REPORT_BLOCKS = 20000,
    REPORT_WINDOW = 4000 /* operations, of a run too long to be kept whole */
};

/* The block of a slot. */
struct state {
    uint64_t born; /* from 1; 0: there is none */
    uint64_t asked;
    uint32_t record; /* its place in the history, from 1 */
};

struct historian {
    struct map_history *history;
    const struct replay_script *script;
    struct state *states;
    uint64_t live; /* bytes */
    size_t taken;  /* moments */
};

struct map_plan map_plan_for(const struct replay_facts *facts)
{
    uint64_t last = facts->ops - 1;
    uint64_t room = facts->peak_blocks < REPORT_BLOCKS ? REPORT_BLOCKS - facts->peak_blocks : 1;
    uint64_t window = room < REPORT_WINDOW ? room : REPORT_WINDOW;
    struct map_plan plan = {
        .moments = REPORT_MOMENTS, .blocks = REPORT_BLOCKS, .last = last, .window_last = last
    };
    if (facts->ops <= REPORT_BLOCKS)
        return plan;
    plan.window_first = facts->peak_op > window / 2 ? facts->peak_op - window / 2 : 0;
    plan.window_last = plan.window_first + window - 1;
    if (plan.window_last > last)
        plan.window_last = last;
    return plan;
}

static uint32_t add_block(struct historian *historian, uint32_t slot)
{
    struct map_history *history = historian->history;
    const struct state *state = &historian->states[slot];
    if (history->block_count == history->plan.blocks)
        history->too_many = true;
    if (history->too_many)
        return 0;
    history->blocks[history->block_count++] = (struct map_block){ .born = state->born - 1,
        .died = UINT64_MAX,
        .asked = state->asked,
        .slot = slot,
        .thread = history->threads ? history->threads[state->born - 1] : 0 };
    return (uint32_t)history->block_count;
}

static int by_birth(const void *left, const void *right)
{
    const struct map_block *a = left;
    const struct map_block *b = right;
    return (a->born > b->born) - (a->born < b->born);
}

/* The blocks that are live before the window. */
static void begin_window(struct historian *historian)
{
    struct map_history *history = historian->history;
    for (uint64_t slot = 0; slot < historian->script->facts.slots; slot++)
        if (historian->states[slot].born)
            add_block(historian, (uint32_t)slot);
    history->before = history->block_count;
    qsort(history->blocks, history->before, sizeof *history->blocks, by_birth);
    for (size_t i = 0; i < history->before; i++)
        historian->states[history->blocks[i].slot].record = (uint32_t)i + 1;
}

static void follow_op(struct historian *historian, struct replay_op op, uint64_t at)
{
    struct map_history *history = historian->history;
    struct state *state = &historian->states[op.slot];
    bool watched = at >= history->plan.window_first && at <= history->plan.window_last;
    if (at == history->plan.window_first)
        begin_window(historian);
    if (watched && state->record)
        history->blocks[state->record - 1].died = at;
    historian->live -= state->asked;
    *state = (struct state){ 0, 0, 0 };
    if (replay_op_verb(op) == REPLAY_DEALLOC)
        return;
    state->born = at + 1;
    state->asked = replay_op_size(op, replay_wides(historian->script));
    historian->live += state->asked;
    if (watched)
        state->record = add_block(historian, op.slot);
}

static void take_live(struct historian *historian, uint64_t at)
{
    struct map_history *history = historian->history;
    if (historian->taken < history->moment_count && at == history->moments[historian->taken])
        history->live[historian->taken++] = historian->live;
}

static void follow_all(struct historian *historian)
{
    struct replay_window window = { 0 };
    uint64_t at = 0;
    uint64_t last = historian->history->plan.last;
    while (at <= last && replay_script_next(historian->script, &window))
        for (uint64_t i = 0; i < window.count && at <= last; i++, at++) {
            follow_op(historian, window.ops[i], at);
            take_live(historian, at);
        }
    if (historian->history->too_many)
        historian->history->block_count = historian->history->before = 0;
}

bool map_history_make(struct map_history *history, const struct replay_script *script,
    const struct map_plan *plan, const uint8_t *threads)
{
    struct historian historian = { .history = history, .script = script };
    *history = (struct map_history){ .plan = *plan,
        .ops = script->facts.ops,
        .peak_op = script->facts.peak_op,
        .threads = threads };
    history->moments = calloc(plan->moments, sizeof *history->moments);
    history->live = calloc(plan->moments, sizeof *history->live);
    history->blocks = calloc(plan->blocks, sizeof *history->blocks);
    historian.states = calloc((size_t)script->facts.slots + 1, sizeof *historian.states);
    bool made = history->moments && history->live && history->blocks && historian.states;
    if (made) {
        history->moment_count =
            replay_find_peaks(script, plan->last, plan->moments, history->moments);
        follow_all(&historian);
    }
    free(historian.states);
    if (!made || !history->moment_count)
        map_history_free(history);
    return made && history->moment_count;
}

void map_history_free(struct map_history *history)
{
    free(history->moments);
    free(history->live);
    free(history->blocks);
    *history = (struct map_history){ .threads = NULL };
}
