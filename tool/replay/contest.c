/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/replay/contest.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

/* A worker takes about so many times the peak of live bytes. */
#define TIMES_PEAK 4

static size_t processors(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? (size_t)CPU_COUNT(&set) : 1;
}

size_t replay_contest_width(const struct replay_facts *facts)
{
    uint64_t each = TIMES_PEAK * facts->peak_live + facts->slots * sizeof(struct replay_slot) + 1;
    uint64_t room = replay_machine_memory() / 2 / each;
    size_t most = processors();
    if (most > REPLAY_MOST_AT_ONCE)
        most = REPLAY_MOST_AT_ONCE;
    if (room < most)
        most = (size_t)room;
    return most ? most : 1;
}

/* What those at work have done of their task, each from 0.0 to 1.0. */
static double under_way(const struct replay_contest *contest)
{
    double sum = 0.0;
    for (size_t i = 0; i < contest->count; i++)
        if (contest->contestants[i].ordered)
            sum += contest->contestants[i].work.board->done;
    return sum;
}

static void watch(void *argument, struct acre_progress *progress)
{
    const struct replay_contest *contest = argument;
    double done = contest->done + contest->part * under_way(contest);
    acre_progress_show(progress, contest->doing, done / contest->whole);
}

static bool concerns(const struct replay_duty *duty, const struct replay_contestant *contestant)
{
    const struct replay_subject *subject = contestant->row->subject;
    if (duty->whom == REPLAY_FOR_POOLS)
        return replay_subject_has_pool(subject);
    return duty->whom == REPLAY_FOR_ALL || subject->type != REPLAY_ON_NOTHING;
}

/* What one contestant's part takes, as those who do theirs at the same time see it. */
static double part_of(
    const struct replay_contest *contest, const struct replay_duty *duty, double turns)
{
    return turns * duty->replays / (double)(duty->timed ? 1 : contest->width);
}

void replay_contest_expect(
    struct replay_contest *contest, const struct replay_duty *duty, double turns)
{
    for (size_t i = 0; i < contest->count; i++)
        if (concerns(duty, &contest->contestants[i]))
            contest->whole += part_of(contest, duty, turns);
}

/* ---- one contestant ---- */

static bool begin(struct replay_contest *contest, const struct replay_duty *duty,
    struct replay_contestant *contestant)
{
    struct replay_row *row = contestant->row;
    contestant->pool = 0;
    if (row->fault[0] || acre_interrupted() || !duty->begin(contest, contestant))
        return false;
    snprintf(contest->doing, sizeof contest->doing, "%.40s: %s", row->subject->name, duty->doing);
    contestant->work.board->task = duty->task;
    contestant->work.board->pool = contestant->pool ? contestant->pool : row->pool;
    contestant->work.board->done = 0.0;
    contestant->ordered = true;
    watch(contest, contest->progress);
    replay_child_order(&contestant->child);
    return true;
}

static void end(struct replay_contest *contest, const struct replay_duty *duty,
    struct replay_contestant *contestant)
{
    struct replay_row *row = contestant->row;
    char ended[REPLAY_ENDED_ROOM];
    bool done = replay_child_wait(&contestant->child, watch, contest, contest->progress);
    contestant->ordered = false;
    if (acre_interrupted())
        return;
    if (!done) {
        replay_child_end(&contestant->child, ended);
        snprintf(row->fault, sizeof row->fault, "its process %s (%s)", ended, duty->doing);
        return;
    }
    memcpy(row->fault, contestant->work.board->fault, sizeof row->fault);
    duty->end(contest, contestant);
}

/* ---- all of them ---- */

/* Waits for one of those at work. */
static struct replay_contestant *wait_any(struct replay_contest *contest)
{
    const struct replay_child *children[REPLAY_MOST_AT_ONCE];
    struct replay_contestant *at_work[REPLAY_MOST_AT_ONCE] = { NULL };
    size_t count = 0;
    for (size_t i = 0; i < contest->count; i++) {
        if (!contest->contestants[i].ordered)
            continue;
        at_work[count] = &contest->contestants[i];
        children[count++] = &contest->contestants[i].child;
    }
    return at_work[replay_child_wait_any(children, count, watch, contest, contest->progress)];
}

void replay_contest_do(struct replay_contest *contest, const struct replay_duty *duty, double turns)
{
    size_t width = duty->timed ? 1 : contest->width;
    size_t busy = 0;
    size_t next = 0;
    contest->part = part_of(contest, duty, turns);
    while (next < contest->count || busy) {
        if (next < contest->count && busy < width) {
            struct replay_contestant *contestant = &contest->contestants[next++];
            if (!concerns(duty, contestant))
                continue;
            bool begun = begin(contest, duty, contestant);
            busy += begun;
            contest->done += begun ? 0.0 : contest->part;
            continue;
        }
        end(contest, duty, wait_any(contest));
        contest->done += contest->part;
        busy--;
    }
}
