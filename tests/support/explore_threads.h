/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Runs a few threads in every order that a bound on preemptions allows. The threads are coroutines:
 * they switch only in explore_step(), which stands in front of every atomic operation, and where
 * they wait for the lock; in some cases in front of every store as well. So memory is sequentially
 * consistent here; weaker orders are ThreadSanitizer's concern.
 */
#ifndef ACRE_TESTS_SUPPORT_EXPLORE_THREADS_H
#define ACRE_TESTS_SUPPORT_EXPLORE_THREADS_H

#include <stdbool.h>
#include <stddef.h>

enum { EXPLORE_THREADS = 3 };

typedef void explore_fn(void);

struct explore_case {
    const char *name;
    unsigned preemptions;                /* most switches away from a thread that could go on */
    explore_fn *setup;                   /* once; what it leaves is the state of every start */
    explore_fn *thread[EXPLORE_THREADS]; /* null: no more */
    explore_fn *judge;                   /* at the end of every order */
    bool stores;                         /* threads switch at stores, too (explore_stores.c) */
};

/* The state is saved and brought back by these. */
struct explore_state {
    void *start;
    size_t size;
};

/* Runs every order until one fails. @return orders run; *fault: what is wrong in the last one, or
 * null. */
size_t explore_all(const struct explore_case *test, struct explore_state state, const char **fault);

/* Ends this order with a fault. In setup it returns. */
void explore_fail(const char *fault);

/* Runs a function as the child of a fork, for which the calling thread holds the lock: on the
 * state as it is then, with no other thread and the lock free. What it does to the state is
 * undone. Not in setup or judge. */
void explore_fork(explore_fn *child);

/* A point at which threads may switch: in front of an atomic operation, or of a store. */
void explore_step(void);
void explore_store(void);

/* A lock for acre_locker. */
void explore_lock(void *arg);
void explore_unlock(void *arg);

#endif
