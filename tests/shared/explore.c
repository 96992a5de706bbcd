/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Every order of a few clones, drops and uses of a thread-safe shared handle by two or three
 * threads, within a bound on preemptions. This runs shared.c, whose atomic operations
 * explore_atomics.h turns into points at which threads switch.
 *
 * Built with a fault in that file (EXPLORE_FAULT, see CMakeLists.txt), it must find that fault.
 */
#include "support/explore_cases.h"

#include <acre/shared.h>

#include <string.h>

static struct {
    struct acre_shared shared;
    size_t held;   /* references that threads have and may use */
    size_t clones; /* that succeeded, of those that need not */
    size_t live;   /* blocks of the allocator */
    size_t last;   /* drops that were told that they were the last */
    size_t ends;   /* calls of the owner's callback */
    bool inside;   /* a thread is inside the allocator */
    char block;
} world;

/* ---- the allocator and its owner ---- */

/* Threads may switch inside a call: the lock is to keep the others out. */
static void pass_through(void)
{
    must(!world.inside, "two threads are inside the allocator");
    must(world.ends == 0, "the allocator is used after its end");
    world.inside = true;
    explore_step();
    world.inside = false;
}

static struct acre_ptr probe_alloc(void *self, struct acre_layout layout)
{
    (void)self;
    (void)layout;
    pass_through();
    world.live++;
    return (struct acre_ptr){ &world.block, ACRE_OK };
}

static enum acre_status probe_dealloc(void *self, void *ptr)
{
    (void)self;
    (void)ptr;
    pass_through();
    world.live--;
    return ACRE_OK;
}

static struct acre_stats probe_stats(const void *self)
{
    (void)self;
    must(world.ends == 0, "the allocator is asked after its end");
    return (struct acre_stats){ .live_blocks = world.live };
}

static const struct acre_bytes_ops probe_ops = {
    .base = { .stats = probe_stats },
    .alloc = probe_alloc,
    .dealloc = probe_dealloc,
};

static void end(void *arg, void *pool, size_t size, size_t live_blocks)
{
    (void)arg;
    (void)pool;
    (void)size;
    must(world.held == 0, "the end comes while a thread has a reference");
    must(live_blocks == world.live, "the end is told another number of blocks");
    must(++world.ends == 1, "the end comes twice");
}

/* ---- worlds ---- */

static void open_with(size_t holders)
{
    struct acre_shared_pool pool = { &world.block, 1, end, NULL };
    struct acre_locker locker = { .lock = explore_lock, .unlock = explore_unlock };
    struct acre_bytes bytes = { &probe_ops, &world };
    must(acre_shared_make_threadsafe(&world.shared, bytes, pool, locker) == ACRE_OK,
        "the handle cannot be made");
    for (world.held = 1; world.held < holders; world.held++)
        must(acre_shared_clone(&world.shared) == ACRE_OK, "a clone is refused");
}

static void open_one(void)
{
    open_with(1);
}

static void open_two(void)
{
    open_with(2);
}

static void open_three(void)
{
    open_with(3);
}

/* One reference below the largest count. */
static void open_full(void)
{
    open_with(1);
    world.shared.count = SIZE_MAX - 1;
}

/* ---- what threads do ---- */

static void use(void)
{
    struct acre_bytes bytes = acre_shared_bytes(&world.shared);
    struct acre_ptr got = acre_alloc(bytes, acre_layout(1, 1));
    must(got.status == ACRE_OK, "a request is refused");
    must(acre_dealloc(bytes, got.ptr) == ACRE_OK, "a free is refused");
}

static void leak(void)
{
    must(acre_alloc(acre_shared_bytes(&world.shared), acre_layout(1, 1)).status == ACRE_OK,
        "a request is refused");
}

static void drop(void)
{
    world.held--;
    struct acre_drop dropped = acre_shared_drop(&world.shared);
    must(dropped.status == ACRE_OK, "a drop is refused");
    world.last += dropped.count == 0;
    must(dropped.count == 0 || dropped.live_blocks == 0,
        "a drop that is not the last counts blocks");
}

static void use_and_drop(void)
{
    use();
    drop();
}

static void leak_and_drop(void)
{
    leak();
    drop();
}

static void clone_use_and_drop(void)
{
    must(acre_shared_clone(&world.shared) == ACRE_OK, "a clone is refused");
    world.held++;
    drop();
    use();
    drop();
}

/* A thread without a reference: either it comes in time, or there is none left. */
static void clone_late(void)
{
    enum acre_status status = acre_shared_clone(&world.shared);
    if (status == ACRE_OK) {
        world.held++;
        use();
        drop();
    } else {
        must(status == ACRE_NOT_ALLOCATED && acre_shared_count(&world.shared) == 0,
            "a clone is refused while there is a reference");
    }
}

static void clone_once(void)
{
    enum acre_status status = acre_shared_clone(&world.shared);
    must(status == ACRE_OK || status == ACRE_NO_MEMORY, "a clone finds no reference");
    world.clones += status == ACRE_OK;
}

/* ---- what must hold at the end ---- */

static void judge_end(void)
{
    must(world.ends == 1 && world.last == 1, "the end does not come once, with the last drop");
    must(acre_shared_count(&world.shared) == 0, "a reference is left");
    must(acre_shared_clone(&world.shared) == ACRE_NOT_ALLOCATED &&
             acre_shared_drop(&world.shared).status == ACRE_NOT_ALLOCATED,
        "the handle is used after its end");
    must(acre_alloc(acre_shared_bytes(&world.shared), acre_layout(1, 1)).ptr == NULL,
        "a request is served after the end");
}

static void judge_full(void)
{
    must(world.clones == 1 && acre_shared_count(&world.shared) == SIZE_MAX,
        "the count passes its largest value");
    must(world.ends == 0, "the end comes early");
}

static const struct explore_case cases[] = {
    { "two clones at the largest count but one", 9, open_full, { clone_once, clone_once },
        judge_full },
    { "a clone while the last reference is dropped", 6, open_one, { drop, clone_late }, judge_end },
    { "two late clones and the last drop", 4, open_one, { drop, clone_late, clone_late },
        judge_end },
    { "two holders use and drop", 5, open_two, { use_and_drop, leak_and_drop }, judge_end },
    { "a holder clones, another drops", 5, open_two, { clone_use_and_drop, use_and_drop },
        judge_end },
    { "three holders use and drop", 2, open_three, { use_and_drop, use_and_drop, leak_and_drop },
        judge_end },
};

EXPLORE_MAIN(cases, &world, sizeof world)
