/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "replay/worker.h"

#include "replay/counter.h"
#include "replay/statistics.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

static void *map_zeroed(size_t size)
{
    void *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void replay_worker_no_memory(struct replay_worker *worker)
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

bool replay_worker_next(struct replay_worker *worker, struct replay_window *window)
{
    double done = (double)(window->first + window->count) / (double)worker->script->facts.ops;
    worker->results->done = worker->from + worker->span * done;
    return replay_script_next(worker->script, window);
}

bool replay_worker_prepare(struct replay_worker *worker)
{
    if (!worker->ready && !prepare_worker(worker)) {
        replay_worker_no_memory(worker);
        return false;
    }
    worker->ready = true;
    worker->results->done = 0.0;
    worker->from = 0.0;
    worker->span = 1.0;
    return true;
}
