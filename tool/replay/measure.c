/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/replay/measure.h"

#include "tool/replay/remote.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A pool to time in is this many times the peak of live bytes and so much more, or a quarter more
 * than the smallest when that is larger. */
#define TIMES_PEAK 2
#define ROOM_FOR_TABLES ((size_t)1 << 20)

/* A subject while it is measured. */
struct contestant {
    struct replay_row *row;
    struct replay_child child;
    struct replay_work work;
    struct replay_remote_state state; /* holds the board */
    uint64_t written[REPLAY_MOST_ROUNDS];
    uint64_t nanoseconds[REPLAY_MOST_ROUNDS];
    uint64_t instructions[REPLAY_MOST_ROUNDS];
};

struct contest {
    struct replay_table *table;
    struct acre_progress *progress;
    struct contestant *contestants; /* the rows', then the loop's */
    size_t count;
    char doing[96];    /* for the progress line */
    double base, span; /* where the current task lies in all the work, 0.0 to 1.0 */
    const struct contestant *current;
};

static void watch(void *argument, struct acre_progress *progress)
{
    const struct contest *contest = argument;
    double done = contest->current->work.board->done;
    acre_progress_show(progress, contest->doing, contest->base + contest->span * done);
}

/* Has one contestant do one task. @return false: not done; it is given up unless interrupted. */
static bool order(struct contest *contest, struct contestant *contestant, enum replay_task task,
    const char *doing)
{
    struct replay_row *row = contestant->row;
    char ended[REPLAY_ENDED_ROOM];
    if (row->fault[0] || acre_interrupted())
        return false;
    snprintf(contest->doing, sizeof contest->doing, "%.40s: %s", row->subject->name, doing);
    contest->current = contestant;
    contestant->work.board->task = task;
    contestant->work.board->pool = row->pool;
    acre_progress_show(contest->progress, contest->doing, contest->base);
    replay_child_order(&contestant->child);
    if (!replay_child_wait(&contestant->child, watch, contest, contest->progress)) {
        if (acre_interrupted())
            return false;
        replay_child_end(&contestant->child, ended);
        snprintf(row->fault, sizeof row->fault, "its process %s (%s)", ended, doing);
        return false;
    }
    memcpy(row->fault, contestant->work.board->fault, sizeof row->fault);
    return row->fault[0] == '\0';
}

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

static void verify(struct contest *contest, struct contestant *contestant)
{
    struct replay_row *row = contestant->row;
    row->pool = timing_pool(contest->table, row);
    if (row->subject->type == REPLAY_ON_NOTHING ||
        !order(contest, contestant, REPLAY_VERIFY, "verifying"))
        return;
    row->pool_refused = contestant->work.board->pool_refused;
    row->verified = !row->pool_refused;
    row->resident = contestant->work.board->resident;
    row->failed = contestant->work.board->failed;
}

static void fit(struct contest *contest, struct contestant *contestant)
{
    struct replay_row *row = contestant->row;
    if (!contest->table->plan.pool_search || !replay_subject_has_pool(row->subject))
        return;
    if (!order(contest, contestant, REPLAY_FIT, "looking for the smallest pool"))
        return;
    row->fitted = true;
    row->smallest_pool = contestant->work.board->smallest_pool;
    row->pool = timing_pool(contest->table, row);
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

/* A timed replay that is forgotten. */
static void warm_up(struct contest *contest, struct contestant *contestant)
{
    if (order(contest, contestant, REPLAY_TIME, "warming up"))
        contestant->row->pool_refused = contestant->work.board->pool_refused;
}

static void time_once(struct contest *contest, struct contestant *contestant)
{
    struct replay_row *row = contestant->row;
    const struct replay_board *board = contestant->work.board;
    if (row->pool_refused || !order(contest, contestant, REPLAY_TIME, "timing"))
        return;
    row->failed = board->failed;
    row->counted = board->counted;
    contestant->nanoseconds[row->rounds] = board->nanoseconds;
    contestant->instructions[row->rounds] = board->instructions;
    row->rounds++;
}

static void time_written(struct contest *contest, struct contestant *contestant)
{
    struct replay_row *row = contestant->row;
    bool possible = contest->table->script->facts.peak_live < replay_machine_memory() / 2;
    if (!contest->table->plan.writing || !possible || row->pool_refused ||
        !order(contest, contestant, REPLAY_WRITE, "timing, blocks written"))
        return;
    contestant->written[row->written_rounds++] = contestant->work.board->nanoseconds;
}

static void time_steps(struct contest *contest, struct contestant *contestant)
{
    struct replay_row *row = contestant->row;
    const struct replay_board *board = contestant->work.board;
    if (row->pool_refused || row->subject->type == REPLAY_ON_NOTHING)
        return;
    contestant->work.board->rounds = contest->table->plan.rounds;
    row->stepped = order(contest, contestant, REPLAY_STEPS, "timing each operation");
    row->median = board->median;
    row->p99 = board->p99;
    row->p999 = board->p999;
    row->worst = board->worst;
    row->worst_op = board->worst_op;
    if (row->survey && row->stepped)
        memcpy(row->survey->spread, board->survey.spread, sizeof board->survey.spread);
}

static void sum_up(struct contest *contest, struct contestant *contestant)
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

static bool start_child(struct contestant *contestant)
{
    const struct replay_work *work = &contestant->work;
    if (work->subject->type == REPLAY_ON_SYSTEM)
        return replay_remote_start(
            &contestant->child, work->subject->preload, work->script, &contestant->state);
    return replay_child_start(&contestant->child, replay_work, &contestant->work);
}

/* A heap that has served replays keeps what they freed: resident memory is told by a new one. */
static bool start_afresh(struct contestant *contestant)
{
    char ended[REPLAY_ENDED_ROOM];
    if (replay_subject_has_pool(contestant->row->subject))
        return true;
    replay_child_end(&contestant->child, ended);
    return start_child(contestant);
}

static void survey(struct contest *contest, struct contestant *contestant)
{
    struct replay_row *row = contestant->row;
    const struct replay_survey *found = &contestant->work.board->survey;
    size_t timed_in = row->pool;
    if (!row->survey || row->fault[0] || row->pool_refused || acre_interrupted() ||
        !start_afresh(contestant))
        return;
    if (row->smallest_pool)
        row->pool = (size_t)row->smallest_pool;
    if (order(contest, contestant, REPLAY_SURVEY, "looking at its accounts"))
        memcpy(row->survey, found, sizeof *found);
    row->pool = timed_in;
}

/* One task for every contestant, from `from` to `to` of all the work. */
static void for_all(struct contest *contest, double from, double to,
    void (*task)(struct contest *contest, struct contestant *contestant))
{
    contest->span = (to - from) / (double)contest->count;
    for (size_t i = 0; i < contest->count; i++) {
        contest->base = from + contest->span * (double)i;
        task(contest, &contest->contestants[i]);
    }
}

/* The shares of the work are guesses for the progress line. */
static void measure(struct contest *contest)
{
    size_t rounds = contest->table->plan.rounds;
    double share = 0.15 / (double)rounds;
    for_all(contest, 0.0, 0.1, verify);
    for_all(contest, 0.1, 0.55, fit);
    for_all(contest, 0.55, 0.6, warm_up);
    for (size_t round = 0; round < rounds; round++) {
        double from = 0.6 + share * (double)round;
        for_all(contest, from, from + share / 2, time_once);
        for_all(contest, from + share / 2, from + share, time_written);
    }
    for_all(contest, 0.75, 0.95, time_steps);
    for_all(contest, 0.95, 1.0, survey);
    for_all(contest, 1.0, 1.0, sum_up);
    contest->table->interrupted = acre_interrupted() != 0;
}

static bool start(struct contest *contest, struct contestant *contestant, struct replay_row *row)
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

static bool start_all(struct contest *contest)
{
    for (size_t i = 0; i < contest->count; i++) {
        struct replay_table *table = contest->table;
        struct replay_row *row = i < table->count ? &table->rows[i] : &table->loop;
        if (!start(contest, &contest->contestants[i], row))
            return false;
    }
    return true;
}

static void end_all(struct contest *contest)
{
    char ended[REPLAY_ENDED_ROOM];
    for (size_t i = 0; i < contest->count; i++) {
        struct contestant *contestant = &contest->contestants[i];
        replay_child_end(&contestant->child, ended);
        if (contestant->work.board)
            replay_remote_close(&contestant->state);
    }
}

bool replay_measure(struct replay_table *table, struct acre_progress *progress)
{
    static const struct replay_subject nothing = { .type = REPLAY_ON_NOTHING, .name = "loop" };
    struct contest contest = { .table = table, .progress = progress, .count = table->count + 1 };
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
