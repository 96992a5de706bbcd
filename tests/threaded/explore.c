/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Every order of a few calls of two or three threads, within a bound on preemptions: remote frees,
 * drains, threads that end, heaps that are adopted, slabs that are given back, a fork. This runs
 * the heap's own sources, whose atomic operations explore_atomics.h turns into points at which
 * threads switch.
 *
 * Built with a fault in one source (EXPLORE_FAULT, see CMakeLists.txt), it must find that fault.
 */
#include "support/explore_cases.h"
#include "threaded/threaded_private.h"

#include <acre/bitmap.h>

#include <string.h>

/* One group has all blocks of a slab. */
enum {
    BLOCK = 1024,
    OF_FIRST = 16, /* blocks of the first slab, */
    OF_SLAB = 32,  /* and of the second */
    OF_TWO = OF_FIRST + OF_SLAB,
    PAGES = 64,
    META_PAGES = 24,
    BLOCKS = PAGES * (ACRE_THREADED_PAGE / BLOCK),
    RUN = 40000
};

static _Alignas(ACRE_THREADED_PAGE) char memory[BLOCKS * BLOCK];

static struct {
    _Alignas(ACRE_THREADED_PAGE) char meta_memory[META_PAGES * ACRE_THREADED_PAGE];
    _Alignas(64) char bitmap_memory[4096];
    struct acre_threaded threaded;
    struct acre_bitmap pages, meta;
    struct acre_thread_heap *heap[EXPLORE_THREADS];
    char *block[3 * OF_SLAB];
    bool owned[BLOCKS]; /* by the place where a block starts */
    size_t frees;       /* of one block that two threads free: how many succeeded */
} world;

static bool *owned(const char *block)
{
    return &world.owned[(block - memory) / BLOCK];
}

static char *take(int thread, size_t size)
{
    struct acre_ptr got = acre_threaded_alloc(world.heap[thread], acre_layout(size, 16));
    must(got.status == ACRE_OK, "a request is refused");
    must(!*owned(got.ptr), "a block has two owners");
    *owned(got.ptr) = true;
    return got.ptr;
}

static void give(int thread, char *block)
{
    *owned(block) = false;
    must(acre_threaded_dealloc(world.heap[thread], block) == ACRE_OK, "a free is refused");
}

/* One of two frees of the same block. */
static void give_too(int thread, char *block)
{
    *owned(block) = false;
    world.frees += acre_threaded_dealloc(world.heap[thread], block) == ACRE_OK;
}

/* Three heaps; the first has a full slab. */
static void open_world(void)
{
    struct acre_threaded_env env = {
        .pages = acre_bitmap_pages(&world.pages),
        .meta = acre_bitmap_pages(&world.meta),
        .lock = { .lock = explore_lock, .unlock = explore_unlock },
    };
    must(
        acre_bitmap_setup(&world.pages, ACRE_THREADED_PAGE) == ACRE_OK &&
            acre_bitmap_setup(&world.meta, ACRE_THREADED_PAGE) == ACRE_OK &&
            acre_bitmap_add_memory_apart(&world.pages, (uintptr_t)memory, sizeof memory,
                world.bitmap_memory, sizeof world.bitmap_memory) == ACRE_OK &&
            acre_bitmap_init(&world.meta, world.meta_memory, sizeof world.meta_memory) == ACRE_OK &&
            acre_threaded_setup(&world.threaded, &env) == ACRE_OK,
        "the world cannot be made");
    for (int i = 0; i < EXPLORE_THREADS; i++)
        must((world.heap[i] = acre_threaded_attach(&world.threaded)) != NULL, "no heap");
    for (int i = 0; i < OF_FIRST; i++)
        world.block[i] = take(0, BLOCK);
}

/* Two more slabs of the first heap: an empty one, which is kept, and a current one. The first one
 * has two blocks left. */
static void open_two_slabs(void)
{
    open_world();
    for (int i = OF_FIRST; i < OF_TWO + 1; i++)
        world.block[i] = take(0, BLOCK);
    for (int i = OF_FIRST; i < OF_TWO; i++)
        give(0, world.block[i]);
    for (int i = 2; i < OF_FIRST; i++)
        give(0, world.block[i]);
}

/* Two full slabs, so that two groups can have remote frees. */
static void open_two_full_slabs(void)
{
    open_world();
    for (int i = OF_FIRST; i < OF_TWO; i++)
        world.block[i] = take(0, BLOCK);
    enum { PER_PAGE = ACRE_THREADED_PAGE / BLOCK };
    must(acre_threaded_class_pages(acre_threaded_class_of(BLOCK), 0) == OF_FIRST / PER_PAGE &&
             acre_threaded_class_pages(acre_threaded_class_of(BLOCK), 1) == OF_SLAB / PER_PAGE,
        "slabs have another size");
}

static void open_run(void)
{
    open_world();
    world.block[0] = take(0, RUN);
}

/* ---- what threads do ---- */

static void take_two(void)
{
    (void)take(0, BLOCK);
    (void)take(0, BLOCK);
}

static void take_one(void)
{
    (void)take(0, BLOCK);
}

static void free_two_remotely(void)
{
    give(1, world.block[0]);
    give(1, world.block[1]);
}

static void free_in_two_groups(void)
{
    give(1, world.block[0]);
    give(1, world.block[OF_FIRST]);
    give(1, world.block[OF_FIRST + 1]);
}

static void free_first_remotely(void)
{
    give(1, world.block[0]);
}

static void free_second_remotely(void)
{
    give(2, world.block[1]);
}

static void free_first_and_take(void)
{
    give(0, world.block[0]);
    take_one();
}

static void free_same_as_owner(void)
{
    give_too(0, world.block[0]);
}

static void free_same_as_second(void)
{
    give_too(1, world.block[0]);
}

static void free_same_as_third(void)
{
    give_too(2, world.block[0]);
}

static void leave(void)
{
    acre_threaded_detach(world.heap[0]);
}

static void release(void)
{
    (void)acre_threaded_release_empty(world.heap[0]);
}

static void adopt(void)
{
    world.heap[2] = acre_threaded_attach(&world.threaded);
    must(world.heap[2] != NULL, "no heap");
    (void)take(2, BLOCK);
}

/* ---- what must hold at the end ---- */

static size_t owned_blocks(void)
{
    size_t count = 0;
    for (size_t i = 0; i < BLOCKS; i++)
        count += world.owned[i];
    return count;
}

static void drain_all(void)
{
    struct acre_thread_heap *heap = world.threaded.heaps;
    for (; heap != NULL; heap = heap->next_heap) {
        struct acre_threaded_slab *gone = NULL;
        if (heap->state == THREADED_FROZEN)
            continue;
        acre_threaded_drain(heap, &gone);
        (void)acre_threaded_release(&world.threaded, gone);
    }
}

/* No heap without a thread has frees that nobody will collect, and after a drain no heap has any. */
static void judge(void)
{
    const struct acre_thread_heap *heap = world.threaded.abandoned;
    for (; heap != NULL; heap = heap->next_abandoned)
        must(heap->remote == NULL, "a free into an abandoned heap is not collected");
    drain_all();
    const struct acre_threaded_slab *slab = world.threaded.slabs;
    for (; slab != NULL; slab = slab->below)
        for (size_t i = 0; i < slab->groups; i++)
            must(slab->group[i].remote == ~slab->group[i].all, "a remote free is lost");
    struct acre_check_result result = acre_threaded_check(&world.threaded);
    must(result.invariant == NULL, result.invariant);
    must(acre_threaded_stats(&world.threaded).live_blocks == owned_blocks(), "blocks are lost");
}

/* ---- a fork, by the second thread ---- */

enum { OF_CHILD = OF_FIRST + 2, FORKER = 1 };

static void judge_child(const char *what)
{
    struct acre_check_result result = acre_threaded_check(&world.threaded);
    must(result.invariant == NULL, result.invariant);
    must(acre_threaded_stats(&world.threaded).live_blocks >= owned_blocks(), what);
}

/* Blocks of the parent are live in the child, which frees each once. */
static void free_all_owned(void)
{
    for (size_t i = 0; i < BLOCKS; i++) {
        if (!world.owned[i])
            continue;
        give(FORKER, memory + i * BLOCK);
        must(acre_threaded_dealloc(world.heap[FORKER], memory + i * BLOCK) == ACRE_NOT_ALLOCATED,
            "a block is freed twice");
    }
}

/* The child has the heap of the thread that forked, and gets those of the others but the frozen
 * ones. A block that another thread was freeing at the fork may be lost. */
static void be_child(void)
{
    acre_threaded_after_fork(&world.threaded, world.heap[FORKER]);
    judge_child("a block is lost");
    for (int i = 0; i < EXPLORE_THREADS; i++) {
        if (i == FORKER)
            continue;
        world.heap[i] = acre_threaded_attach(&world.threaded);
        must(world.heap[i] != NULL, "no heap");
        must(world.heap[i] != world.heap[FORKER], "a heap has two threads");
    }
    for (int thread = 0; thread < EXPLORE_THREADS; thread++)
        for (int i = 0; i < OF_CHILD; i++)
            (void)take(thread, BLOCK);
    judge_child("a new block is lost");
    free_all_owned();
    drain_all();
    judge_child("blocks are lost");
}

static void fork_once(void)
{
    explore_fork(be_child);
}

static void fork_and_free(void)
{
    explore_fork(be_child);
    give(FORKER, world.block[1]);
}

static void take_many(void)
{
    for (int i = 0; i < OF_SLAB + 1; i++)
        (void)take(0, BLOCK);
}

static void free_in_two_groups_as_third(void)
{
    give(2, world.block[0]);
    give(2, world.block[OF_FIRST]);
}

static void free_two_as_third(void)
{
    give(2, world.block[0]);
    give(2, world.block[1]);
}

/* Each free that succeeded but one was found out by the owner. */
static void judge_two_frees(void)
{
    judge();
    must(world.frees - acre_threaded_late_misuse(&world.threaded) == 1,
        "a block was freed twice, or not at all");
}

static const struct explore_case cases[] = {
    /* Those with the most orders stand last. */
    { "one block freed by two others", 5, open_world, { free_same_as_second, free_same_as_third },
        judge_two_frees },
    { "one block freed by its owner and another", 5, open_world,
        { free_same_as_owner, free_same_as_second }, judge_two_frees },
    { "a run freed by two", 5, open_run, { free_same_as_owner, free_same_as_second },
        judge_two_frees },
    { "fork while another thread starts to allocate", 1, open_world, { take_two, fork_once }, judge,
        true },
    { "fork while another thread frees and allocates", 1, open_two_slabs,
        { free_first_and_take, fork_and_free }, judge, true },
    { "fork while another thread makes slabs", 1, open_world, { take_many, fork_once }, judge,
        true },
    { "fork while another thread ends, remote frees", 2, open_world,
        { leave, fork_once, free_two_as_third }, judge, true },
    { "fork while another thread drains remote frees", 2, open_world,
        { take_two, fork_once, free_two_as_third }, judge, true },
    { "fork while another thread drains into lists", 2, open_two_full_slabs,
        { take_one, fork_once, free_in_two_groups_as_third }, judge, true },
    { "a slab becomes empty, local and remote frees", 3, open_two_slabs,
        { free_first_and_take, NULL, free_second_remotely }, judge },
    { "a thread ends, remote frees", 5, open_world, { leave, free_two_remotely }, judge },
    { "remote frees in two slabs, drain", 3, open_two_full_slabs, { take_one, free_in_two_groups },
        judge },
    { "a thread ends, another starts, remote free", 3, open_world,
        { leave, free_first_remotely, adopt }, judge },
    { "empty slabs are released, remote frees", 2, open_two_slabs,
        { release, free_first_remotely, free_second_remotely }, judge },
    { "remote frees by two, drain", 3, open_world,
        { take_one, free_first_remotely, free_second_remotely }, judge },
    { "remote frees, drain", 4, open_world, { take_two, free_two_remotely }, judge },
};

EXPLORE_MAIN(cases, &world, sizeof world)
