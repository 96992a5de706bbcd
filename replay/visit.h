/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Reads of blocks between the calls of a replay: what a program does with its blocks, alike for all
 * allocators.
 *
 * Programs walk through their structures, whose blocks are of a few sizes, and mostly in the order
 * in which they were allocated. So a walk begins at a block drawn at random, follows the order of
 * allocation, and reads each block with a probability that is proportional to the requests of its
 * size.
 */
#ifndef ACRE_REPLAY_VISIT_H
#define ACRE_REPLAY_VISIT_H

#include "replay/loop.h"

/** Size in bytes from which all requests count as equally rare. */
#define REPLAY_VISIT_SIZES 4096u

struct replay_visitor {
    uint64_t random;
    uint32_t slots;
    uint32_t *next, *previous; /**< Live slots, plus 1, in the order of allocation; [0] are ends. */
    uint32_t most;             /**< The highest of the counts. */
    uint32_t requests[REPLAY_VISIT_SIZES]; /**< By bytes asked for, among the first operations. */
};

/** Prepares for a replay of `script`; without memory nothing will be read. */
void replay_visitor_start(struct replay_visitor *visitor, const struct replay_script *script);

/**
 * Reads the beginnings of live blocks, each read waiting for the one before it.
 * @param part the operations that were replayed since the last time.
 * @param ns is added the time that it took.
 * @return blocks read.
 */
uint64_t replay_visit(struct replay_visitor *visitor, const struct replay_window *part,
    const struct replay_slot *slots, uint64_t *ns);

#endif
