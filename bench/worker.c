/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "measures.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>

/* What one process has made ready. */
static struct {
    struct replay_op *toggles; /* of a script that toggles: `what` is the size alone */
    void **blocks;             /* and its slots */
    bool done;
} ready;

static void *map_touched(size_t size)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE;
    void *memory = mmap(NULL, size + 1, PROT_READ | PROT_WRITE, flags, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void bench_cannot(struct replay_worker *worker, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(worker->results->cannot, REPLAY_FAULT_ROOM, format, arguments);
    va_end(arguments);
}

/* Gives each operation the size of the block that it fills the slot with or frees. */
static bool make_toggles(const struct replay_script *script)
{
    size_t count = (size_t)script->facts.ops;
    const struct replay_op *ops = script->op_array.items;
    uint32_t *sizes = map_touched((size_t)script->facts.slots * sizeof *sizes);
    ready.toggles = map_touched(count * sizeof *ready.toggles);
    ready.blocks = map_touched((size_t)script->facts.slots * sizeof *ready.blocks);
    if (!sizes || !ready.toggles || !ready.blocks)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (replay_op_verb(ops[i]) == REPLAY_ALLOC)
            sizes[ops[i].slot] = ops[i].what & REPLAY_SIZE_MASK;
        ready.toggles[i] = (struct replay_op){ ops[i].slot, sizes[ops[i].slot] };
    }
    munmap(sizes, (size_t)script->facts.slots * sizeof *sizes + 1);
    return true;
}

static bool prepare_bench(struct replay_worker *worker)
{
    const struct replay_script *script = worker->script;
    worker->slots = map_touched((size_t)script->facts.slots * sizeof *worker->slots);
    return worker->slots && (!script->facts.toggles || make_toggles(script));
}

bool bench_open(struct replay_worker *worker, struct replay_instance *instance)
{
    size_t size = replay_backend_has_pool(worker->backend) ? worker->results->pool : 0;
    void *pool = size ? map_touched(size) : NULL;
    bool opened = (!size || pool) && replay_instance_open(instance, worker->backend, pool, size);
    if (!opened)
        bench_cannot(worker, "no instance in a pool of %zu bytes", size);
    return opened;
}

struct replay_window bench_window(const struct replay_worker *worker, size_t from, size_t to)
{
    const struct replay_script *script = worker->script;
    const struct replay_op *ops = script->op_array.items;
    return (struct replay_window){ ops + from, from, to - from, 0, replay_wides(script),
        script->facts.align_log2 };
}

void bench_run_ops(
    struct replay_worker *worker, const struct replay_instance *instance, size_t from, size_t to)
{
    struct replay_window window = bench_window(worker, from, to);
    if (!ready.toggles) {
        instance->loops->plain(&window, instance, worker->slots);
        return;
    }
    window.ops = ready.toggles + from;
    instance->loops->toggling(&window, instance, ready.blocks);
}

size_t bench_limited_end(const struct replay_worker *worker)
{
    const struct replay_facts *facts = &worker->script->facts;
    size_t ops = (size_t)(facts->stop - facts->warm);
    size_t limit = worker->results->limit;
    return (size_t)facts->warm + (ops < limit ? ops : limit);
}

bool bench_balanced(const struct replay_worker *worker)
{
    for (size_t slot = 0; slot < worker->script->facts.slots; slot++)
        if (worker->slots[slot].ptr || (ready.blocks && ready.blocks[slot]))
            return false;
    return true;
}

bool bench_worker_prepare(struct replay_worker *worker)
{
    ready.done = ready.done || prepare_bench(worker);
    if (!ready.done)
        snprintf(worker->results->fault, REPLAY_FAULT_ROOM, "not enough memory");
    return ready.done;
}
