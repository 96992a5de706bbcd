/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "replay/explain.h"

#include "replay/execute.h"

#include "trace/trace_file.h"

#include <stdlib.h>
#include <string.h>

static void watch_explain(void *argument, struct acre_progress *progress)
{
    const struct replay_worker *worker = argument;
    acre_progress_show(progress, worker->backend->name, -1.0);
}

bool replay_explain_apart(struct replay_explanation *explanation,
    const struct replay_script *script, const struct replay_backend *backend, size_t pool,
    struct acre_progress *progress)
{
    struct replay_worker worker = { .script = script, .backend = backend };
    struct replay_shared_file state;
    struct replay_child child;
    char ended[REPLAY_ENDED_ROOM];
    if (!replay_shared_open(&state))
        return false;
    worker.results = &state.shared->results;
    worker.results->task = REPLAY_EXPLAIN;
    worker.results->pool = pool;
    bool done = replay_child_start(&child, replay_worker_do, &worker);
    if (done) {
        replay_child_order(&child);
        done = replay_child_wait(&child, watch_explain, &worker, progress);
        replay_child_end(&child, ended);
    }
    *explanation = worker.results->explanation;
    explanation->no_memory |= worker.results->fault[0] != '\0';
    acre_progress_wipe(progress);
    replay_shared_close(&state);
    return done;
}

/* ---- threads: a script does not say which one made a call, the trace does ---- */

static void set_thread(struct replay_named_block *block, uint64_t op, uint32_t thread)
{
    if (block->born != op || block->size + block->age == 0)
        return;
    block->thread = thread;
    block->has_thread = true;
}

static void set_threads(struct replay_explanation *explanation, uint64_t op, uint32_t thread)
{
    for (size_t i = 0; i < REPLAY_NAMED; i++) {
        if (i < explanation->least_blocks)
            set_thread(&explanation->least[i], op, thread);
        if (i < explanation->splits)
            set_thread(&explanation->worst[i].last, op, thread);
    }
}

static bool is_replayed(const struct acre_trace_event *event)
{
    return event->op == ACRE_TRACE_ALLOC || event->op == ACRE_TRACE_FREE ||
           event->op == ACRE_TRACE_RESIZE;
}

void replay_find_threads(struct replay_explanation *explanation, const char *path, uint32_t process)
{
    struct acre_trace_input *input = acre_trace_input_open(path, 0);
    struct acre_trace_event event;
    uint64_t op = 0;
    while (
        input && op <= explanation->op && acre_trace_input_next(input, &event) == ACRE_TRACE_OK) {
        if (event.process != process)
            continue;
        if (event.op == ACRE_TRACE_ALLOC)
            set_threads(explanation, op, event.thread);
        op += is_replayed(&event);
    }
    acre_trace_input_close(input);
}

static bool read_threads(
    struct acre_trace_input *input, const struct replay_facts *facts, uint8_t *threads)
{
    struct acre_trace_event event;
    uint64_t op = 0;
    while (op < facts->ops && acre_trace_input_next(input, &event) == ACRE_TRACE_OK)
        if (event.process == facts->process && is_replayed(&event))
            threads[op++] = (uint8_t)(event.thread < UINT8_MAX ? event.thread : UINT8_MAX);
    return op == facts->ops;
}

uint8_t *replay_op_threads(const char *path, const struct replay_facts *facts)
{
    uint8_t *threads = facts->streamed ? NULL : calloc((size_t)facts->ops + 1, 1);
    struct acre_trace_input *input = NULL;
    if (threads && facts->threads > 1 && strcmp(path, "-") != 0)
        input = acre_trace_input_open(path, 0);
    bool known = threads && (facts->threads < 2 || (input && read_threads(input, facts, threads)));
    acre_trace_input_close(input);
    if (known)
        return threads;
    free(threads);
    return NULL;
}
