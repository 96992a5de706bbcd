/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Finds what was probably meant by a mistyped word.
 */
#ifndef ACRE_HOSTED_NEAREST_H
#define ACRE_HOSTED_NEAREST_H

#include <stddef.h>

/**
 * Edits (insert, delete, change a letter, exchange two neighbours) that lead from `a` to `b`. Words
 * longer than 31 letters count as 99 apart from everything.
 */
size_t acre_edit_distance(const char *a, const char *b);

/**
 * The word of `words` (ended by a null) that is nearest to `word`, or null when none is near: more
 * than two edits away, or as many as half of its letters.
 */
const char *acre_nearest(const char *word, const char *const *words);

#endif
