/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "replay/schedule.h"

#include "replay/delay.h"

#include <stdio.h>
#include <string.h>

/* A worker takes about so many times the peak of live bytes. */
#define TIMES_PEAK 4

size_t replay_schedule_width(const struct replay_facts *facts)
{
    uint64_t each = TIMES_PEAK * facts->peak_live + facts->slots * sizeof(struct replay_slot) + 1;
    uint64_t room = replay_machine_memory() / 2 / each;
    size_t most = replay_processors();
    if (most > REPLAY_MOST_AT_ONCE)
        most = REPLAY_MOST_AT_ONCE;
    if (room < most)
        most = (size_t)room;
    return most ? most : 1;
}

/* What those at work have done of their task, each from 0.0 to 1.0. */
static double under_way(const struct replay_schedule *schedule)
{
    double sum = 0.0;
    for (size_t i = 0; i < schedule->count; i++)
        if (schedule->measurements[i].ordered)
            sum += schedule->measurements[i].worker.results->done;
    return sum;
}

static void watch_jobs(void *argument, struct acre_progress *progress)
{
    const struct replay_schedule *schedule = argument;
    double done = schedule->done + schedule->part * under_way(schedule);
    acre_progress_show(progress, schedule->doing, done / schedule->whole);
}

static bool concerns(const struct replay_job *job, const struct replay_measurement *measurement)
{
    const struct replay_backend *backend = measurement->row->backend;
    if (job->whom == REPLAY_FOR_POOLS)
        return replay_backend_has_pool(backend);
    return job->whom == REPLAY_FOR_ALL || backend->type != REPLAY_EMPTY;
}

/* What one measurement's part takes, as those who do theirs at the same time see it. */
static double part_of(
    const struct replay_schedule *schedule, const struct replay_job *job, double turns)
{
    return turns * job->replays / (double)(job->timed ? 1 : schedule->width);
}

void replay_schedule_expect(
    struct replay_schedule *schedule, const struct replay_job *job, double turns)
{
    for (size_t i = 0; i < schedule->count; i++)
        if (concerns(job, &schedule->measurements[i]))
            schedule->whole += part_of(schedule, job, turns);
}

/* ---- one measurement ---- */

static bool begin_job(struct replay_schedule *schedule, const struct replay_job *job,
    struct replay_measurement *measurement)
{
    struct replay_row *row = measurement->row;
    measurement->pool = 0;
    if (row->fault[0] || acre_interrupted() || !job->begin(schedule, measurement))
        return false;
    snprintf(schedule->doing, sizeof schedule->doing, "%.40s: %s", row->backend->name, job->doing);
    measurement->worker.results->task = (int)job->task;
    measurement->worker.results->pool = measurement->pool ? measurement->pool : row->pool;
    measurement->worker.results->done = 0.0;
    measurement->ordered = true;
    watch_jobs(schedule, schedule->progress);
    replay_child_order(&measurement->child);
    return true;
}

static void end_job(struct replay_schedule *schedule, const struct replay_job *job,
    struct replay_measurement *measurement)
{
    struct replay_row *row = measurement->row;
    char ended[REPLAY_ENDED_ROOM];
    bool done = replay_child_wait(&measurement->child, watch_jobs, schedule, schedule->progress);
    measurement->ordered = false;
    if (acre_interrupted())
        return;
    if (!done) {
        replay_child_end(&measurement->child, ended);
        snprintf(row->fault, sizeof row->fault, "its process %s (%s)", ended, job->doing);
        return;
    }
    memcpy(row->fault, measurement->worker.results->fault, sizeof row->fault);
    job->end(schedule, measurement);
}

/* ---- all of them ---- */

/* Waits for one of those at work. */
static struct replay_measurement *wait_any(struct replay_schedule *schedule)
{
    const struct replay_child *children[REPLAY_MOST_AT_ONCE];
    struct replay_measurement *at_work[REPLAY_MOST_AT_ONCE] = { NULL };
    size_t count = 0;
    for (size_t i = 0; i < schedule->count; i++) {
        if (!schedule->measurements[i].ordered)
            continue;
        at_work[count] = &schedule->measurements[i];
        children[count++] = &schedule->measurements[i].child;
    }
    return at_work[replay_child_wait_any(
        children, count, watch_jobs, schedule, schedule->progress)];
}

void replay_schedule_run(
    struct replay_schedule *schedule, const struct replay_job *job, double turns)
{
    size_t width = job->timed ? 1 : schedule->width;
    size_t busy = 0;
    size_t next = 0;
    schedule->part = part_of(schedule, job, turns);
    while (next < schedule->count || busy) {
        if (next < schedule->count && busy < width) {
            struct replay_measurement *measurement = &schedule->measurements[next++];
            if (!concerns(job, measurement))
                continue;
            bool begun = begin_job(schedule, job, measurement);
            busy += begun;
            schedule->done += begun ? 0.0 : schedule->part;
            continue;
        }
        end_job(schedule, job, wait_any(schedule));
        schedule->done += schedule->part;
        busy--;
    }
}
