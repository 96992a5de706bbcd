/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * A script split by thread, so that each thread's operations are replayed on a thread of its own.
 *
 * A *part* is what one replaying thread does: the operations of one recorded thread, or of several
 * where the program had more threads than REPLAY_MOST_SEQUENCES at once. Parts that do not overlap
 * in the recorded order form a *sequence*: they are replayed one after another, each on a new
 * thread. Sequences run in parallel. A sequence has its operations in the recorded order, and two
 * kinds of marks among them:
 *
 *     wait   The previous operation on the block is in another sequence: wait until that has
 *            handed over the slot as many times as the mark says.
 *     pace   The sequence enters a later *epoch*, a fixed number of operations of the recorded
 *            order: wait until no other sequence is more than one epoch behind. What kept the
 *            program's threads in step, such as queues and locks of its own, is not in a trace.
 *
 * A part begins with a pace mark. An operation hands its slot over if the next one on that slot is
 * in another sequence. Both kinds of marks wait only for operations that are earlier in the
 * recorded order, so the earliest operation that is not done can always be done: a replay cannot
 * deadlock.
 *
 * Slots are renumbered, so that a sequence reuses slots that it has freed where possible. The only
 * waits that remain are for blocks that one sequence allocates and another frees.
 */
#ifndef ACRE_REPLAY_SPLIT_H
#define ACRE_REPLAY_SPLIT_H

#include "replay/script.h"

/** Sequences at most: threads that run at once. Others share the sequence that ends first. */
#define REPLAY_MOST_SEQUENCES 64u

/** What one replaying thread does: `count` items of the array of sequences from `first` on. */
struct replay_part {
    uint64_t first, count;
    uint64_t ops;      /**< Operations among them; the rest are marks. */
    uint32_t sequence; /**< Parts of one sequence follow one another. */
    uint32_t thread;   /**< Recorded: the first of them. */
};

/** In `slot`: the slot is handed over. */
#define REPLAY_HANDS_OVER (UINT32_C(1) << 31)
/** In place of a verb: a mark. */
#define REPLAY_MARK 3u

/** Whether an item is a mark; then REPLAY_WIDE in `what` stands for "pace", whose epoch is `slot`;
 * else it waits until `slot` has been handed over so many times as the size says. */
static inline bool replay_is_mark(struct replay_op item)
{
    return item.what >> REPLAY_VERB_SHIFT == REPLAY_MARK;
}

/**
 * Splits a script that was just built, if it has threads and they are known: else `facts.sequences`
 * stays 0. Linear in the operations; for each 8 bytes, for a mark as many, and while it runs 4 for
 * each slot and 16 for each new one.
 */
void replay_split(struct replay_script *script);

#endif
