/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/replay/contest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A pool to time in is this many times the peak of live bytes and so much more, or a quarter more
 * than the smallest when that is larger. */
#define TIMES_PEAK 2
#define ROOM_FOR_TABLES ((size_t)1 << 20)

static size_t timing_pool(const struct replay_table *table, const struct replay_row *row)
{
    size_t pool = TIMES_PEAK * (size_t)table->script->facts.peak_live + ROOM_FOR_TABLES;
    size_t needed = (size_t)row->smallest_pool + (size_t)row->smallest_pool / 4;
    if (!replay_subject_has_pool(row->subject))
        return 0;
    if (table->plan.pool)
        return table->plan.pool;
    return needed > pool ? needed : pool;
}

static void set_pool(struct replay_contest *contest, struct replay_contestant *contestant)
{
    contestant->row->pool = timing_pool(contest->table, contestant->row);
}

static bool begin_verify(struct replay_contest *contest, struct replay_contestant *contestant)
{
    set_pool(contest, contestant);
    return true;
}

static void end_verify(struct replay_contest *contest, struct replay_contestant *contestant)
{
    struct replay_row *row = contestant->row;
    const struct replay_board *board = contestant->work.board;
    (void)contest;
    if (row->fault[0])
        return;
    row->pool_refused = board->pool_refused;
    row->verified = !row->pool_refused;
    row->resident = board->resident;
    row->failed = board->failed;
}

static bool begin_fit(struct replay_contest *contest, struct replay_contestant *contestant)
{
    (void)contest;
    (void)contestant;
    return true;
}

static void end_fit(struct replay_contest *contest, struct replay_contestant *contestant)
{
    struct replay_row *row = contestant->row;
    if (row->fault[0])
        return;
    row->fitted = true;
    row->smallest_pool = contestant->work.board->smallest_pool;
    set_pool(contest, contestant);
}

static int compare_numbers(const void *left, const void *right)
{
    const uint64_t *a = left;
    const uint64_t *b = right;
    return (*a > *b) - (*a < *b);
}

static double median_per_op(uint64_t *numbers, size_t count, uint64_t ops)
{
    qsort(numbers, count, sizeof *numbers, compare_numbers);
    uint64_t low = numbers[(count - 1) / 2];
    uint64_t high = numbers[count / 2];
    return ((double)low + (double)high) / 2.0 / (double)ops;
}

static bool begin_time(struct replay_contest *contest, struct replay_contestant *contestant)
{
    (void)contest;
    return !contestant->row->pool_refused;
}

/* A timed replay that is forgotten. */
static void end_warm_up(struct replay_contest *contest, struct replay_contestant *contestant)
{
    (void)contest;
    contestant->row->pool_refused = contestant->work.board->pool_refused;
}

static void end_time(struct replay_contest *contest, struct replay_contestant *contestant)
{
    struct replay_row *row = contestant->row;
    const struct replay_board *board = contestant->work.board;
    (void)contest;
    if (row->fault[0])
        return;
    row->failed = board->failed;
    row->counted = board->counted;
    contestant->nanoseconds[row->rounds] = board->nanoseconds;
    contestant->instructions[row->rounds] = board->instructions;
    row->rounds++;
}

static bool begin_written(struct replay_contest *contest, struct replay_contestant *contestant)
{
    bool possible = contest->table->script->facts.peak_live < replay_machine_memory() / 2;
    return contest->table->plan.writing && possible && !contestant->row->pool_refused;
}

static void end_written(struct replay_contest *contest, struct replay_contestant *contestant)
{
    struct replay_row *row = contestant->row;
    (void)contest;
    if (!row->fault[0])
        contestant->written[row->written_rounds++] = contestant->work.board->nanoseconds;
}

static bool begin_steps(struct replay_contest *contest, struct replay_contestant *contestant)
{
    contestant->work.board->rounds = contest->table->plan.rounds;
    return !contestant->row->pool_refused;
}

static void end_steps(struct replay_contest *contest, struct replay_contestant *contestant)
{
    struct replay_row *row = contestant->row;
    const struct replay_board *board = contestant->work.board;
    (void)contest;
    row->stepped = !row->fault[0];
    row->median = board->median;
    row->p99 = board->p99;
    row->p999 = board->p999;
    row->worst = board->worst;
    row->worst_op = board->worst_op;
    if (row->survey && row->stepped)
        memcpy(row->survey->spread, board->survey.spread, sizeof board->survey.spread);
}

static void sum_up(const struct replay_contest *contest, struct replay_contestant *contestant)
{
    struct replay_row *row = contestant->row;
    uint64_t ops = contest->table->script->facts.ops;
    if (row->rounds == 0)
        return;
    row->ns_per_op = median_per_op(contestant->nanoseconds, row->rounds, ops);
    row->ns_least = (double)contestant->nanoseconds[0] / (double)ops;
    row->ns_most = (double)contestant->nanoseconds[row->rounds - 1] / (double)ops;
    if (row->written_rounds)
        row->ns_written = median_per_op(contestant->written, row->written_rounds, ops);
    row->instructions_per_op = median_per_op(contestant->instructions, row->rounds, ops);
}

static bool start_child(struct replay_contestant *contestant)
{
    const struct replay_work *work = &contestant->work;
    if (work->subject->type == REPLAY_ON_SYSTEM)
        return replay_remote_start(
            &contestant->child, work->subject->preload, work->script, &contestant->state);
    return replay_child_start(&contestant->child, replay_work, &contestant->work);
}

/* A heap that has served replays keeps what they freed: resident memory is told by a new one. */
static bool start_afresh(struct replay_contestant *contestant)
{
    char ended[REPLAY_ENDED_ROOM];
    if (replay_subject_has_pool(contestant->row->subject))
        return true;
    replay_child_end(&contestant->child, ended);
    return start_child(contestant);
}

static bool begin_survey(struct replay_contest *contest, struct replay_contestant *contestant)
{
    struct replay_row *row = contestant->row;
    (void)contest;
    if (!row->survey || row->pool_refused || !start_afresh(contestant))
        return false;
    contestant->pool = (size_t)row->smallest_pool;
    return true;
}

static void end_survey(struct replay_contest *contest, struct replay_contestant *contestant)
{
    struct replay_row *row = contestant->row;
    const struct replay_survey *found = &contestant->work.board->survey;
    (void)contest;
    if (!row->fault[0])
        memcpy(row->survey, found, sizeof *found);
}

/* ---- all of it ---- */

enum duty { VERIFY, FIT, WARM_UP, TIME, WRITTEN, STEPS, SURVEY };

/* The replays are those of long traces, where a timed one is 1: single operations are timed in 2 to
 * 8, the less memory is live the more. */
static const struct replay_duty duties[] = {
    [VERIFY] = { REPLAY_VERIFY, REPLAY_FOR_ALLOCATORS, "verifying", 5, false, begin_verify,
        end_verify },
    [FIT] = { REPLAY_FIT, REPLAY_FOR_POOLS, "looking for the smallest pool", 12, false, begin_fit,
        end_fit },
    [WARM_UP] = { REPLAY_TIME, REPLAY_FOR_ALL, "warming up", 1, true, begin_time, end_warm_up },
    [TIME] = { REPLAY_TIME, REPLAY_FOR_ALL, "timing", 1, true, begin_time, end_time },
    [WRITTEN] = { REPLAY_WRITE, REPLAY_FOR_ALL, "timing, blocks written", 1.2, true, begin_written,
        end_written },
    [STEPS] = { REPLAY_STEPS, REPLAY_FOR_ALLOCATORS, "timing each operation", 4, true, begin_steps,
        end_steps },
    [SURVEY] = { REPLAY_SURVEY, REPLAY_FOR_ALLOCATORS, "looking at its accounts", 3, false,
        begin_survey, end_survey },
};

static void plan_work(struct replay_contest *contest)
{
    const struct replay_plan *plan = &contest->table->plan;
    double rounds = (double)plan->rounds;
    replay_contest_expect(contest, &duties[VERIFY], 1.0);
    replay_contest_expect(contest, &duties[FIT], plan->pool_search);
    replay_contest_expect(contest, &duties[WARM_UP], 1.0);
    replay_contest_expect(contest, &duties[TIME], rounds);
    replay_contest_expect(contest, &duties[WRITTEN], plan->writing ? rounds : 0.0);
    replay_contest_expect(contest, &duties[STEPS], rounds);
    replay_contest_expect(contest, &duties[SURVEY], plan->survey);
}

static void measure(struct replay_contest *contest)
{
    const struct replay_plan *plan = &contest->table->plan;
    plan_work(contest);
    replay_contest_do(contest, &duties[VERIFY], 1.0);
    if (plan->pool_search)
        replay_contest_do(contest, &duties[FIT], 1.0);
    replay_contest_do(contest, &duties[WARM_UP], 1.0);
    for (size_t round = 0; round < plan->rounds; round++) {
        replay_contest_do(contest, &duties[TIME], 1.0);
        if (plan->writing)
            replay_contest_do(contest, &duties[WRITTEN], 1.0);
    }
    replay_contest_do(contest, &duties[STEPS], (double)plan->rounds);
    if (plan->survey)
        replay_contest_do(contest, &duties[SURVEY], 1.0);
    for (size_t i = 0; i < contest->count; i++)
        sum_up(contest, &contest->contestants[i]);
    contest->table->interrupted = acre_interrupted() != 0;
}

static bool start(
    struct replay_contest *contest, struct replay_contestant *contestant, struct replay_row *row)
{
    struct replay_work *work = &contestant->work;
    contestant->row = row;
    work->script = contest->table->script;
    work->subject = row->subject;
    if (!replay_remote_open(&contestant->state))
        return false;
    work->board = &contestant->state.shared->board;
    return start_child(contestant);
}

static bool start_all(struct replay_contest *contest)
{
    for (size_t i = 0; i < contest->count; i++) {
        struct replay_table *table = contest->table;
        struct replay_row *row = i < table->count ? &table->rows[i] : &table->loop;
        if (!start(contest, &contest->contestants[i], row))
            return false;
    }
    return true;
}

static void end_all(struct replay_contest *contest)
{
    char ended[REPLAY_ENDED_ROOM];
    for (size_t i = 0; i < contest->count; i++) {
        struct replay_contestant *contestant = &contest->contestants[i];
        replay_child_end(&contestant->child, ended);
        if (contestant->work.board)
            replay_remote_close(&contestant->state);
    }
}

bool replay_measure(struct replay_table *table, struct acre_progress *progress)
{
    static const struct replay_subject nothing = { .type = REPLAY_ON_NOTHING, .name = "loop" };
    struct replay_contest contest = {
        .table = table, .progress = progress, .count = table->count + 1
    };
    contest.width = replay_contest_width(&table->script->facts);
    table->loop.subject = &nothing;
    contest.contestants = calloc(contest.count, sizeof *contest.contestants);
    if (!contest.contestants)
        return false;
    bool started = start_all(&contest);
    int error = errno;
    if (started)
        measure(&contest);
    end_all(&contest);
    acre_progress_wipe(progress);
    free(contest.contestants);
    errno = error;
    return started;
}
