/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * What the core asks of the compiler beyond C11, in one place.
 */
#ifndef ACRE_SRC_BASE_COMPILER_H
#define ACRE_SRC_BASE_COMPILER_H

#include <acre/config.h>

/* 1: calls through a handle tell sanitizers and valgrind which bytes are live; see annotate.h. */
#ifndef ACRE_ANNOTATE
#define ACRE_ANNOTATE 0
#endif

#if defined(__GNUC__)
#define ACRE_LIKELY(cond) __builtin_expect(!!(cond), 1)
#define ACRE_UNLIKELY(cond) __builtin_expect(!!(cond), 0)
#define ACRE_NOINLINE __attribute__((noinline))
#define ACRE_INLINE static inline __attribute__((always_inline, unused))
/* Hides from the optimiser where a value comes from, or that memory still holds what was read: for
 * the few places where it would trade a memory operand or an address mode for extra instructions.
 */
#define ACRE_OPAQUE(value) __asm__("" : "+r"(value))
#define ACRE_REREAD() __asm__ volatile("" ::: "memory")
#else
#define ACRE_LIKELY(cond) (cond)
#define ACRE_UNLIKELY(cond) (cond)
#define ACRE_NOINLINE
#define ACRE_INLINE static inline
#define ACRE_OPAQUE(value) ((void)0)
#define ACRE_REREAD() ((void)0)
#endif

#if ACRE_ASSERTS
/** Supplied by whoever builds with ACRE_ASSERTS: does not return. */
void acre_assert_fail(const char *text, const char *file, int line);
#define ACRE_ASSERT(cond) ((cond) ? (void)0 : acre_assert_fail(#cond, __FILE__, __LINE__))
#else
#define ACRE_ASSERT(cond) ((void)sizeof(cond))
#endif

#endif
