/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "replay/measure_child.h"
#include "replay/measure_threads.h"
#include "replay/schedule.h"
#include "replay/statistics.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A pool to time in is this many times the peak of live bytes and so much more, or a quarter more
 * than the smallest when that is larger. */
#define TIMES_PEAK 2
#define ROOM_FOR_TABLES ((size_t)1 << 20)
/* Replays on one thread, blocks touched, of a script that is replayed on threads as well; of a long
 * one. */
#define FEW_ROUNDS 2u
#define LONG_OPS 500000u
#define LONG_ROUNDS 1u
/* The least time of the reference is known well when noise is at most this part of it. */
#define REFERENCE_KNOWN 0.01
/* So many times the fastest is near it; and noise of this part of the least is much. */
#define NEAR 1.2
#define MUCH_DISTURBED 0.06

size_t replay_step_rounds(const struct replay_plan *plan)
{
    return plan->step_rounds ? plan->step_rounds : plan->rounds;
}

static size_t timing_pool(const struct replay_table *table, const struct replay_row *row)
{
    size_t pool = TIMES_PEAK * (size_t)table->script->facts.peak_live + ROOM_FOR_TABLES;
    size_t needed = (size_t)row->smallest_pool + (size_t)row->smallest_pool / 4;
    if (!replay_backend_has_pool(row->backend))
        return 0;
    if (table->plan.pool)
        return table->plan.pool;
    return needed > pool ? needed : pool;
}

static void set_pool(struct replay_schedule *schedule, struct replay_measurement *measurement)
{
    measurement->row->pool = timing_pool(schedule->table, measurement->row);
}

static bool begin_verify(struct replay_schedule *schedule, struct replay_measurement *measurement)
{
    set_pool(schedule, measurement);
    return replay_start_own(measurement);
}

static void end_verify(struct replay_schedule *schedule, struct replay_measurement *measurement)
{
    struct replay_row *row = measurement->row;
    const struct replay_results *results = measurement->worker.results;
    (void)schedule;
    if (row->fault[0])
        return;
    row->pool_refused = results->pool_refused;
    row->verified = !row->pool_refused;
    row->resident = results->resident;
    row->failed = results->failed;
}

static bool begin_fit(struct replay_schedule *schedule, struct replay_measurement *measurement)
{
    (void)schedule;
    (void)measurement;
    return true;
}

static void end_fit(struct replay_schedule *schedule, struct replay_measurement *measurement)
{
    struct replay_row *row = measurement->row;
    if (row->fault[0])
        return;
    row->fitted = true;
    row->smallest_pool = measurement->worker.results->smallest_pool;
    set_pool(schedule, measurement);
}

static bool begin_time(struct replay_schedule *schedule, struct replay_measurement *measurement)
{
    (void)schedule;
    return !measurement->row->pool_refused && replay_start_own(measurement);
}

/* A timed replay that is forgotten. */
static void end_warm_up(struct replay_schedule *schedule, struct replay_measurement *measurement)
{
    (void)schedule;
    measurement->row->pool_refused = measurement->worker.results->pool_refused;
}

static void end_time(struct replay_schedule *schedule, struct replay_measurement *measurement)
{
    struct replay_row *row = measurement->row;
    const struct replay_results *results = measurement->worker.results;
    (void)schedule;
    if (row->fault[0])
        return;
    row->failed = results->failed;
    row->counted = results->counted;
    measurement->nanoseconds[row->rounds] = (double)results->nanoseconds;
    measurement->instructions[row->rounds] = (double)results->instructions;
    row->rounds++;
}

static void end_touched(struct replay_schedule *schedule, struct replay_measurement *measurement)
{
    struct replay_row *row = measurement->row;
    (void)schedule;
    const struct replay_results *results = measurement->worker.results;
    if (row->fault[0])
        return;
    if (row->start_ns == 0 || results->start_ns < row->start_ns)
        row->start_ns = results->start_ns;
    measurement->residents[row->touched_rounds] = (double)results->resident;
    measurement->footprints[row->touched_rounds] = (double)results->footprint;
    measurement->visits[row->touched_rounds] =
        results->visits ? (double)results->visit_ns / (double)results->visits : 0.0;
    measurement->touched[row->touched_rounds++] = (double)results->nanoseconds;
}

static bool begin_steps(struct replay_schedule *schedule, struct replay_measurement *measurement)
{
    measurement->worker.results->rounds = replay_step_rounds(&schedule->table->plan);
    return !measurement->row->pool_refused && replay_start_own(measurement);
}

static void end_steps(struct replay_schedule *schedule, struct replay_measurement *measurement)
{
    struct replay_row *row = measurement->row;
    const struct replay_results *results = measurement->worker.results;
    (void)schedule;
    row->stepped = !row->fault[0];
    row->median = results->median;
    row->p99 = results->p99;
    row->p999 = results->p999;
    row->worst = results->worst;
    row->worst_op = results->worst_op;
    if (row->survey && row->stepped)
        memcpy(row->survey->spread, results->survey.spread, sizeof results->survey.spread);
}

/* Sorts the figures of the rounds too. */
static double median_per_op(const struct replay_schedule *schedule, double *figures, size_t rounds)
{
    return replay_median(figures, rounds) / (double)schedule->table->script->facts.ops;
}

/* Of replays with blocks touched, of `most` operations (0: all). */
static void sum_up_touched(
    const struct replay_schedule *schedule, struct replay_measurement *measurement, uint64_t most)
{
    struct replay_row *row = measurement->row;
    uint64_t all = schedule->table->script->facts.ops;
    double ops = (double)(most && most < all ? most : all);
    row->touched_noise = replay_least_noise(measurement->touched, row->touched_rounds) / ops;
    row->ns_touched = replay_median(measurement->touched, row->touched_rounds) / ops;
    if (row->touched_rounds) {
        row->touched_least = measurement->touched[0] / ops;
        row->touched_most = measurement->touched[row->touched_rounds - 1] / ops;
        double resident = replay_median(measurement->residents, row->touched_rounds);
        row->run_resident = (uint64_t)resident;
        double footprint = replay_median(measurement->footprints, row->touched_rounds);
        row->footprint = (uint64_t)footprint;
        row->visit_ns = replay_least(measurement->visits, row->touched_rounds);
    }
}

static void sum_up(const struct replay_schedule *schedule, struct replay_measurement *measurement)
{
    struct replay_row *row = measurement->row;
    double ops = (double)schedule->table->script->facts.ops;
    if (row->rounds == 0)
        return;
    row->ns_noise = replay_least_noise(measurement->nanoseconds, row->rounds) / ops;
    row->ns_per_op = median_per_op(schedule, measurement->nanoseconds, row->rounds);
    row->ns_least = measurement->nanoseconds[0] / ops;
    row->ns_most = measurement->nanoseconds[row->rounds - 1] / ops;
    sum_up_touched(schedule, measurement, 0);
    row->instructions_per_op = median_per_op(schedule, measurement->instructions, row->rounds);
}

/* Pages are fresh for every backend: a heap that has served replays has touched its own. */
static bool begin_touched(struct replay_schedule *schedule, struct replay_measurement *measurement)
{
    bool possible = schedule->table->script->facts.peak_live < replay_machine_memory() / 2;
    measurement->worker.results->limit = 0;
    return schedule->table->plan.touching && possible && !measurement->row->pool_refused &&
           (measurement->row->backend->type == REPLAY_EMPTY || replay_start_served(measurement));
}

/* On one thread the time with blocks touched is of little use where that on threads is known. */
static size_t touched_rounds(const struct replay_schedule *schedule)
{
    size_t rounds = schedule->table->plan.touching ? schedule->table->plan.rounds : 0;
    size_t most = schedule->table->script->facts.ops >= LONG_OPS ? LONG_ROUNDS : FEW_ROUNDS;
    return replay_threads_wanted(schedule) && rounds > most ? most : rounds;
}

/* Whether the least of the rounds is not known well: other programs disturbed it. */
static bool is_touched_unsettled(
    const struct replay_schedule *schedule, const struct replay_measurement *measurement)
{
    bool reference = measurement->row->reference;
    size_t times = reference ? REPLAY_REFERENCE_TIMES : REPLAY_MORE_TIMES;
    size_t most = touched_rounds(schedule) * (1 + times);
    size_t rounds = measurement->row->touched_rounds;
    most = most < REPLAY_MOST_ROUNDS ? most : REPLAY_MOST_ROUNDS;
    return rounds < most && replay_is_unsettled(measurement->touched, rounds,
                                reference ? REFERENCE_KNOWN : REPLAY_KNOWN_WELL);
}

/* Whether it is near the fastest so far, so that noise may decide between the two. */
static bool is_touched_near(
    const struct replay_schedule *schedule, const struct replay_measurement *measurement)
{
    double fastest = 0.0;
    for (size_t i = 0; i < schedule->table->count; i++) {
        const struct replay_measurement *other = &schedule->measurements[i];
        double least = replay_least(other->touched, other->row->touched_rounds);
        if (least > 0.0 && (fastest <= 0.0 || least < fastest))
            fastest = least;
    }
    return replay_least(measurement->touched, measurement->row->touched_rounds) <= NEAR * fastest;
}

/* Whether it is worth another round: the reference, what is near the fastest, and the rest only
 * where it was much disturbed. */
static bool is_touched_wanted_again(
    const struct replay_schedule *schedule, const struct replay_measurement *measurement)
{
    if (measurement->row->reference || is_touched_near(schedule, measurement))
        return is_touched_unsettled(schedule, measurement);
    return is_touched_unsettled(schedule, measurement) &&
           replay_is_unsettled(
               measurement->touched, measurement->row->touched_rounds, MUCH_DISTURBED);
}

static bool begin_touched_again(
    struct replay_schedule *schedule, struct replay_measurement *measurement)
{
    return measurement->row->backend->type != REPLAY_EMPTY &&
           is_touched_wanted_again(schedule, measurement) && begin_touched(schedule, measurement);
}

static bool begin_first(struct replay_schedule *schedule, struct replay_measurement *measurement)
{
    if (measurement->row->backend->plugin)
        return false;
    set_pool(schedule, measurement);
    bool begun = begin_touched(schedule, measurement);
    measurement->worker.results->limit = (size_t)schedule->table->plan.first_ops;
    return begun;
}

static bool begin_survey(struct replay_schedule *schedule, struct replay_measurement *measurement)
{
    struct replay_row *row = measurement->row;
    (void)schedule;
    if (!row->survey || row->pool_refused || !replay_start_afresh(measurement))
        return false;
    measurement->pool = (size_t)row->smallest_pool;
    return true;
}

static void end_survey(struct replay_schedule *schedule, struct replay_measurement *measurement)
{
    struct replay_row *row = measurement->row;
    const struct replay_survey *found = &measurement->worker.results->survey;
    (void)schedule;
    if (!row->fault[0])
        memcpy(row->survey, found, sizeof *found);
}

/* ---- all of it ---- */

enum job { FIRST, VERIFY, FIT, WARM_UP, TIME, TOUCHED, TOUCHED_AGAIN, STEPS, SURVEY };

/* The replays are those of long traces, where a timed one is 1: single operations are timed in 2 to
 * 8, the less memory is live the more. */
static const struct replay_job jobs[] = {
    [FIRST] = { REPLAY_TOUCH, REPLAY_FOR_ALLOCATORS, "a first look", 1, false, begin_first,
        end_touched },
    [VERIFY] = { REPLAY_VERIFY, REPLAY_FOR_ALLOCATORS, "verifying", 5, false, begin_verify,
        end_verify },
    [FIT] = { REPLAY_FIT, REPLAY_FOR_POOLS, "searching the smallest pool", 12, false, begin_fit,
        end_fit },
    [WARM_UP] = { REPLAY_TIME, REPLAY_FOR_ALL, "warming up", 1, true, begin_time, end_warm_up },
    [TIME] = { REPLAY_TIME, REPLAY_FOR_ALL, "timing", 1, true, begin_time, end_time },
    [TOUCHED] = { REPLAY_TOUCH, REPLAY_FOR_ALL, "timing, blocks touched", 1.2, true, begin_touched,
        end_touched },
    [TOUCHED_AGAIN] = { REPLAY_TOUCH, REPLAY_FOR_ALLOCATORS, "timing, blocks touched, again", 0,
        true, begin_touched_again, end_touched },
    [STEPS] = { REPLAY_STEPS, REPLAY_FOR_ALLOCATORS, "timing each operation", 4, true, begin_steps,
        end_steps },
    [SURVEY] = { REPLAY_SURVEY, REPLAY_FOR_ALLOCATORS, "sampling its statistics", 3, false,
        begin_survey, end_survey },
};

static size_t more_rounds(const struct replay_schedule *schedule)
{
    bool settles = schedule->table->plan.settles && !replay_threads_wanted(schedule);
    return settles ? touched_rounds(schedule) * REPLAY_REFERENCE_TIMES : 0;
}

static void plan_jobs(struct replay_schedule *schedule)
{
    const struct replay_plan *plan = &schedule->table->plan;
    double rounds = (double)plan->rounds;
    const size_t steps = replay_step_rounds(plan);
    const double step_rounds = (double)steps;
    replay_schedule_expect(schedule, &jobs[VERIFY], 1.0);
    replay_schedule_expect(schedule, &jobs[FIT], plan->pool_search);
    replay_schedule_expect(schedule, &jobs[WARM_UP], 1.0);
    replay_schedule_expect(schedule, &jobs[TIME], rounds);
    const size_t touched = touched_rounds(schedule);
    replay_schedule_expect(schedule, &jobs[TOUCHED], (double)touched);
    replay_schedule_expect(schedule, &jobs[STEPS], step_rounds);
    replay_schedule_expect(schedule, &jobs[SURVEY], plan->survey);
    replay_threads_expect(schedule);
}

/* Forgets what the first look found: it is no round of timing. */
static void forget_first(struct replay_measurement *measurement)
{
    struct replay_row *row = measurement->row;
    row->touched_rounds = 0;
    row->ns_touched = row->touched_least = row->touched_most = row->visit_ns = 0.0;
    row->touched_noise = 0.0;
    row->run_resident = row->footprint = 0;
}

static void look_first(struct replay_schedule *schedule)
{
    const struct replay_plan *plan = &schedule->table->plan;
    replay_schedule_run(schedule, &jobs[FIRST], 1.0);
    if (acre_interrupted())
        return;
    for (size_t i = 0; i < schedule->table->count; i++)
        sum_up_touched(schedule, &schedule->measurements[i], plan->first_ops);
    acre_progress_wipe(schedule->progress);
    plan->first(plan->first_argument, schedule->table);
    for (size_t i = 0; i < schedule->count; i++)
        forget_first(&schedule->measurements[i]);
}

static void measure_all(struct replay_schedule *schedule)
{
    const struct replay_plan *plan = &schedule->table->plan;
    const size_t steps = replay_step_rounds(plan);
    const double step_rounds = (double)steps;
    plan_jobs(schedule);
    if (plan->first)
        look_first(schedule);
    replay_schedule_run(schedule, &jobs[VERIFY], 1.0);
    if (plan->pool_search)
        replay_schedule_run(schedule, &jobs[FIT], 1.0);
    replay_schedule_run(schedule, &jobs[WARM_UP], 1.0);
    for (size_t round = 0; round < plan->rounds; round++)
        replay_schedule_run(schedule, &jobs[TIME], 1.0);
    for (size_t round = 0; round < touched_rounds(schedule); round++)
        replay_schedule_run(schedule, &jobs[TOUCHED], 1.0);
    for (size_t more = 0; more < more_rounds(schedule); more++)
        replay_schedule_run(schedule, &jobs[TOUCHED_AGAIN], 1.0);
    replay_threads_measure(schedule);
    replay_schedule_run(schedule, &jobs[STEPS], step_rounds);
    if (plan->survey)
        replay_schedule_run(schedule, &jobs[SURVEY], 1.0);
    for (size_t i = 0; i < schedule->count; i++)
        sum_up(schedule, &schedule->measurements[i]);
    for (size_t i = 0; i < schedule->count; i++)
        replay_threads_sum_up(schedule, &schedule->measurements[i]);
    schedule->table->think_ns = schedule->think_ns;
    schedule->table->interrupted = acre_interrupted() != 0;
}

static bool start(struct replay_schedule *schedule, struct replay_measurement *measurement,
    struct replay_row *row)
{
    struct replay_worker *worker = &measurement->worker;
    measurement->row = row;
    worker->script = schedule->table->script;
    worker->backend = row->backend;
    if (!replay_shared_open(&measurement->state))
        return false;
    worker->results = &measurement->state.shared->results;
    return replay_start(measurement);
}

static bool start_all(struct replay_schedule *schedule)
{
    for (size_t i = 0; i < schedule->count; i++) {
        struct replay_table *table = schedule->table;
        struct replay_row *row = i < table->count ? &table->rows[i] : &table->loop;
        if (!start(schedule, &schedule->measurements[i], row))
            return false;
    }
    return true;
}

static void end_all(struct replay_schedule *schedule)
{
    char ended[REPLAY_ENDED_ROOM];
    for (size_t i = 0; i < schedule->count; i++) {
        struct replay_measurement *measurement = &schedule->measurements[i];
        replay_child_end(&measurement->child, ended);
        if (measurement->worker.results)
            replay_shared_close(&measurement->state);
    }
}

bool replay_measure(struct replay_table *table, struct acre_progress *progress)
{
    static const struct replay_backend nothing = { .type = REPLAY_EMPTY, .name = "loop" };
    struct replay_schedule schedule = {
        .table = table, .progress = progress, .count = table->count + 1
    };
    schedule.width = replay_schedule_width(&table->script->facts);
    table->loop.backend = &nothing;
    schedule.measurements = calloc(schedule.count, sizeof *schedule.measurements);
    if (!schedule.measurements)
        return false;
    bool started = start_all(&schedule);
    int error = errno;
    if (started)
        measure_all(&schedule);
    end_all(&schedule);
    acre_progress_wipe(progress);
    free(schedule.measurements);
    errno = error;
    return started;
}
