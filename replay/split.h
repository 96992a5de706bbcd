/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * A script split by thread, so that each thread's operations are replayed on a thread of its own.
 *
 * A *part* is what one replaying thread does: the operations of one recorded thread, or of several
 * that would be too many at once. Parts that do not overlap in the recorded order follow one another in
 * a *lane*, each on a new thread; lanes run side by side. A lane has its operations in the recorded
 * order, and among them two kinds of marks:
 *
 *     wait     the block's last operation so far was another lane's: wait until that lane has handed
 *              the slot over so many times as the mark says
 *     pace     the lane goes on to a later stretch of the recorded order: wait until no other lane is
 *              more than a stretch behind, for what made the program's threads keep step (queues,
 *              locks of its own) is not in a trace
 *
 * A part begins with a pace mark. An operation hands its slot over if the next one on that slot is another lane's. Both marks wait for
 * operations that are earlier in the recorded order alone, so the earliest operation that is not done
 * can always be done: a replay cannot block.
 *
 * Slots are numbered anew, so that a slot is used again where possible in the lane that freed it: the
 * only waits left are those for a block that crosses.
 */
#ifndef ACRE_REPLAY_SPLIT_H
#define ACRE_REPLAY_SPLIT_H

#include "replay/script.h"

/** Lanes at most: threads that run at once. Others share the lane that ends first. */
#define REPLAY_MOST_LANES 64u

/** What one replaying thread does: `count` items of the array of lanes from `first` on. */
struct replay_part {
    uint64_t first, count;
    uint64_t ops;    /**< Operations among them; the rest are marks. */
    uint32_t lane;   /**< Parts of one lane follow one another. */
    uint32_t thread; /**< Recorded: the first of them. */
};

/** In `slot`: the slot is handed over. */
#define REPLAY_HANDS_OVER (UINT32_C(1) << 31)
/** In place of a verb: a mark. */
#define REPLAY_MARK 3u

/** Whether an item is a mark; then REPLAY_WIDE in `what` stands for "pace", whose stretch is `slot`;
 * else it waits until `slot` has been handed over so many times as the size says. */
static inline bool replay_is_mark(struct replay_op item)
{
    return item.what >> REPLAY_VERB_SHIFT == REPLAY_MARK;
}

/**
 * Splits a script that was just built, if it has threads and they are known: else `facts.lanes` stays 0.
 * Linear in the operations; for each 8 bytes, for a mark as many, and while it runs 4 for each slot and 16
 * for each new one.
 */
void replay_split(struct replay_script *script);

#endif
