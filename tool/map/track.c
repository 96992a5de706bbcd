/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/map/track.h"

#include "replay/execute.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    REPORT_CELLS = 1024,
    REPORT_MOMENTS = 160,
    REPORT_BLOCKS = 20000,
    REPORT_WINDOW = 4000 /* operations, of a run too long to be kept whole */
};

/* Bytes of one cell while the pool is walked. */
struct sums {
    uint64_t live, available;
};

struct tracker {
    struct replay_worker worker;
    struct replay_results results;
    struct replay_instance instance;
    struct map_track *track;
    uint32_t *records; /* by slot: place of its block in the track, from 1 */
    struct sums *sums;
    size_t taken; /* moments */
};

/* ---- cells ---- */

static uint64_t overlap(uint64_t from, uint64_t to, uint64_t first, uint64_t end)
{
    uint64_t low = from > first ? from : first;
    uint64_t high = to < end ? to : end;
    return high > low ? high - low : 0;
}

static bool track_piece(void *argument, void *start, size_t size, bool live)
{
    struct tracker *tracker = argument;
    uint64_t bytes = tracker->track->cell_bytes;
    uint64_t from = (uintptr_t)start - (uintptr_t)tracker->worker.pool.start;
    uint64_t to = from + size;
    for (uint64_t cell = from / bytes; cell < tracker->track->cell_count && cell * bytes < to;
         cell++) {
        struct sums *sums = &tracker->sums[cell];
        uint64_t part = overlap(from, to, cell * bytes, (cell + 1) * bytes);
        *(live ? &sums->live : &sums->available) += part;
    }
    return true;
}

/* Whatever there is of a thing shows as one part at least. */
static uint8_t parts(uint64_t bytes, uint64_t whole)
{
    if (!whole)
        return 0;
    uint64_t rounded = (bytes * MAP_PARTS + whole / 2) / whole;
    return (uint8_t)(bytes && !rounded ? 1 : rounded);
}

static void set_cell(struct map_cell *cell, const struct sums *sums, uint64_t whole)
{
    uint64_t known = sums->live + sums->available;
    cell->live = parts(sums->live, whole);
    cell->metadata = parts(whole > known ? whole - known : 0, whole);
    if (cell->live + cell->metadata > MAP_PARTS)
        cell->metadata = (uint8_t)(MAP_PARTS - cell->live);
}

/* The blocks as they were asked for; all other bytes are taken for free. */
static void track_blocks(struct tracker *tracker)
{
    for (uint64_t i = 0; i < tracker->worker.script->facts.slots; i++) {
        const struct replay_slot *slot = &tracker->worker.slots[i];
        if (slot->ptr)
            track_piece(tracker, slot->ptr, replay_slot_size(slot), true);
    }
}

/* What is live in the cell, and what is the allocator's own. */
static void fill_map_cell(struct tracker *tracker, size_t i)
{
    const struct map_track *track = tracker->track;
    uint64_t first = i * track->cell_bytes;
    uint64_t whole = overlap(0, track->plan.pool, first, first + track->cell_bytes);
    struct sums sums = tracker->sums[i];
    if (!track->walked)
        sums.available = whole > sums.live ? whole - sums.live : 0;
    set_cell(&track->cells[tracker->taken * track->cell_count + i], &sums, whole);
}

static void track_sample(struct tracker *tracker, uint64_t at)
{
    struct map_track *track = tracker->track;
    memset(tracker->sums, 0, track->cell_count * sizeof *tracker->sums);
    if (track->walked)
        acre_walk(tracker->instance.bytes, track_piece, tracker);
    else
        track_blocks(tracker);
    for (size_t i = 0; i < track->cell_count; i++)
        fill_map_cell(tracker, i);
    track->moments[tracker->taken++] = at;
    track->moment_count = tracker->taken;
}

/* ---- blocks ---- */

static void end_record(struct tracker *tracker, uint32_t slot, uint64_t at)
{
    if (tracker->records[slot])
        tracker->track->blocks[tracker->records[slot] - 1].died = at;
    tracker->records[slot] = 0;
}

/* Bytes that a block can hold; of a plugin's that is not known. */
static uint64_t room_of(const struct tracker *tracker, const struct replay_slot *block)
{
    if (!tracker->track->walked)
        return replay_slot_size(block);
    return acre_usable_size(tracker->instance.bytes, block->ptr).num;
}

static void begin_record(struct tracker *tracker, uint32_t slot, uint64_t at)
{
    struct map_track *track = tracker->track;
    const struct replay_slot *block = &tracker->worker.slots[slot];
    uint64_t offset = (uintptr_t)block->ptr - (uintptr_t)tracker->worker.pool.start;
    if (!block->ptr || track->too_many || offset >= track->plan.pool)
        return;
    if (track->block_count == track->plan.blocks) {
        track->too_many = true;
        return;
    }
    track->blocks[track->block_count++] = (struct map_block){ .born = at,
        .died = UINT64_MAX,
        .offset = offset,
        .size = room_of(tracker, block),
        .asked = replay_slot_size(block) };
    tracker->records[slot] = (uint32_t)track->block_count;
}

static void record_all(struct tracker *tracker, uint64_t at)
{
    for (uint64_t slot = 0; slot < tracker->worker.script->facts.slots; slot++)
        begin_record(tracker, (uint32_t)slot, at);
}

/* ---- the run ---- */

static void track_op(struct tracker *tracker, struct replay_op op, uint64_t at)
{
    const struct map_plan *plan = &tracker->track->plan;
    struct replay_slot *slot = &tracker->worker.slots[op.slot];
    struct replay_slot before = *slot;
    if (at == plan->window_first)
        record_all(tracker, at - 1);
    tracker->track->failed +=
        !replay_step(&tracker->instance, op, tracker->worker.script, tracker->worker.slots);
    if (at < plan->window_first || at > plan->window_last ||
        (slot->ptr == before.ptr && slot->layout == before.layout && before.ptr))
        return;
    end_record(tracker, op.slot, at);
    begin_record(tracker, op.slot, at);
}

static void track_run(struct tracker *tracker)
{
    const struct map_plan *plan = &tracker->track->plan;
    struct replay_window window = { 0 };
    uint64_t at = 0;
    while (at <= plan->last && replay_worker_next(&tracker->worker, &window)) {
        for (uint64_t i = 0; i < window.count && at <= plan->last; i++, at++) {
            track_op(tracker, window.ops[i], at);
            if (tracker->taken < plan->moments &&
                at >= replay_sample_op(plan->last, tracker->taken, plan->moments))
                track_sample(tracker, at);
        }
    }
}

/* In the child. */
static void track_in_child(void *argument)
{
    struct tracker *tracker = argument;
    struct map_track *track = tracker->track;
    size_t slots = (size_t)tracker->worker.script->facts.slots + 1;
    tracker->worker.slots = calloc(slots, sizeof *tracker->worker.slots);
    tracker->records = calloc(slots, sizeof *tracker->records);
    tracker->sums = calloc(track->cell_count, sizeof *tracker->sums);
    if (!tracker->worker.slots || !tracker->records || !tracker->sums)
        abort();
    track->refused = !replay_worker_open(&tracker->worker, &tracker->instance, track->plan.pool);
    if (!track->refused)
        track_run(tracker);
    if (track->too_many)
        track->block_count = 0;
}

/* ---- in the parent ---- */

struct map_plan map_plan_for(const struct replay_facts *facts, size_t pool)
{
    uint64_t last = facts->ops - 1;
    struct map_plan plan = { .pool = pool,
        .cells = REPORT_CELLS,
        .moments = facts->ops < REPORT_MOMENTS ? (size_t)facts->ops : REPORT_MOMENTS,
        .blocks = REPORT_BLOCKS,
        .last = last,
        .window_last = last };
    if (facts->ops <= REPORT_BLOCKS)
        return plan;
    plan.window_first = facts->peak_op > REPORT_WINDOW / 2 ? facts->peak_op - REPORT_WINDOW / 2 : 0;
    plan.window_last = plan.window_first + REPORT_WINDOW - 1;
    if (plan.window_last > last)
        plan.window_last = last;
    return plan;
}

static size_t align_control(size_t size)
{
    return (size + 63) / 64 * 64;
}

static struct map_track *track_open(const struct map_plan *plan)
{
    uint64_t cell_bytes = (plan->pool + plan->cells - 1) / plan->cells;
    size_t cells = (size_t)((plan->pool + cell_bytes - 1) / cell_bytes);
    size_t moments = align_control(plan->moments * sizeof(uint64_t));
    size_t looks = align_control(plan->moments * cells * sizeof(struct map_cell));
    size_t head = align_control(sizeof(struct map_track));
    size_t room = head + moments + looks + plan->blocks * sizeof(struct map_block);
    char *memory = replay_map_shared(room);
    if (!memory)
        return NULL;
    struct map_track *track = (void *)memory;
    *track = (struct map_track){ .plan = *plan,
        .cell_bytes = cell_bytes,
        .cell_count = cells,
        .moments = (void *)(memory + head),
        .cells = (void *)(memory + head + moments),
        .blocks = (void *)(memory + head + moments + looks),
        .room = room };
    return track;
}

void map_track_free(struct map_track *track)
{
    if (track)
        munmap(track, track->room);
}

static void show_track_progress(void *argument, struct acre_progress *progress)
{
    const struct tracker *tracker = argument;
    acre_progress_show(progress, tracker->worker.backend->name, -1.0);
}

struct map_track *map_track(const struct replay_script *script,
    const struct replay_backend *backend, const struct map_plan *plan,
    struct acre_progress *progress)
{
    static struct tracker tracker;
    struct replay_child child;
    char ended[REPLAY_ENDED_ROOM];
    tracker = (struct tracker){ .worker = { .script = script, .backend = backend } };
    tracker.worker.results = &tracker.results;
    tracker.track = track_open(plan);
    if (tracker.track)
        tracker.track->walked = backend->type == REPLAY_BUILTIN;
    bool done = tracker.track && replay_child_start(&child, track_in_child, &tracker);
    if (done) {
        replay_child_order(&child);
        done = replay_child_wait(&child, show_track_progress, &tracker, progress);
        replay_child_end(&child, ended);
    }
    acre_progress_wipe(progress);
    if (done) {
        tracker.track->name = backend->name;
        return tracker.track;
    }
    map_track_free(tracker.track);
    return NULL;
}
