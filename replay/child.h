/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Child processes that do the work: what one of them does to its heap, or crashes on, stays with
 * it, and the parent is free to show progress and to stop at an interrupt.
 *
 * A child is forked with a function and does it once for each order; orders and results travel in
 * shared memory. It ends with its parent.
 */
#ifndef ACRE_REPLAY_CHILD_H
#define ACRE_REPLAY_CHILD_H

#include "replay/progress.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct replay_child {
    pid_t pid;  /**< 0: there is none. */
    int socket; /**< One byte to the child: an order. One byte back: it is done. */
};

/** Room for what replay_child_end() says. */
#define REPLAY_ENDED_ROOM 80

/** Memory that children forked from now on share; zeroed. Null with errno set. Unmap with munmap.
 */
void *replay_map_shared(size_t size);

/** Starts a child that calls `work(argument)` at each order. @return false with errno set. */
bool replay_child_start(struct replay_child *child, void (*work)(void *argument), void *argument);

/** Starts a child that calls `become`, which does not return: it serves, or executes a program that
 * does. @return false with errno set. */
bool replay_child_launch(
    struct replay_child *child, void (*become)(void *argument, int socket), void *argument);

/** A child's life: `work(argument)` at each order. Interrupts are left to the parent, which it does
 * not outlive. */
_Noreturn void replay_child_serve(
    int socket, pid_t parent, void (*work)(void *argument), void *argument);

/** Has the child do its work once. */
void replay_child_order(const struct replay_child *child);

/**
 * Waits for the work to be done, calling `watch` several times a second.
 * @return false when the child ended instead, or acre_interrupted() became true.
 */
bool replay_child_wait(const struct replay_child *child,
    void (*watch)(void *argument, struct acre_progress *progress), void *argument,
    struct acre_progress *progress);

/** Children that can be waited for at a time. */
#define REPLAY_MOST_AT_ONCE 16

/**
 * Waits until one of `count` children, 1 .. REPLAY_MOST_AT_ONCE, has done its work or ended, or
 * acre_interrupted() becomes true; replay_child_wait() then says which at once.
 * @return its index.
 */
size_t replay_child_wait_any(const struct replay_child *const children[], size_t count,
    void (*watch)(void *argument, struct acre_progress *progress), void *argument,
    struct acre_progress *progress);

/** Lets a child whose work is done leave by itself, and waits for that. */
void replay_child_dismiss(struct replay_child *child);

/**
 * Ends the child if it still runs. Writes how it ended into `ended`, a phrase such as "was killed
 * by signal 11 (Segmentation fault)".
 */
void replay_child_end(struct replay_child *child, char ended[REPLAY_ENDED_ROOM]);

#endif
