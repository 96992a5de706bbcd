/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "replay/worker.h"

#include "replay/counter.h"
#include "replay/statistics.h"

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

static void no_memory(struct replay_worker *worker)
{
    snprintf(worker->results->fault, REPLAY_FAULT_ROOM, "not enough memory to replay on it");
}

/* Reads one byte of each page, so that no task is the first to touch the script. */
static void touch(const void *start, size_t size)
{
    for (size_t offset = 0; offset < size; offset += 4096)
        (void)((const volatile char *)start)[offset];
}

/* What the first task needs. Nothing here calls malloc: the system's is a backend too. */
static bool prepare_worker(struct replay_worker *worker)
{
    const struct replay_facts *facts = &worker->script->facts;
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    worker->slots = map_zeroed((size_t)(facts->slots + 1) * sizeof *worker->slots);
    worker->counter = replay_counter_open();
    touch(worker->script->op_array.items, worker->script->op_array.room);
    touch(replay_wides(worker->script), worker->script->wide_array.room);
    return worker->slots != NULL;
}

bool replay_worker_open(
    struct replay_worker *worker, struct replay_instance *instance, size_t pool_size)
{
    memset(worker->slots, 0, (size_t)worker->script->facts.slots * sizeof *worker->slots);
    if (!replay_backend_has_pool(worker->backend))
        return replay_instance_open(instance, worker->backend, NULL, 0);
    if (!replay_pool_reserve(&worker->pool, pool_size))
        return false;
    return replay_instance_open(instance, worker->backend, worker->pool.start, pool_size);
}

void replay_worker_close(struct replay_worker *worker, struct replay_instance *instance)
{
    bool outlasts =
        !replay_backend_has_pool(worker->backend) && worker->backend->type != REPLAY_EMPTY;
    for (uint64_t i = 0; outlasts && i < worker->script->facts.slots; i++)
        if (worker->slots[i].ptr)
            replay_dealloc(instance, &worker->slots[i]);
    replay_instance_close(instance);
}

/* An instance in the pool ordered, its pages touched before the replay or left to it; or
 * pool_refused is set. */
static bool open_ordered(struct replay_worker *worker, struct replay_instance *instance, bool fresh)
{
    size_t size = worker->results->pool;
    if (replay_backend_has_pool(worker->backend) && replay_pool_reserve(&worker->pool, size)) {
        if (fresh)
            replay_pool_refresh(&worker->pool);
        else
            replay_pool_touch(&worker->pool, size);
    }
    worker->results->pool_refused = !replay_worker_open(worker, instance, size);
    return !worker->results->pool_refused;
}

bool replay_worker_next(struct replay_worker *worker, struct replay_window *window)
{
    double done = (double)(window->first + window->count) / (double)worker->script->facts.ops;
    worker->results->done = worker->from + worker->span * done;
    return replay_script_next(worker->script, window);
}

static void time_part(struct replay_worker *worker, const struct replay_window *window,
    const struct replay_instance *instance, bool touching)
{
    struct replay_results *results = worker->results;
    uint64_t before = 0;
    uint64_t after = 0;
    results->counted = replay_counter_read(worker->counter, &before) && results->counted;
    uint64_t start = acre_clock_own_ns();
    results->failed += (touching ? instance->loops->touching : instance->loops->plain)(
        window, instance, worker->slots);
    results->nanoseconds += acre_clock_own_ns() - start;
    results->counted = replay_counter_read(worker->counter, &after) && results->counted;
    results->instructions += after - before;
}

static void time_whole(struct replay_worker *worker, bool touching)
{
    struct replay_results *results = worker->results;
    struct replay_instance instance;
    struct replay_window window = { 0 };
    if (!open_ordered(worker, &instance, touching))
        return;
    results->counted = true;
    results->failed = results->nanoseconds = results->instructions = 0;
    while (replay_worker_next(worker, &window))
        time_part(worker, &window, &instance, touching);
    replay_worker_close(worker, &instance);
}

/* One replay with each operation timed. @return false: there is no room for the times. */
static bool time_steps_once(
    struct replay_worker *worker, const struct replay_ticks *ticks, uint64_t cost)
{
    struct replay_instance instance;
    struct replay_window window = { 0 };
    bool kept = true;
    if (!open_ordered(worker, &instance, false))
        return false;
    while (kept && replay_worker_next(worker, &window)) {
        uint64_t first = window.first;
        uint64_t count = window.count;
        instance.loops->ticks(
            &window, &instance, worker->slots, replay_ticks_at(ticks, first, count), cost);
        kept = replay_ticks_keep(ticks, first, count);
    }
    replay_worker_close(worker, &instance);
    return kept;
}

static void time_steps(struct replay_worker *worker)
{
    struct replay_results *results = worker->results;
    struct replay_ticks ticks;
    uint64_t cost = replay_tick_cost();
    bool kept = replay_ticks_open(&ticks, &worker->script->facts);
    worker->span = 1.0 / (double)results->rounds;
    for (size_t round = 0; kept && round < results->rounds; round++) {
        worker->from = worker->span * (double)round;
        kept = time_steps_once(worker, &ticks, cost);
    }
    if (kept)
        replay_summarise(results, &ticks);
    else if (!results->pool_refused)
        no_memory(worker);
    replay_ticks_close(&ticks);
}

static void time_untouched(struct replay_worker *worker)
{
    time_whole(worker, false);
}

static void time_touched(struct replay_worker *worker)
{
    time_whole(worker, true);
}

static void (*const tasks[])(struct replay_worker *worker) = {
    [REPLAY_VERIFY] = replay_verify,
    [REPLAY_FIT] = replay_fit,
    [REPLAY_TIME] = time_untouched,
    [REPLAY_TOUCH] = time_touched,
    [REPLAY_STEPS] = time_steps,
    [REPLAY_SURVEY] = replay_survey,
    [REPLAY_EXPLAIN] = replay_explain,
};

void replay_worker_do(void *argument)
{
    struct replay_worker *worker = argument;
    if (!worker->ready && !prepare_worker(worker)) {
        no_memory(worker);
        return;
    }
    worker->ready = true;
    worker->results->done = 0.0;
    worker->from = 0.0;
    worker->span = 1.0;
    tasks[worker->results->task](worker);
    if (worker->pool.size > MOST_KEPT)
        replay_pool_give_up(&worker->pool);
}
