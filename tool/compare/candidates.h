/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Who takes part in a comparison: the system's malloc, the backends of the registry, the mallocs
 * found on this machine, and what is given by name.
 */
#ifndef ACRE_TOOL_COMPARE_CANDIDATES_H
#define ACRE_TOOL_COMPARE_CANDIDATES_H

#include "replay/backend.h"
#include "tool/compare/result.h"

/** The candidates and what stands behind them; index i of each array belongs together. */
struct compare_candidates {
    size_t count;
    struct compare_candidate *items; /**< COMPARE_MOST_CANDIDATES of them. */
    struct replay_backend backends[COMPARE_MOST_CANDIDATES];
    const struct acre_backend *builtins[COMPARE_MOST_CANDIDATES]; /**< COMPARE_BUILT_IN, or null. */
    struct replay_backend served[COMPARE_MOST_CANDIDATES]; /**< How `acre run` serves those. */
};

/** What to leave out, and what to add. */
struct compare_choice {
    const char *const *names; /**< Only these; "heap/" is all whose names begin so. */
    size_t name_count;        /**< 0: system, mallocs found and the backends that say `compared`. */
};

/** Fills `candidates`, whose `items` are set and zeroed. */
void compare_find_candidates(
    struct compare_candidates *candidates, const struct compare_choice *choice);

/** @return null, or the first name among `choice->names` that no candidate has. */
const char *compare_find_unknown(
    const struct compare_candidates *candidates, const struct compare_choice *choice);

/**
 * Adds the file `path`: a plugin, which stays loaded for good, or a shared object that serves
 * malloc when it is preloaded.
 * @return false with one sentence in `error`.
 */
bool compare_add_file(
    struct compare_candidates *candidates, const char *path, char *error, size_t size);

#endif
