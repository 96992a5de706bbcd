/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * What the core asks of the compiler beyond C11, in one place. Compilers that are neither gcc nor
 * clang get plain C11 in its stead; ACRE_PLAIN_C shows that with any compiler
 * (scripts/check-compilers).
 */
#ifndef ACRE_SRC_BASE_COMPILER_H
#define ACRE_SRC_BASE_COMPILER_H

#include <acre/config.h>

#include <stddef.h>
#include <stdint.h>

/* 1: calls through a handle tell sanitizers and valgrind which bytes are live; see annotate.h. */
#ifndef ACRE_ANNOTATE
#define ACRE_ANNOTATE 0
#endif

#if defined(__GNUC__) && !defined(ACRE_PLAIN_C)
#define ACRE_LIKELY(cond) __builtin_expect(!!(cond), 1)
#define ACRE_UNLIKELY(cond) __builtin_expect(!!(cond), 0)
#define ACRE_NOINLINE __attribute__((noinline))
#define ACRE_INLINE static inline __attribute__((always_inline, unused))
/* Hides from the optimiser where a value comes from, or that memory still holds what was read: for
 * the few places where it would trade a memory operand or an address mode for extra instructions.
 */
#define ACRE_OPAQUE(value) __asm__("" : "+r"(value))
#define ACRE_REREAD() __asm__ volatile("" ::: "memory")
/* Zero bits above the highest set one, and below the lowest; the word is not 0. */
#define ACRE_LEADING_ZEROS(word) ((unsigned)__builtin_clzll(word))
#define ACRE_TRAILING_ZEROS(word) ((unsigned)__builtin_ctzll(word))
/* memcpy of a few bytes, which the compiler turns into loads and stores. */
#define ACRE_COPY(to, from, size) __builtin_memcpy(to, from, size)
#if defined(__SIZEOF_INT128__)
#define ACRE_UINT128 1
__extension__ typedef unsigned __int128 acre_uint128;
#endif
#else
#define ACRE_LIKELY(cond) (cond)
#define ACRE_UNLIKELY(cond) (cond)
#define ACRE_NOINLINE
#define ACRE_INLINE static inline
#define ACRE_OPAQUE(value) ((void)0)
#define ACRE_REREAD() ((void)0)
#define ACRE_LEADING_ZEROS(word) acre_leading_zeros(word)
#define ACRE_TRAILING_ZEROS(word) acre_trailing_zeros(word)
#define ACRE_COPY(to, from, size) acre_copy_few(to, from, size)

static inline unsigned acre_leading_zeros(uint64_t word)
{
    unsigned zeros = 0;
    for (unsigned half = 32; half != 0; half /= 2)
        if (word >> (64 - half) == 0) {
            zeros += half;
            word <<= half;
        }
    return zeros;
}

static inline unsigned acre_trailing_zeros(uint64_t word)
{
    return 63 - acre_leading_zeros(word & (~word + 1));
}

static inline void acre_copy_few(void *to, const void *from, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((unsigned char *)to)[i] = ((const unsigned char *)from)[i];
}
#endif

#if ACRE_ASSERTS
/** Supplied by whoever builds with ACRE_ASSERTS: does not return. */
void acre_assert_fail(const char *text, const char *file, int line);
#define ACRE_ASSERT(cond) ((cond) ? (void)0 : acre_assert_fail(#cond, __FILE__, __LINE__))
#else
#define ACRE_ASSERT(cond) ((void)sizeof(cond))
#endif

#endif
