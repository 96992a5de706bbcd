/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/map/track.h"

#include "replay/execute.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* One cell while the pool is looked at. */
struct sums {
    uint64_t live, available; /* bytes */
    uint64_t most;            /* bytes of the block that takes most of it, */
    uint32_t slot;            /* and whose block it is */
};

/* When and by whom the block of a slot was allocated. */
struct birth {
    uint16_t moments; /* taken before */
    uint8_t thread;
};

struct tracker {
    struct replay_worker worker;
    struct replay_results results;
    struct replay_instance instance;
    struct map_track *track;
    struct birth *births;
    struct sums *sums;
    size_t taken;  /* moments */
    size_t placed; /* blocks of the history */
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

/* The block is looked at in each of its cells: does it take more of it than any other? */
static void track_block(struct tracker *tracker, uint32_t index)
{
    const struct replay_slot *slot = &tracker->worker.slots[index];
    uint64_t bytes = tracker->track->cell_bytes;
    uint64_t from = (uintptr_t)slot->ptr - (uintptr_t)tracker->worker.pool.start;
    uint64_t to = from + replay_slot_size(slot);
    for (uint64_t cell = from / bytes; cell < tracker->track->cell_count && cell * bytes < to;
         cell++) {
        struct sums *sums = &tracker->sums[cell];
        uint64_t part = overlap(from, to, cell * bytes, (cell + 1) * bytes);
        if (!tracker->track->walked)
            sums->live += part;
        if (part <= sums->most)
            continue;
        sums->most = part;
        sums->slot = index;
    }
}

static void track_blocks(struct tracker *tracker)
{
    for (uint64_t i = 0; i < tracker->worker.script->facts.slots; i++)
        if (tracker->worker.slots[i].ptr)
            track_block(tracker, (uint32_t)i);
}

/* Live bytes that nobody asked for, rounding or the next block's header, go with the block before. */
static void describe_holder(const struct tracker *tracker, struct sums *sums, struct map_cell *cell)
{
    if (!cell->live)
        return;
    if (!sums->most && sums > tracker->sums)
        sums->slot = sums[-1].slot;
    const struct replay_slot *slot = &tracker->worker.slots[sums->slot];
    cell->size_shade = (uint8_t)map_size_shade(replay_slot_size(slot));
    cell->thread = tracker->births[sums->slot].thread;
    cell->born = tracker->births[sums->slot].moments;
}

/* What is live in the cell, and what is the allocator's own. */
static void fill_map_cell(struct tracker *tracker, size_t i)
{
    const struct map_track *track = tracker->track;
    struct map_cell *cell = &track->cells[tracker->taken * track->cell_count + i];
    uint64_t first = i * track->cell_bytes;
    uint64_t whole = overlap(0, track->pool, first, first + track->cell_bytes);
    struct sums *sums = &tracker->sums[i];
    if (!track->walked)
        sums->available = whole > sums->live ? whole - sums->live : 0;
    set_cell(cell, sums, whole);
    describe_holder(tracker, sums, cell);
}

static void track_moment(struct tracker *tracker)
{
    struct map_track *track = tracker->track;
    memset(tracker->sums, 0, track->cell_count * sizeof *tracker->sums);
    if (track->walked)
        acre_walk(tracker->instance.bytes, track_piece, tracker);
    track_blocks(tracker);
    for (size_t i = 0; i < track->cell_count; i++)
        fill_map_cell(tracker, i);
    tracker->taken++;
}

/* ---- blocks ---- */

/* Bytes that a block can hold; of a plugin's that is not known. */
static uint64_t room_of(const struct tracker *tracker, const struct replay_slot *block)
{
    if (!tracker->track->walked)
        return replay_slot_size(block);
    return acre_usable_size(tracker->instance.bytes, block->ptr).num;
}

/* The next block of the history is where its slot says. */
static void place_next(struct tracker *tracker)
{
    const struct map_history *history = tracker->track->history;
    struct map_place *place = &tracker->track->places[tracker->placed];
    const struct replay_slot *slot = &tracker->worker.slots[history->blocks[tracker->placed].slot];
    uint64_t offset = (uintptr_t)slot->ptr - (uintptr_t)tracker->worker.pool.start;
    tracker->placed++;
    if (slot->ptr && offset < tracker->track->pool)
        *place = (struct map_place){ offset, room_of(tracker, slot) };
}

/* ---- the run ---- */

static void track_op(struct tracker *tracker, struct replay_op op, uint64_t at)
{
    const struct map_history *history = tracker->track->history;
    while (at == history->plan.window_first && tracker->placed < history->before)
        place_next(tracker);
    tracker->track->failed +=
        !replay_step(&tracker->instance, op, tracker->worker.script, tracker->worker.slots);
    tracker->births[op.slot] =
        (struct birth){ (uint16_t)tracker->taken, history->threads ? history->threads[at] : 0 };
    if (tracker->placed < history->block_count && history->blocks[tracker->placed].born == at)
        place_next(tracker);
    if (tracker->taken < history->moment_count && at == history->moments[tracker->taken])
        track_moment(tracker);
}

static void track_run(struct tracker *tracker)
{
    const struct map_plan *plan = &tracker->track->history->plan;
    struct replay_window window = { 0 };
    uint64_t at = 0;
    while (at <= plan->last && replay_worker_next(&tracker->worker, &window))
        for (uint64_t i = 0; i < window.count && at <= plan->last; i++, at++)
            track_op(tracker, window.ops[i], at);
}

/* In the child. */
static void track_in_child(void *argument)
{
    struct tracker *tracker = argument;
    struct map_track *track = tracker->track;
    size_t slots = (size_t)tracker->worker.script->facts.slots + 1;
    tracker->worker.slots = calloc(slots, sizeof *tracker->worker.slots);
    tracker->births = calloc(slots, sizeof *tracker->births);
    tracker->sums = calloc(track->cell_count, sizeof *tracker->sums);
    if (!tracker->worker.slots || !tracker->births || !tracker->sums)
        abort();
    track->refused = !replay_worker_open(&tracker->worker, &tracker->instance, track->pool);
    if (!track->refused)
        track_run(tracker);
}

/* ---- in the parent ---- */

static size_t align_control(size_t size)
{
    return (size + 63) / 64 * 64;
}

static struct map_track *track_open(const struct map_history *history, size_t pool, size_t count)
{
    uint64_t cell_bytes = (pool + count - 1) / count;
    size_t cells = (size_t)((pool + cell_bytes - 1) / cell_bytes);
    size_t looks = align_control(history->moment_count * cells * sizeof(struct map_cell));
    size_t head = align_control(sizeof(struct map_track));
    size_t room = head + looks + history->block_count * sizeof(struct map_place);
    char *memory = replay_map_shared(room);
    if (!memory)
        return NULL;
    struct map_track *track = (void *)memory;
    *track = (struct map_track){ .history = history,
        .pool = pool,
        .cell_bytes = cell_bytes,
        .cell_count = cells,
        .cells = (void *)(memory + head),
        .places = (void *)(memory + head + looks),
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
    const struct replay_backend *backend, const struct map_history *history, size_t pool,
    size_t cells, struct acre_progress *progress)
{
    static struct tracker tracker;
    struct replay_child child;
    char ended[REPLAY_ENDED_ROOM];
    tracker = (struct tracker){ .worker = { .script = script, .backend = backend } };
    tracker.worker.results = &tracker.results;
    tracker.track = track_open(history, pool, cells);
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
