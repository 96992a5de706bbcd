/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * What a worker can be told to do: the timed replays, and the tasks that have files of their own.
 */
#include "replay/counter.h"
#include "replay/statistics.h"
#include "replay/threads.h"
#include "replay/worker.h"

/* Bytes of a pool that a worker keeps between two tasks; others need the memory too. */
#define MOST_KEPT ((size_t)64 << 20)

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

/* Operations between two rounds of visits. */
#define VISIT_EVERY 4096u

/* Whether as many operations are done as are wanted. */
static bool is_limit_reached(const struct replay_worker *worker, uint64_t done)
{
    return worker->results->limit && done >= worker->results->limit;
}

/* The same as a whole, on fresh pages, with visits in between. */
static void time_touching(struct replay_worker *worker, const struct replay_window *window,
    const struct replay_instance *instance)
{
    struct replay_results *results = worker->results;
    struct replay_window part = *window;
    for (uint64_t done = 0; done < window->count && !is_limit_reached(worker, window->first + done);
         done += part.count) {
        part.ops = window->ops + done;
        part.count = window->count - done < VISIT_EVERY ? window->count - done : VISIT_EVERY;
        time_part(worker, &part, instance, true);
        results->visits += replay_visit(&worker->visitor, &part, worker->slots, &results->visit_ns);
    }
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
    results->visits = results->visit_ns = 0;
    if (touching)
        replay_visitor_start(&worker->visitor, worker->script);
    uint64_t before = touching && replay_resident_reset() ? replay_resident() : 0;
    while (!(touching && is_limit_reached(worker, window.first + window.count)) &&
           replay_worker_next(worker, &window))
        if (touching && instance.self)
            time_touching(worker, &window, &instance);
        else
            time_part(worker, &window, &instance, touching);
    uint64_t peak = before ? replay_resident_peak() : 0;
    results->resident = peak > before ? peak - before : 0;
    results->footprint = before ? replay_footprint() : 0;
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
        replay_worker_no_memory(worker);
    replay_ticks_close(&ticks);
}

static void take_threads(
    struct replay_results *results, const struct replay_threads_outcome *outcome)
{
    results->elapsed_ns = outcome->elapsed_ns;
    results->took_ns = outcome->took_ns;
    results->busy_ns = outcome->busy_ns;
    results->ops = outcome->ops;
    results->failed = outcome->failed;
    snprintf(results->fault, sizeof results->fault, "%s", outcome->fault);
}

/* Each thread's operations on a thread of its own, on fresh pages. */
static void replay_on_threads(struct replay_worker *worker)
{
    struct replay_results *results = worker->results;
    const struct replay_threads_order order = { results->checks, results->think_ns,
        results->patience };
    struct replay_threads_outcome outcome;
    struct replay_instance instance;
    if (!open_ordered(worker, &instance, true))
        return;
    uint64_t before = replay_resident_reset() ? replay_resident() : 0;
    bool done = replay_run_threads(worker->script, &instance, &order, &outcome);
    uint64_t peak = before ? replay_resident_peak() : 0;
    results->resident = peak > before ? peak - before : 0;
    results->footprint = before ? replay_footprint() : 0;
    take_threads(results, &outcome);
    if (!done)
        snprintf(results->cannot, sizeof results->cannot, "its threads could not be made");
    replay_worker_close(worker, &instance);
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
    [REPLAY_THREADS] = replay_on_threads,
};

void replay_worker_do(void *argument)
{
    struct replay_worker *worker = argument;
    if (!replay_worker_prepare(worker))
        return;
    tasks[worker->results->task](worker);
    if (worker->pool.size > MOST_KEPT)
        replay_pool_give_up(&worker->pool);
}
