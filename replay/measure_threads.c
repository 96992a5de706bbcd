/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * First each backend's blocks are checked on threads; then the system's malloc is replayed once,
 * and tells how much work of its own the program must do between two calls to take as long as it
 * did when it was recorded; then all are timed in turn, with that much work. Without it, threads
 * would meet in the allocator far more often than the program's do.
 */
#include "replay/measure_threads.h"

#include "replay/measure_child.h"
#include "replay/statistics.h"

/* Timed replays at most; of long scripts, whose replays are disturbed less. */
#define MOST_ROUNDS 7u
#define LONG_OPS 500000u
#define LONG_ROUNDS 3u
/* Work between two calls is imitated up to so many nanoseconds: threads that call no more often
 * rarely meet. */
#define MOST_THINK_NS 200.0
/* A replay ends early when it takes so many times as long as the fastest, and so much more. */
#define PATIENCE_TIMES 4u
#define PATIENCE_MORE_NS UINT64_C(50000000)

/* One that took so many times as long as the system's malloc and as the fastest is not replayed
 * again. */
#define HOPELESS_TIMES 1.5

bool replay_threads_wanted(const struct replay_schedule *schedule)
{
    const struct replay_table *table = schedule->table;
    return table->plan.threads && table->script->facts.sequences &&
           table->script->facts.peak_live < replay_machine_memory() / 2;
}

static size_t thread_rounds(const struct replay_schedule *schedule)
{
    size_t most = schedule->table->script->facts.ops >= LONG_OPS ? LONG_ROUNDS : MOST_ROUNDS;
    size_t rounds = schedule->table->plan.rounds;
    return rounds < most ? rounds : most;
}

static size_t more_thread_rounds(const struct replay_schedule *schedule)
{
    return schedule->table->plan.settles ? thread_rounds(schedule) * REPLAY_MORE_TIMES : 0;
}

/* An allocator for one thread is served behind the drop-in's lock, a plugin behind one of the
 * replay. */
static bool takes_threads(const struct replay_backend *backend)
{
    return backend->type == REPLAY_SYSTEM || backend->type == REPLAY_PLUGIN || backend->served;
}

static bool begin_on_threads(struct replay_measurement *measurement, bool checks)
{
    struct replay_results *results = measurement->worker.results;
    if (measurement->row->pool_refused || !takes_threads(measurement->row->backend) ||
        !replay_start_served(measurement))
        return false;
    results->checks = checks;
    results->think_ns = 0.0;
    results->patience = 0;
    results->cannot[0] = '\0';
    return true;
}

static bool begin_check(struct replay_schedule *schedule, struct replay_measurement *measurement)
{
    (void)schedule;
    return begin_on_threads(measurement, true);
}

static void end_check(struct replay_schedule *schedule, struct replay_measurement *measurement)
{
    (void)schedule;
    measurement->row->threads_checked =
        !measurement->row->fault[0] && !measurement->worker.results->cannot[0];
}

/* ---- the program's own work ---- */

/* It is the system's malloc with its own settings. */
static bool is_systems(const struct replay_backend *backend)
{
    return backend->type == REPLAY_SYSTEM && !backend->preload && !backend->tunables;
}

static bool begin_calibrate(
    struct replay_schedule *schedule, struct replay_measurement *measurement)
{
    return is_systems(measurement->row->backend) && schedule->parallel <= 0.0 &&
           begin_on_threads(measurement, false);
}

/* Threads that are busy at once, on average. */
static double busy_at_once(const struct replay_results *results)
{
    double busy = (double)results->busy_ns;
    double elapsed = (double)results->elapsed_ns;
    return elapsed > 0.0 && busy > elapsed ? busy / elapsed : 1.0;
}

/* Nanoseconds that a thread works between two calls: of processor time, or where that is not known,
 * of the time for which it was recorded. */
static double find_think(
    const struct replay_schedule *schedule, const struct replay_results *results)
{
    const struct replay_plan *plan = &schedule->table->plan;
    const struct replay_facts *facts = &schedule->table->script->facts;
    double ops = (double)facts->ops;
    double recording = plan->run_recorded || plan->run_ns <= 0.0 ? plan->recording_ns : 0.0;
    double missing = plan->run_ns - (double)results->busy_ns;
    if (plan->run_ns <= 0.0)
        missing = ((double)facts->duration_ns - (double)results->elapsed_ns) * schedule->parallel;
    return missing / ops - recording;
}

static void end_calibrate(struct replay_schedule *schedule, struct replay_measurement *measurement)
{
    const struct replay_results *results = measurement->worker.results;
    if (measurement->row->fault[0] || results->cannot[0])
        return;
    schedule->parallel = busy_at_once(results);
    double think = find_think(schedule, results);
    schedule->think_ns = think < 0.0 ? 0.0 : think < MOST_THINK_NS ? think : MOST_THINK_NS;
}

/* ---- timing ---- */

/* Whether another round would tell nothing: by far more than rounds differ by, it is not the
 * fastest. The fastest alone could be an error of one round. */
static bool is_hopeless(
    const struct replay_schedule *schedule, const struct replay_measurement *measurement)
{
    double ns = measurement->threads[0];
    return measurement->row->thread_rounds && schedule->system_threads > 0.0 &&
           ns > HOPELESS_TIMES * schedule->least_threads &&
           ns > HOPELESS_TIMES * schedule->system_threads;
}

static bool begin_threads(struct replay_schedule *schedule, struct replay_measurement *measurement)
{
    if (!measurement->row->threads_checked || measurement->row->threads_cut ||
        is_hopeless(schedule, measurement) || !begin_on_threads(measurement, false))
        return false;
    measurement->worker.results->think_ns = schedule->think_ns;
    if (schedule->least_took)
        measurement->worker.results->patience =
            schedule->least_took * PATIENCE_TIMES + PATIENCE_MORE_NS;
    return true;
}

static bool begin_threads_again(
    struct replay_schedule *schedule, struct replay_measurement *measurement)
{
    return replay_is_unsettled(
               measurement->threads, measurement->row->thread_rounds, REPLAY_KNOWN_WELL) &&
           begin_threads(schedule, measurement);
}

static void end_threads(struct replay_schedule *schedule, struct replay_measurement *measurement)
{
    struct replay_row *row = measurement->row;
    const struct replay_results *results = measurement->worker.results;
    const struct replay_facts *facts = &schedule->table->script->facts;
    size_t round = row->thread_rounds;
    if (row->fault[0] || results->cannot[0] || !results->ops)
        return;
    row->threads_cut = results->ops < facts->ops;
    if (!row->threads_cut && (!schedule->least_took || results->took_ns < schedule->least_took))
        schedule->least_took = results->took_ns;
    double ns = (double)results->elapsed_ns / (double)results->ops;
    measurement->threads[round] = ns;
    if (schedule->least_threads <= 0.0 || ns < schedule->least_threads)
        schedule->least_threads = ns;
    if (is_systems(row->backend))
        schedule->system_threads = ns;
    measurement->parallels[round] = busy_at_once(results);
    measurement->thread_residents[round] = (double)results->resident;
    measurement->thread_footprints[round] = (double)results->footprint;
    row->threads_failed = results->failed;
    row->thread_rounds++;
}

/* ---- all of it ---- */

enum threads_job { CHECK, CALIBRATE, TIME, AGAIN };

static const struct replay_job jobs[] = {
    [CHECK] = { REPLAY_THREADS, REPLAY_FOR_ALLOCATORS, "verifying on threads", 2, false,
        begin_check, end_check },
    [CALIBRATE] = { REPLAY_THREADS, REPLAY_FOR_ALLOCATORS, "timing threads", 0.1, true,
        begin_calibrate, end_calibrate },
    [TIME] = { REPLAY_THREADS, REPLAY_FOR_ALLOCATORS, "timing threads", 2, true, begin_threads,
        end_threads },
    [AGAIN] = { REPLAY_THREADS, REPLAY_FOR_ALLOCATORS, "timing threads again", 0, true,
        begin_threads_again, end_threads },
};

void replay_threads_expect(struct replay_schedule *schedule)
{
    const size_t rounds = thread_rounds(schedule);
    if (!replay_threads_wanted(schedule))
        return;
    replay_schedule_expect(schedule, &jobs[CHECK], 1.0);
    replay_schedule_expect(schedule, &jobs[CALIBRATE], schedule->table->plan.imitates);
    replay_schedule_expect(schedule, &jobs[TIME], (double)rounds);
}

void replay_threads_measure(struct replay_schedule *schedule)
{
    if (!replay_threads_wanted(schedule))
        return;
    replay_schedule_run(schedule, &jobs[CHECK], 1.0);
    if (schedule->table->plan.imitates && schedule->table->script->facts.duration_ns)
        replay_schedule_run(schedule, &jobs[CALIBRATE], 1.0);
    for (size_t round = 0; round < thread_rounds(schedule); round++)
        replay_schedule_run(schedule, &jobs[TIME], 1.0);
    for (size_t more = 0; more < more_thread_rounds(schedule); more++)
        replay_schedule_run(schedule, &jobs[AGAIN], 1.0);
}

/* Nanoseconds that are the allocator's, of an operation's share of the elapsed time. */
static double less_own_work(const struct replay_schedule *schedule, double ns)
{
    double own = schedule->parallel > 0.0 ? schedule->think_ns / schedule->parallel : 0.0;
    return ns > own ? ns - own : 0.0;
}

void replay_threads_sum_up(
    const struct replay_schedule *schedule, struct replay_measurement *measurement)
{
    struct replay_row *row = measurement->row;
    size_t rounds = row->thread_rounds;
    if (!rounds)
        return;
    row->threads_noise = replay_least_noise(measurement->threads, rounds);
    row->ns_threads = less_own_work(schedule, replay_median(measurement->threads, rounds));
    row->threads_least = less_own_work(schedule, measurement->threads[0]);
    row->threads_most = less_own_work(schedule, measurement->threads[rounds - 1]);
    row->parallel = replay_median(measurement->parallels, rounds);
    if (row->threads_cut)
        return;
    double resident = replay_median(measurement->thread_residents, rounds);
    double footprint = replay_median(measurement->thread_footprints, rounds);
    row->threads_resident = (uint64_t)resident;
    row->threads_footprint = (uint64_t)footprint;
}
