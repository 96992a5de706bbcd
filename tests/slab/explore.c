/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Every order of a few remote frees and drains of two or three threads, within a bound on
 * preemptions. This runs slab_remote.c, whose atomic operations explore_atomics.h turns into points
 * at which threads switch. The first thread is the owner.
 *
 * Built with a fault in that file (EXPLORE_FAULT, see CMakeLists.txt), it must find that fault.
 */
#include "support/explore_cases.h"

#include <acre/slab.h>

#include <string.h>

/* Addresses whose bits are in one word lie in one span. */
enum {
    BLOCK = 128,
    BLOCKS = 24,
    MOST = 32,
    POOL = 16384,
    SPAN = 8 * sizeof(size_t) * ACRE_SLAB_UNIT
};

static struct {
    _Alignas(4096) char memory[POOL];
    _Alignas(64) char words[POOL / 32];
    struct acre_slab slab;
    struct acre_slab_remote remote;
    char *block[MOST]; /* as they were allocated */
    size_t taken;
    char *one, *same,
        *other;   /* blocks: the first two have their bits in one word, the third in another */
    char *handed; /* by the owner to the third thread; or null */
    size_t owned;
    size_t frees; /* that succeeded, of one block that two threads free */
    struct acre_slab_drained drained;
} world;

static char *take(void)
{
    struct acre_ptr got = acre_slab_alloc(&world.slab, acre_layout(BLOCK, 16));
    must(got.status == ACRE_OK, "a request is refused");
    world.owned++;
    return world.block[world.taken++] = got.ptr;
}

static void drain(void)
{
    struct acre_slab_drained drained = acre_slab_drain(&world.slab, &world.remote);
    world.drained.freed += drained.freed;
    world.drained.refused += drained.refused;
}

static bool is_near(const char *block)
{
    return (uintptr_t)block / SPAN == (uintptr_t)world.one / SPAN;
}

/* The third block is the last of another word, so that the second may be any. */
static void open_world(void)
{
    must(acre_slab_init(&world.slab, world.memory, sizeof world.memory) == ACRE_OK &&
             acre_slab_remote_init(&world.remote, world.memory, sizeof world.memory, world.words,
                 sizeof world.words) == ACRE_OK,
        "the world cannot be made");
    for (int i = 0; i < BLOCKS; i++) {
        char *block = take();
        if (world.one == NULL)
            world.one = block;
        else if (is_near(block))
            world.same = block;
        else
            world.other = block;
    }
    must(world.same != NULL && world.other != NULL, "the blocks lie elsewhere");
}

/* ---- what threads do ---- */

static void give(char *block)
{
    must(acre_slab_remote_dealloc(&world.remote, block) == ACRE_OK, "a free is refused");
    world.owned--;
}

/* One of two frees of the same block. */
static void give_too(char *block)
{
    world.frees += acre_slab_remote_dealloc(&world.remote, block) == ACRE_OK;
}

static void drain_twice(void)
{
    drain();
    drain();
}

static void drain_and_take(void)
{
    drain();
    (void)take();
    drain();
}

static void free_one(void)
{
    give(world.one);
}

static void free_same(void)
{
    give(world.same);
}

static void free_other_and_one(void)
{
    give(world.other);
    give(world.one);
}

static void free_one_as_another(void)
{
    give_too(world.one);
}

static void free_one_as_owner(void)
{
    world.frees += acre_slab_dealloc(&world.slab, world.one) == ACRE_OK;
    drain();
}

/* A drained block is allocated again, for the third thread. */
static void hand_on(void)
{
    drain();
    world.handed = take();
    drain();
}

static void free_handed(void)
{
    char *block = world.handed;
    if (block != NULL)
        give(block);
}

/* ---- what must hold at the end ---- */

static size_t live_blocks(void)
{
    struct acre_check_result result = acre_slab_check(&world.slab);
    must(result.invariant == NULL, result.invariant);
    return acre_slab_stats(&world.slab).live_blocks;
}

/* An address that was allocated twice counts once. */
static bool is_first(size_t taken)
{
    for (size_t i = 0; i < taken; i++)
        if (world.block[i] == world.block[taken])
            return false;
    return true;
}

/* The list is as new: each block can be freed through it once, and two drains suffice. */
static void judge_list(void)
{
    size_t count = live_blocks();
    for (size_t i = 0; i < world.taken; i++)
        if (is_first(i) && acre_slab_usable_size(&world.slab, world.block[i]).status == ACRE_OK)
            must(acre_slab_remote_dealloc(&world.remote, world.block[i]) == ACRE_OK,
                "a bit was left in the list");
    world.drained = (struct acre_slab_drained){ 0, 0, NULL };
    drain();
    must(world.drained.freed == count && world.drained.refused == 0, "a free is lost");
}

static void judge(void)
{
    drain();
    must(world.drained.refused == 0, "a block is freed twice");
    must(live_blocks() == world.owned, "a block is lost");
    judge_list();
}

/* Of two frees of one block, one frees it; the other was refused, or the owner found it out. */
static void judge_two_frees(void)
{
    drain();
    must(world.frees - world.drained.refused == 1, "a block was freed twice, or not at all");
    must(live_blocks() == world.owned - 1, "a block is lost");
    judge_list();
}

static const struct explore_case cases[] = {
    { "one block freed by its owner and another", 6, open_world,
        { free_one_as_owner, free_one_as_another }, judge_two_frees },
    { "one block freed by two others, drains", 4, open_world,
        { drain_twice, free_one_as_another, free_one_as_another }, judge_two_frees },
    { "remote frees in one word, drains", 5, open_world, { drain_and_take, free_one, free_same },
        judge },
    { "remote frees in two words, drains", 4, open_world,
        { drain_twice, free_other_and_one, free_same }, judge },
    { "a drained block is allocated and freed again", 4, open_world,
        { hand_on, free_one, free_handed }, judge },
};

EXPLORE_MAIN(cases, &world, sizeof world)
