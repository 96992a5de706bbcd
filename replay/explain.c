/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Replays up to the first request that is refused, and then walks the pool.
 *
 * The fewest bytes: every run of neighbouring blocks that is long enough to hold the request,
 * free ones and live ones, costs what its live blocks asked for; the cheapest is found by a span
 * that slides over the blocks. Where blocks are powers of two at multiples of their size, only such
 * runs count.
 */
#include "replay/explain.h"

#include "replay/worker.h"

#include <stdlib.h>

/* Blocks farther apart than this have no seam: tables of the allocator stand between. */
#define SEAM 64
#define NO_SLOT UINT32_MAX

/* A block as the walk finds it. */
struct piece {
    uintptr_t start;
    size_t usable;
    uint32_t slot; /* of a live one */
    bool live;
    bool joins; /* the one before, without anything but a header between them */
};

struct explainer {
    struct replay_worker *worker;
    struct replay_instance instance;
    struct replay_explanation *found;
    uint64_t *born;  /* by slot */
    uint32_t *order; /* slots with a block, by address */
    size_t live;     /* of those */
    struct piece *pieces;
    size_t count, room;
};

/* ---- up to the failure ---- */

static void note_failure(struct explainer *explainer, uint64_t at, struct replay_op op)
{
    struct replay_explanation *found = explainer->found;
    const struct replay_slot *slot = &explainer->worker->slots[op.slot];
    uint64_t layout = replay_op_layout(
        op, replay_wides(explainer->worker->script), explainer->worker->script->facts.align_log2);
    found->failed = true;
    found->op = at;
    found->verb = replay_op_verb(op);
    found->size = layout >> REPLAY_ALIGN_BITS;
    found->align = UINT64_C(1) << (layout & ((1u << REPLAY_ALIGN_BITS) - 1));
    if (found->verb == REPLAY_REALLOC && slot->ptr)
        found->old_size = replay_slot_size(slot);
}

/* @return false: it failed. */
static bool run_window(struct explainer *explainer, const struct replay_window *window)
{
    for (uint64_t i = 0; i < window->count; i++) {
        struct replay_op op = window->ops[i];
        if (!replay_step(
                &explainer->instance, op, explainer->worker->script, explainer->worker->slots)) {
            note_failure(explainer, window->first + i, op);
            return false;
        }
        if (replay_op_verb(op) == REPLAY_ALLOC)
            explainer->born[op.slot] = window->first + i;
    }
    return true;
}

static void run_to_failure(struct explainer *explainer)
{
    struct replay_window window = { 0 };
    while (replay_worker_next(explainer->worker, &window))
        if (!run_window(explainer, &window))
            return;
}

/* ---- the pool ---- */

static const struct replay_slot *sorted_slots;

static int by_address(const void *left, const void *right)
{
    uintptr_t a = (uintptr_t)sorted_slots[*(const uint32_t *)left].ptr;
    uintptr_t b = (uintptr_t)sorted_slots[*(const uint32_t *)right].ptr;
    return (a > b) - (a < b);
}

static void sort_slots(struct explainer *explainer)
{
    const struct replay_worker *worker = explainer->worker;
    for (uint32_t i = 0; i < worker->script->facts.slots; i++) {
        if (!worker->slots[i].ptr)
            continue;
        explainer->found->live += replay_slot_size(&worker->slots[i]);
        explainer->order[explainer->live++] = i;
    }
    explainer->found->blocks = explainer->live;
    sorted_slots = worker->slots;
    qsort(explainer->order, explainer->live, sizeof *explainer->order, by_address);
}

static bool count_piece(void *argument, void *start, size_t size, bool live)
{
    struct explainer *explainer = argument;
    (void)start;
    (void)size;
    (void)live;
    explainer->room++;
    return true;
}

/* The slot of the live block at `start`; NO_SLOT: it is the allocator's own. */
static uint32_t slot_at(const struct explainer *explainer, uintptr_t start)
{
    const struct replay_slot *slots = explainer->worker->slots;
    size_t low = 0;
    size_t high = explainer->live;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if ((uintptr_t)slots[explainer->order[middle]].ptr < start)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < explainer->live && (uintptr_t)slots[explainer->order[low]].ptr == start;
    return found ? explainer->order[low] : NO_SLOT;
}

static bool take_piece(void *argument, void *start, size_t size, bool live)
{
    struct explainer *explainer = argument;
    struct piece *piece = &explainer->pieces[explainer->count];
    if (explainer->count == explainer->room)
        return false;
    *piece = (struct piece){ .start = (uintptr_t)start, .usable = size, .live = live };
    if (explainer->count) {
        uintptr_t end = piece[-1].start + piece[-1].usable;
        piece->joins = piece->start >= end && piece->start - end <= SEAM;
    }
    if (live)
        piece->slot = slot_at(explainer, piece->start);
    explainer->count++;
    return true;
}

static uint64_t asked(const struct explainer *explainer, const struct piece *piece)
{
    if (piece->live && piece->slot == NO_SLOT)
        return piece->usable;
    return piece->live ? replay_slot_size(&explainer->worker->slots[piece->slot]) : 0;
}

static struct replay_named_block name_block(
    const struct explainer *explainer, const struct piece *piece)
{
    uint64_t born = piece->slot == NO_SLOT ? 0 : explainer->born[piece->slot];
    return (struct replay_named_block){ .size = asked(explainer, piece),
        .offset = piece->start - (uintptr_t)explainer->worker->pool.start,
        .born = born,
        .age = explainer->found->op - born };
}

/* ---- what is free ---- */

static void count_runs(struct explainer *explainer)
{
    struct replay_explanation *found = explainer->found;
    uintptr_t run_start = 0;
    for (size_t i = 0; i < explainer->count; i++) {
        const struct piece *piece = &explainer->pieces[i];
        if (piece->live)
            continue;
        bool goes_on = piece->joins && i && !piece[-1].live;
        found->runs += !goes_on;
        run_start = goes_on ? run_start : piece->start;
        uint64_t run = piece->start + piece->usable - run_start;
        found->largest_run = run > found->largest_run ? run : found->largest_run;
    }
}

/* ---- the fewest bytes ---- */

struct span {
    size_t from, to; /* pieces [from, to) */
    uint64_t bytes;  /* asked for by the live ones */
};

static void keep_if_less(const struct span *span, struct span *least, bool *any)
{
    if (*any && span->bytes >= least->bytes)
        return;
    *least = *span;
    *any = true;
}

static uint64_t span_bytes(const struct explainer *explainer, size_t from, size_t to)
{
    const struct piece *last = &explainer->pieces[to - 1];
    return last->start + last->usable - explainer->pieces[from].start;
}

/* Any run of at least `need` bytes. */
static bool least_run(struct explainer *explainer, uint64_t need, struct span *least)
{
    struct span span = { 0, 0, 0 };
    bool any = false;
    while (span.to < explainer->count) {
        const struct piece *piece = &explainer->pieces[span.to];
        if (!piece->joins)
            span = (struct span){ span.to, span.to, 0 };
        span.bytes += asked(explainer, piece);
        span.to++;
        while (span_bytes(explainer, span.from, span.to) >= need) {
            keep_if_less(&span, least, &any);
            span.bytes -= asked(explainer, &explainer->pieces[span.from++]);
            if (span.from == span.to)
                break;
        }
    }
    return any;
}

/* Runs of `need` bytes at multiples of it, or one block that holds such a run. */
static bool least_aligned(struct explainer *explainer, uint64_t need, struct span *least)
{
    bool any = false;
    for (size_t from = 0; from < explainer->count;) {
        const struct piece *first = &explainer->pieces[from];
        uint64_t home = first->start / need;
        struct span span = { from, from, 0 };
        uint64_t covered = 0;
        while (span.to < explainer->count && explainer->pieces[span.to].start / need == home) {
            const struct piece *piece = &explainer->pieces[span.to++];
            covered += piece->usable;
            span.bytes += asked(explainer, piece);
        }
        if (covered >= need)
            keep_if_less(&span, least, &any);
        from = span.to;
    }
    return any;
}

static uint64_t power_of_two(uint64_t size)
{
    uint64_t power = 1;
    while (power < size && power << 1)
        power <<= 1;
    return power;
}

static void find_least(struct explainer *explainer)
{
    struct replay_explanation *found = explainer->found;
    struct span least = { 0, 0, 0 };
    uint64_t size = found->size ? found->size : 1;
    uint64_t extra = found->align > ACRE_NATURAL_ALIGN ? found->align - ACRE_NATURAL_ALIGN : 0;
    if (explainer->worker->backend->builtin->backing->powers_of_two)
        found->possible = least_aligned(
            explainer, power_of_two(size > found->align ? size : found->align), &least);
    else
        found->possible = least_run(explainer, size + extra, &least);
    found->least_bytes = least.bytes;
    for (size_t i = least.from; found->possible && i < least.to; i++) {
        const struct piece *piece = &explainer->pieces[i];
        if (!piece->live)
            continue;
        if (found->least_blocks < REPLAY_NAMED)
            found->least[found->least_blocks] = name_block(explainer, piece);
        found->least_blocks++;
    }
}

/* ---- what splits ---- */

/* Puts a group among the worst, which are kept in order. */
static void rank_split(struct replay_explanation *found, const struct replay_split *split)
{
    size_t count = found->splits < REPLAY_NAMED ? (size_t)found->splits : REPLAY_NAMED;
    size_t at = count;
    found->splits++;
    while (at &&
           found->worst[at - 1].before + found->worst[at - 1].after < split->before + split->after)
        at--;
    if (at == REPLAY_NAMED)
        return;
    for (size_t i = count < REPLAY_NAMED ? count : REPLAY_NAMED - 1; i > at; i--)
        found->worst[i] = found->worst[i - 1];
    found->worst[at] = *split;
}

/* Bytes free from piece `at` on, side by side; `*at` moves past them. */
static uint64_t free_run(const struct explainer *explainer, size_t *at)
{
    size_t from = *at;
    while (*at < explainer->count && !explainer->pieces[*at].live &&
           (*at == from || explainer->pieces[*at].joins))
        ++*at;
    return *at > from ? span_bytes(explainer, from, *at) : 0;
}

static void add_live(
    const struct explainer *explainer, struct replay_split *split, const struct piece *piece)
{
    struct replay_named_block block = name_block(explainer, piece);
    if (split->blocks++ == 0 || block.born > split->last.born)
        split->last = block;
    split->between += asked(explainer, piece);
}

static void find_splits(struct explainer *explainer)
{
    size_t at = 0;
    while (at < explainer->count && explainer->pieces[at].live)
        at++;
    uint64_t before = free_run(explainer, &at);
    while (at < explainer->count) {
        struct replay_split split = { .before = before };
        bool seam = true;
        for (; at < explainer->count && explainer->pieces[at].live; at++) {
            seam = seam && explainer->pieces[at].joins;
            add_live(explainer, &split, &explainer->pieces[at]);
        }
        seam = seam && at < explainer->count && explainer->pieces[at].joins;
        split.after = free_run(explainer, &at);
        if (seam && split.before && split.after)
            rank_split(explainer->found, &split);
        before = split.after;
    }
}

/* ---- all of it ---- */

static void look_at_pool(struct explainer *explainer)
{
    struct replay_explanation *found = explainer->found;
    struct acre_stats stats = acre_bytes_stats(explainer->instance.bytes);
    found->used = stats.used;
    found->metadata = stats.metadata + explainer->worker->backend->builtin->backing->size;
    found->available = stats.available;
    found->largest_free = stats.largest_free;
    sort_slots(explainer);
    acre_walk(explainer->instance.bytes, count_piece, explainer);
    explainer->pieces = calloc(explainer->room + 1, sizeof *explainer->pieces);
    found->no_memory = !explainer->pieces;
    if (!explainer->pieces)
        return;
    acre_walk(explainer->instance.bytes, take_piece, explainer);
    count_runs(explainer);
    find_least(explainer);
    find_splits(explainer);
    free(explainer->pieces);
}

static void run_and_look(struct explainer *explainer)
{
    struct replay_worker *worker = explainer->worker;
    struct replay_explanation *found = explainer->found;
    bool opened = replay_worker_open(worker, &explainer->instance, worker->results->pool);
    found->refused = !opened;
    found->no_memory = !opened && worker->pool.size < worker->results->pool;
    if (!opened)
        return;
    run_to_failure(explainer);
    if (found->failed)
        look_at_pool(explainer);
}

void replay_explain(struct replay_worker *worker)
{
    struct explainer explainer = { .worker = worker, .found = &worker->results->explanation };
    size_t slots = (size_t)worker->script->facts.slots + 1;
    *explainer.found = (struct replay_explanation){ .refused = false };
    explainer.born = calloc(slots, sizeof *explainer.born);
    explainer.order = calloc(slots, sizeof *explainer.order);
    explainer.found->no_memory = !explainer.born || !explainer.order;
    if (!explainer.found->no_memory)
        run_and_look(&explainer);
    free(explainer.born);
    free(explainer.order);
}
