/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/replay/work.h"

#include "tool/replay/clock.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

/* Bytes of a pool that a worker keeps between two tasks; others need the memory too. */
#define MOST_KEPT ((size_t)64 << 20)

static void *map_zeroed(size_t size)
{
    void *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static void no_memory(struct replay_work *work)
{
    snprintf(work->board->fault, REPLAY_FAULT_ROOM, "not enough memory to replay on it");
}

/* Reads one byte of each page, so that no task is the first to touch the script. */
static void touch(const void *start, size_t size)
{
    for (size_t offset = 0; offset < size; offset += 4096)
        (void)((const volatile char *)start)[offset];
}

/* What the first task needs. Nothing here calls malloc: the system's is a subject as well. */
static bool get_ready(struct replay_work *work)
{
    const struct replay_facts *facts = &work->script->facts;
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    work->slots = map_zeroed((size_t)(facts->slots + 1) * sizeof *work->slots);
    work->counter = replay_counter_open();
    touch(work->script->op_array.items, work->script->op_array.room);
    touch(replay_wides(work->script), work->script->wide_array.room);
    return work->slots != NULL;
}

bool replay_work_open(struct replay_work *work, struct replay_instance *instance, size_t pool_size)
{
    memset(work->slots, 0, (size_t)work->script->facts.slots * sizeof *work->slots);
    if (!replay_subject_has_pool(work->subject))
        return replay_instance_open(instance, work->subject, NULL, 0);
    if (!replay_pool_reserve(&work->pool, pool_size))
        return false;
    return replay_instance_open(instance, work->subject, work->pool.start, pool_size);
}

void replay_work_close(struct replay_work *work, struct replay_instance *instance)
{
    enum replay_subject_type type = work->subject->type;
    bool outlasts = !replay_subject_has_pool(work->subject) && type != REPLAY_ON_NOTHING;
    for (uint64_t i = 0; outlasts && i < work->script->facts.slots; i++)
        if (work->slots[i].ptr)
            replay_dealloc(instance, type, &work->slots[i]);
    replay_instance_close(instance);
}

/* An instance on the board's pool, its pages touched; or pool_refused is set. */
static bool open_touched(struct replay_work *work, struct replay_instance *instance)
{
    if (replay_subject_has_pool(work->subject) &&
        replay_pool_reserve(&work->pool, work->board->pool))
        replay_pool_touch(&work->pool, work->board->pool);
    work->board->pool_refused = !replay_work_open(work, instance, work->board->pool);
    return !work->board->pool_refused;
}

bool replay_work_next(struct replay_work *work, struct replay_part *part)
{
    double done =
        (double)(part->stretch.first + part->stretch.count) / (double)work->script->facts.ops;
    work->board->done = work->from + work->span * done;
    part->wides = replay_wides(work->script);
    return replay_script_next(work->script, &part->stretch);
}

static void time_part(struct replay_work *work, const struct replay_part *part,
    const struct replay_instance *instance, bool writing)
{
    struct replay_board *board = work->board;
    uint64_t before = 0;
    uint64_t after = 0;
    board->counted = replay_counter_read(work->counter, &before) && board->counted;
    uint64_t start = acre_clock_own_ns();
    board->failed += writing ? replay_run_writing(part, instance, work->slots)
                             : replay_run(part, instance, work->slots);
    board->nanoseconds += acre_clock_own_ns() - start;
    board->counted = replay_counter_read(work->counter, &after) && board->counted;
    board->instructions += after - before;
}

static void time_whole(struct replay_work *work, bool writing)
{
    struct replay_board *board = work->board;
    struct replay_instance instance;
    struct replay_part part = { { NULL, 0, 0, 0 }, NULL };
    if (!open_touched(work, &instance))
        return;
    board->counted = true;
    board->failed = board->nanoseconds = board->instructions = 0;
    while (replay_work_next(work, &part))
        time_part(work, &part, &instance, writing);
    replay_work_close(work, &instance);
}

/* One replay with each operation timed. @return false: there is no room for the times. */
static bool time_steps_once(
    struct replay_work *work, const struct replay_ticks *ticks, uint64_t cost)
{
    struct replay_instance instance;
    struct replay_part part = { { NULL, 0, 0, 0 }, NULL };
    bool kept = true;
    if (!open_touched(work, &instance))
        return false;
    while (kept && replay_work_next(work, &part)) {
        uint64_t first = part.stretch.first;
        uint64_t count = part.stretch.count;
        replay_run_steps(&part, &instance, work->slots, replay_ticks_at(ticks, first, count), cost);
        kept = replay_ticks_keep(ticks, first, count);
    }
    replay_work_close(work, &instance);
    return kept;
}

static void time_steps(struct replay_work *work)
{
    struct replay_board *board = work->board;
    struct replay_ticks ticks;
    uint64_t cost = replay_tick_cost();
    bool kept = replay_ticks_open(&ticks, &work->script->facts);
    work->span = 1.0 / (double)board->rounds;
    for (size_t round = 0; kept && round < board->rounds; round++) {
        work->from = work->span * (double)round;
        kept = time_steps_once(work, &ticks, cost);
    }
    if (kept)
        replay_summarise(board, &ticks);
    else if (!board->pool_refused)
        no_memory(work);
    replay_ticks_close(&ticks);
}

static void do_task(struct replay_work *work)
{
    switch (work->board->task) {
    case REPLAY_VERIFY:
        replay_verify(work);
        break;
    case REPLAY_FIT:
        replay_fit(work);
        break;
    case REPLAY_TIME:
        time_whole(work, false);
        break;
    case REPLAY_WRITE:
        time_whole(work, true);
        break;
    case REPLAY_STEPS:
        time_steps(work);
        break;
    case REPLAY_SURVEY:
        replay_survey(work);
        break;
    case REPLAY_EXPLAIN:
        replay_explain(work);
        break;
    }
}

void replay_work(void *argument)
{
    struct replay_work *work = argument;
    if (!work->ready && !get_ready(work)) {
        no_memory(work);
        return;
    }
    work->ready = true;
    work->board->done = 0.0;
    work->from = 0.0;
    work->span = 1.0;
    do_task(work);
    if (work->pool.size > MOST_KEPT)
        replay_pool_give_up(&work->pool);
}
