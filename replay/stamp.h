/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Stamps: contents that tell whose a block is, so that two blocks that overlap, or an allocator
 * that writes into a live block, are found when the block is checked.
 *
 * The word at offset o of the block in slot s is a function of s and o. The first 64 KiB of a block
 * and its last 64 bytes are stamped whole; between them one word in each 512 bytes.
 */
#ifndef ACRE_REPLAY_STAMP_H
#define ACRE_REPLAY_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** From now on in this process, coarsely: the first 4 KiB are stamped whole, and a word in each 4
 * KiB after them. */
void replay_stamp_set_coarse(bool coarse);

/** Stamps what a block of `size` bytes has beyond its first `from` bytes, which are stamped. */
void replay_stamp(void *block, size_t from, size_t size, uint32_t slot);

/** @return the offset of the first word before `to` that is not as stamped; SIZE_MAX: all are. */
size_t replay_stamp_check(const void *block, size_t from, size_t to, uint32_t slot);

/** The same for the last bytes of a block of `size` bytes. */
size_t replay_stamp_check_tail(const void *block, size_t size, uint32_t slot);

#endif
