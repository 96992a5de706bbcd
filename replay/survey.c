/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The survey: one replay on which the accounts are read at intervals. In a backend without a pool
 * every block is written, so that its resident memory is what a program would have.
 */
#include "replay/peaks.h"
#include "replay/worker.h"

#include <malloc.h>

struct surveyor {
    struct replay_worker *worker;
    struct replay_instance instance;
    struct replay_survey *survey;
    struct replay_sample now;
    uint64_t resident; /* before the first operation */
    uint64_t moments[REPLAY_SAMPLES];
    size_t count; /* of moments */
    bool counts_usable;
};

static void take_stats(struct surveyor *surveyor)
{
    struct replay_sample *now = &surveyor->now;
    if (surveyor->worker->backend->type == REPLAY_BUILTIN) {
        struct acre_stats stats = acre_bytes_stats(surveyor->instance.bytes);
        now->used = stats.used;
        now->metadata = stats.metadata + surveyor->worker->backend->builtin->backing->size;
        now->available = stats.available;
        now->largest_free = stats.largest_free;
    } else if (!replay_backend_has_pool(surveyor->worker->backend)) {
        uint64_t resident = replay_resident();
        now->resident = resident > surveyor->resident ? resident - surveyor->resident : 0;
    }
}

/* Adds (`sign` 1) or takes away (-1) the block of a slot. */
static void account(struct surveyor *surveyor, const struct replay_slot *slot, int64_t sign)
{
    if (!slot->ptr)
        return;
    surveyor->now.blocks += (uint64_t)sign;
    surveyor->now.live += (uint64_t)(sign * (int64_t)replay_slot_size(slot));
    if (surveyor->counts_usable)
        surveyor->now.used += (uint64_t)(sign * (int64_t)malloc_usable_size(slot->ptr));
}

static void step(struct surveyor *surveyor, struct replay_op op)
{
    struct replay_worker *worker = surveyor->worker;
    struct replay_slot *slot = &worker->slots[op.slot];
    size_t before = replay_kept(slot, op);
    account(surveyor, slot, -1);
    replay_step(&surveyor->instance, op, worker->script, worker->slots);
    account(surveyor, slot, 1);
    if (!replay_backend_has_pool(worker->backend))
        replay_touch(slot, before);
}

static void sample(struct surveyor *surveyor)
{
    struct replay_survey *survey = surveyor->survey;
    take_stats(surveyor);
    survey->samples[survey->count++] = surveyor->now;
}

static void look(struct surveyor *surveyor, uint64_t at)
{
    const struct replay_facts *facts = &surveyor->worker->script->facts;
    if (at == facts->peak_op) {
        take_stats(surveyor);
        surveyor->survey->at_peak = surveyor->now;
    }
    if (surveyor->survey->count < surveyor->count &&
        at == surveyor->moments[surveyor->survey->count])
        sample(surveyor);
}

static void survey_ops(struct surveyor *surveyor)
{
    struct replay_window window = { 0 };
    while (replay_worker_next(surveyor->worker, &window)) {
        for (uint64_t i = 0; i < window.count; i++) {
            surveyor->now.op = window.first + i;
            step(surveyor, window.ops[i]);
            look(surveyor, surveyor->now.op);
        }
    }
}

void replay_survey(struct replay_worker *worker)
{
    struct replay_survey *survey = &worker->results->survey;
    bool has_pool = replay_backend_has_pool(worker->backend);
    bool roomy = has_pool || worker->script->facts.peak_live < replay_machine_memory() / 2;
    struct surveyor surveyor = {
        .worker = worker, .survey = survey, .resident = replay_resident()
    };
    survey->count = 0;
    surveyor.count = replay_find_peaks(
        worker->script, worker->script->facts.ops - 1, REPLAY_SAMPLES, surveyor.moments);
    if (!roomy || !replay_worker_open(worker, &surveyor.instance, worker->results->pool))
        return;
    surveyor.counts_usable = worker->backend->type == REPLAY_SYSTEM;
    survey->pool = worker->results->pool;
    survey->knows_pool = worker->backend->type == REPLAY_BUILTIN;
    survey->knows_used = survey->knows_pool || surveyor.counts_usable;
    survey_ops(&surveyor);
    replay_worker_close(worker, &surveyor.instance);
}
