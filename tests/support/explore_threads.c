/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "support/explore_threads.h"

#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

enum { STACK = 128 * 1024, MOST_CHOICES = 1 << 14, MOST_STEPS = 1 << 14 };

struct coroutine {
    ucontext_t context;
    explore_fn *run;
    bool done;
    bool waits; /* for the lock */
};

static struct coroutine coroutines[EXPLORE_THREADS];
static char stacks[EXPLORE_THREADS][STACK];
static ucontext_t outside;
static int current = -1; /* -1: setup, judge */
static bool locked;
static bool in_order; /* an order runs, or is judged */
static bool stores;   /* threads switch at stores */
static size_t steps;
static const char *found;
static struct explore_state world;
static void *forked; /* the state at a fork */

/* The order: which of its options each choice took. Replayed, then extended by first options. */
static unsigned char taken[MOST_CHOICES], options[MOST_CHOICES];
static size_t choices, position;
static unsigned preemptions, most_preemptions;

void explore_fail(const char *fault)
{
    if (found == NULL)
        found = fault;
    if (in_order)
        setcontext(&outside);
}

static unsigned next_choice(unsigned count)
{
    if (count < 2)
        return 0;
    if (position == choices) {
        if (choices == MOST_CHOICES) {
            explore_fail("the order has too many choices");
            return 0;
        }
        options[choices] = (unsigned char)count;
        taken[choices++] = 0;
    }
    return taken[position++];
}

static bool can_run(int thread)
{
    const struct coroutine *it = &coroutines[thread];
    return it->run != NULL && !it->done && !(it->waits && locked);
}

static void switch_to(int thread)
{
    int from = current;
    current = thread;
    if (thread != from)
        swapcontext(&coroutines[from].context, &coroutines[thread].context);
}

/* The current thread goes on, if it may, or another one that can run. */
static void choose(bool may_go_on)
{
    int candidates[EXPLORE_THREADS];
    unsigned count = 0;
    if (may_go_on)
        candidates[count++] = current;
    for (int i = 0; i < EXPLORE_THREADS; i++)
        if (i != current && can_run(i) && (!may_go_on || preemptions < most_preemptions))
            candidates[count++] = i;
    if (count == 0) {
        explore_fail("no thread can run");
        return;
    }
    int next = candidates[next_choice(count)];
    if (may_go_on && next != current)
        preemptions++;
    switch_to(next);
}

void explore_step(void)
{
    if (in_order && ++steps > MOST_STEPS)
        explore_fail("a call does not end");
    if (current >= 0)
        choose(true);
}

void explore_store(void)
{
    if (stores && current >= 0)
        explore_step();
}

void explore_lock(void *arg)
{
    (void)arg;
    explore_step();
    while (locked && current >= 0) {
        coroutines[current].waits = true;
        choose(false);
    }
    if (current >= 0)
        coroutines[current].waits = false;
    locked = true;
}

void explore_unlock(void *arg)
{
    (void)arg;
    locked = false;
    explore_step();
}

void explore_fork(explore_fn *child)
{
    int parent = current;
    explore_lock(NULL);
    memcpy(forked, world.start, world.size);
    current = -1;
    locked = false;
    child();
    memcpy(world.start, forked, world.size);
    current = parent;
    explore_unlock(NULL);
}

static void run_coroutine(void)
{
    coroutines[current].run();
    coroutines[current].done = true;
    for (int i = 0; i < EXPLORE_THREADS; i++)
        if (coroutines[i].run != NULL && !coroutines[i].done) {
            choose(false);
            return;
        }
    setcontext(&outside);
}

static void start_coroutine(int number, explore_fn *run)
{
    struct coroutine *it = &coroutines[number];
    *it = (struct coroutine){ .run = run };
    if (run == NULL)
        return;
    getcontext(&it->context);
    it->context.uc_stack.ss_sp = stacks[number];
    it->context.uc_stack.ss_size = STACK;
    it->context.uc_link = NULL;
    makecontext(&it->context, run_coroutine, 0);
}

static void run_order(const struct explore_case *test)
{
    static volatile bool ended;
    position = preemptions = 0;
    steps = 0;
    in_order = true;
    locked = false;
    for (int i = 0; i < EXPLORE_THREADS; i++)
        start_coroutine(i, test->thread[i]);
    ended = false;
    getcontext(&outside);
    if (!ended) {
        ended = true;
        current = 0;
        setcontext(&coroutines[0].context);
    }
    current = -1;
    locked = false;
    if (found == NULL)
        test->judge();
    in_order = false;
}

/* The next order, by depth first. False: there is none. */
static bool next_order(void)
{
    while (choices > 0 && taken[choices - 1] + 1 == options[choices - 1])
        choices--;
    if (choices == 0)
        return false;
    taken[choices - 1]++;
    return true;
}

size_t explore_all(const struct explore_case *test, struct explore_state state, const char **fault)
{
    size_t count = 0;
    void *saved = malloc(state.size);
    forked = malloc(state.size);
    found = saved == NULL || forked == NULL ? "no memory" : NULL;
    world = state;
    choices = 0;
    most_preemptions = test->preemptions;
    stores = test->stores;
    if (found == NULL) {
        memset(state.start, 0, state.size);
        test->setup();
        memcpy(saved, state.start, state.size);
    }
    while (found == NULL) {
        memcpy(state.start, saved, state.size);
        run_order(test);
        count++;
        if (!next_order())
            break;
    }
    free(saved);
    free(forked);
    *fault = found;
    return count;
}
