/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The victim: an ordinary program, linked to nothing of acre, that the drop-in malloc is preloaded
 * into. It runs one case by name. A case that returns has passed; a case that misuses memory is
 * expected to be ended before it returns.
 */
#ifndef ACRE_TESTS_MALLOC_VICTIM_H
#define ACRE_TESTS_MALLOC_VICTIM_H

#include <stddef.h>

/** One case. */
struct victim_case {
    const char *name;
    void (*run)(void);
};

/** Tables, each ended by a null name. */
extern const struct victim_case victim_sizes[];
extern const struct victim_case victim_misuse[];
extern const struct victim_case victim_process[];
extern const struct victim_case victim_memory[];
extern const struct victim_case victim_harden[];
extern const struct victim_case victim_owner[];

/** Ends the victim with status 1 and a line on standard error when the condition is false. */
#define CHECK(condition) victim_check((condition), #condition, __FILE__, __LINE__)
void victim_check(int holds, const char *text, const char *file, int line);

/** A function of the process by name; the victim ends when there is none. */
void *victim_symbol(const char *name);

/** Whether a function lies in the drop-in malloc. */
int victim_is_ours(void *function);

/** An address that the compiler knows nothing about. */
void *victim_hide(void *ptr);

/** Fills a block with bytes that depend on `seed`; victim_holds() tells whether they are still
 * there. */
void victim_fill(void *ptr, size_t size, unsigned seed);
int victim_holds(const void *ptr, size_t size, unsigned seed);

/** Bytes that live blocks take at this moment. */
size_t victim_used(void);

#endif
