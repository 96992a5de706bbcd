/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "replay/load.h"

#include "replay/child.h"
#include "replay/split.h"
#include "trace/trace_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define EVENTS_BETWEEN_REPORTS 65536

/* Letters of a program's name that the system keeps. */
#define NAME_CUT 15
/* A program that starts another, which makes so many times its calls, is not what is meant. */
#define MANY_TIMES 10

/* What the decoding child and its parent share. Two scripts: the one to keep, and one being read
 * that may prove better. */
struct loading {
    struct replay_script scripts[2];
    const char *path;
    struct replay_wanted wanted;
    unsigned best; /* index into scripts */
    bool found;    /* scripts[best] is complete */
    bool silent;   /* the program named recorded nothing when it started last */
    enum replay_load_status status;
    volatile double done;
    char message[REPLAY_MESSAGE_ROOM];
};

static void fail(struct loading *loading, const char *text)
{
    loading->status = REPLAY_LOAD_FAILED;
    snprintf(loading->message, sizeof loading->message, "%s", text);
}

/* Whether the process runs the program that is wanted. The system cuts the names of programs. */
static bool is_program_named(const struct loading *loading, const struct replay_facts *facts)
{
    return loading->wanted.name && strncmp(facts->name, loading->wanted.name, NAME_CUT) == 0;
}

/* Whether one process is to be replayed rather than another. */
static bool is_better(const struct loading *loading, const struct replay_facts *facts,
    const struct replay_facts *best)
{
    bool named = is_program_named(loading, facts);
    bool best_named = is_program_named(loading, best);
    if (named != best_named)
        return named ? best->ops / MANY_TIMES <= facts->ops : facts->ops / MANY_TIMES > best->ops;
    if (facts->peak_live != best->peak_live)
        return facts->peak_live > best->peak_live;
    return facts->ops > best->ops;
}

/* A section is over: keep it when it is the one wanted, or the best so far. */
static void settle(struct loading *loading, unsigned current)
{
    const struct replay_facts *facts = &loading->scripts[current].facts;
    const struct replay_facts *best = &loading->scripts[loading->best].facts;
    if (is_program_named(loading, facts) && !facts->forked)
        loading->silent = facts->ops == 0;
    if (loading->wanted.process == REPLAY_LARGEST && loading->found &&
        !is_better(loading, facts, best))
        return;
    loading->best = current;
    loading->found = true;
}

/* Takes one event. Events of processes that are not wanted are read and forgotten. */
static const char *load_event(struct loading *loading, const struct acre_trace_event *event)
{
    unsigned current = loading->found ? 1 - loading->best : loading->best;
    struct replay_script *script = &loading->scripts[current];
    if (event->op == ACRE_TRACE_END)
        return NULL;
    if (loading->wanted.process != REPLAY_LARGEST && event->process != loading->wanted.process)
        return NULL;
    if (event->op == ACRE_TRACE_PROCESS)
        replay_script_clear(script);
    const char *problem = replay_script_add(script, event);
    if (event->op == ACRE_TRACE_PROCESS_END)
        settle(loading, current);
    return problem;
}

static void cannot_replay(struct loading *loading, uint32_t process, const char *problem)
{
    snprintf(loading->message, sizeof loading->message, "%.255s: process %u cannot be replayed: %s",
        loading->path, (unsigned)process, problem);
    loading->status = REPLAY_LOAD_FAILED;
}

static void read_events(struct loading *loading, struct acre_trace_input *input)
{
    struct acre_trace_event event;
    uint32_t processes = 0;
    uint32_t started = 0;
    uint64_t ops = 0;
    for (uint64_t count = 1; acre_trace_input_next(input, &event) == ACRE_TRACE_OK; count++) {
        const char *problem = load_event(loading, &event);
        if (problem) {
            cannot_replay(loading, event.process, problem);
            return;
        }
        processes += event.op == ACRE_TRACE_PROCESS;
        started += event.op == ACRE_TRACE_PROCESS && event.about->origin != ACRE_TRACE_FORKED;
        ops += event.op == ACRE_TRACE_ALLOC || event.op == ACRE_TRACE_FREE ||
               event.op == ACRE_TRACE_RESIZE;
        if (count % EVENTS_BETWEEN_REPORTS == 0)
            loading->done = acre_trace_input_progress(input);
    }
    bool cut = acre_trace_input_status(input) == ACRE_TRACE_TRUNCATED && processes;
    struct replay_facts *facts = &loading->scripts[loading->best].facts;
    facts->processes = processes;
    facts->started = started;
    facts->trace_ops = ops;
    facts->cut = cut;
    facts->silent = loading->silent;
    if (acre_trace_input_status(input) != ACRE_TRACE_DONE && !(cut && facts->ops))
        fail(loading, acre_trace_input_message(input));
    else
        loading->status = loading->found ? REPLAY_LOADED : REPLAY_NO_SUCH_PROCESS;
}

/* The child's whole work. */
static void decode(void *argument)
{
    struct loading *loading = argument;
    struct acre_trace_input *input = acre_trace_input_open(loading->path, 0);
    if (!input)
        fail(loading, "not enough memory");
    else if (acre_trace_input_status(input) != ACRE_TRACE_OK)
        fail(loading, acre_trace_input_message(input));
    else
        read_events(loading, input);
    acre_trace_input_close(input);
    if (loading->status == REPLAY_LOADED && loading->found)
        replay_split(&loading->scripts[loading->best]);
}

static void watch_loading(void *argument, struct acre_progress *progress)
{
    const struct loading *loading = argument;
    acre_progress_show(progress, "reading the trace", loading->done);
}

/* Runs the child; afterwards loading->status holds. */
static void run_child(struct loading *loading, struct acre_progress *progress)
{
    struct replay_child child;
    char ended[REPLAY_ENDED_ROOM];
    if (!replay_child_start(&child, decode, loading)) {
        fail(loading, strerror(errno));
        return;
    }
    replay_child_order(&child);
    bool done = replay_child_wait(&child, watch_loading, loading, progress);
    replay_child_end(&child, ended);
    if (done)
        return;
    loading->status = acre_interrupted() ? REPLAY_LOAD_INTERRUPTED : REPLAY_LOAD_FAILED;
    snprintf(loading->message, sizeof loading->message, "%.255s: the process that reads it %s",
        loading->path, ended);
}

/* Shared memory with two empty scripts in it; null with errno set. */
static struct loading *prepare(const char *path, struct replay_wanted wanted, size_t hold)
{
    struct loading *loading = replay_map_shared(sizeof *loading);
    if (!loading)
        return NULL;
    *loading = (struct loading){ .path = path, .wanted = wanted };
    if (!replay_script_open(&loading->scripts[0], hold))
        return NULL;
    if (replay_script_open(&loading->scripts[1], hold))
        return loading;
    replay_script_close(&loading->scripts[0]);
    return NULL;
}

enum replay_load_status replay_load(struct replay_script *script, const char *path,
    struct replay_wanted wanted, size_t hold, struct acre_progress *progress,
    char message[REPLAY_MESSAGE_ROOM])
{
    struct loading *loading = prepare(path, wanted, hold);
    if (!loading) {
        snprintf(message, REPLAY_MESSAGE_ROOM, "%.255s: %s", path, strerror(errno));
        return REPLAY_LOAD_FAILED;
    }
    run_child(loading, progress);
    acre_progress_wipe(progress);
    replay_script_disown(&loading->scripts[0]);
    replay_script_disown(&loading->scripts[1]);
    *script = loading->scripts[loading->best];
    replay_script_close(&loading->scripts[1 - loading->best]);
    if (loading->status == REPLAY_LOADED && !replay_script_map(script))
        fail(loading, strerror(errno));
    if (loading->status != REPLAY_LOADED)
        replay_script_close(script);
    memcpy(message, loading->message, REPLAY_MESSAGE_ROOM);
    enum replay_load_status status = loading->status;
    munmap(loading, sizeof *loading);
    return status;
}
