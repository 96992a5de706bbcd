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

/* What the machine does in a few instructions, and what compilers call a library for (libgcc),
 * which kernels do not have: there base/wide.h does it. */
#if defined(__riscv) && !defined(__riscv_mul)
#define ACRE_MULTIPLIES 0
#else
#define ACRE_MULTIPLIES 1
#endif
#if (defined(__riscv) && !defined(__riscv_div)) ||                                                 \
    (defined(__arm__) && !defined(__ARM_FEATURE_IDIV))
#define ACRE_DIVIDES 0
#else
#define ACRE_DIVIDES 1
#endif
/* The product of two numbers of 32 bits, in 64. */
#if !ACRE_MULTIPLIES || (defined(__thumb__) && !defined(__thumb2__))
#define ACRE_MULTIPLIES_WIDE 0
#else
#define ACRE_MULTIPLIES_WIDE 1
#endif
/* Shifts of 64 bits by a variable, also where compilers optimise for size. */
#if UINTPTR_MAX > 0xffffffff || defined(__i386__) ||                                               \
    (defined(__arm__) && (!defined(__thumb__) || defined(__thumb2__)))
#define ACRE_SHIFTS_WIDE 1
#else
#define ACRE_SHIFTS_WIDE 0
#endif

/* 1: the build counts branches, of a function once and not once in each caller. */
#ifndef ACRE_COUNT_BRANCHES
#define ACRE_COUNT_BRANCHES 0
#endif

#if defined(__GNUC__) && !defined(ACRE_PLAIN_C)
#define ACRE_NOINLINE __attribute__((noinline))
#if ACRE_COUNT_BRANCHES
#define ACRE_LIKELY(cond) (cond)
#define ACRE_UNLIKELY(cond) (cond)
#define ACRE_INLINE static __attribute__((noinline, unused))
#else
#define ACRE_LIKELY(cond) __builtin_expect(!!(cond), 1)
#define ACRE_UNLIKELY(cond) __builtin_expect(!!(cond), 0)
#define ACRE_INLINE static inline __attribute__((always_inline, unused))
#endif
/* A function that reads what other threads may write, and is right whoever wins. */
#if defined(__SANITIZE_THREAD__)
#define ACRE_RACY static __attribute__((noinline, unused, no_sanitize_thread))
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ACRE_RACY static __attribute__((noinline, unused, no_sanitize_thread))
#endif
#endif
#ifndef ACRE_RACY
#define ACRE_RACY ACRE_INLINE
#endif
/* Hides from the optimiser where a value comes from, or that memory still holds what was read: for
 * the few places where it would trade a memory operand or an address mode for extra instructions.
 */
#define ACRE_OPAQUE(value) __asm__("" : "+r"(value))
/* Tells the optimiser what holds; the condition has no side effects. */
#define ACRE_ASSUME(cond) ((cond) ? (void)0 : __builtin_unreachable())
#define ACRE_REREAD() __asm__ volatile("" ::: "memory")
/* Zero bits above the highest set one, and below the lowest; the word is not 0. Only as wide as
 * the machine has an instruction for: compilers call a library for the rest, which kernels do not
 * have. */
#if (defined(__riscv) && !defined(__riscv_zbb)) || (defined(__arm__) && !defined(__ARM_FEATURE_CLZ))
/* no such instruction */
#elif UINTPTR_MAX > 0xffffffff
#define ACRE_LEADING_ZEROS(word) ((unsigned)__builtin_clzll(word))
#define ACRE_TRAILING_ZEROS(word) ((unsigned)__builtin_ctzll(word))
#else
#define ACRE_LEADING_ZEROS_32(word) ((unsigned)__builtin_clz(word))
#define ACRE_TRAILING_ZEROS_32(word) ((unsigned)__builtin_ctz(word))
#endif
/* memcpy of a few bytes, which the compiler turns into loads and stores. */
#define ACRE_COPY(to, from, size) __builtin_memcpy(to, from, size)
/* Words that the machine handles at once where it can, at any address of a word. */
typedef size_t acre_words __attribute__((vector_size(16), aligned(sizeof(size_t)), may_alias));
#if defined(__SIZEOF_INT128__) && UINTPTR_MAX > 0xffffffff /* 32-bit machines call a library */
#define ACRE_UINT128 1
__extension__ typedef unsigned __int128 acre_uint128;
#endif
#else
#define ACRE_LIKELY(cond) (cond)
#define ACRE_UNLIKELY(cond) (cond)
#define ACRE_NOINLINE
#define ACRE_INLINE static inline
#define ACRE_RACY static inline
#define ACRE_OPAQUE(value) ((void)0)
#define ACRE_ASSUME(cond) ((void)0)
#define ACRE_REREAD() ((void)0)
#define ACRE_COPY(to, from, size) acre_copy_few(to, from, size)
typedef size_t acre_words;

static inline void acre_copy_few(void *to, const void *from, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((unsigned char *)to)[i] = ((const unsigned char *)from)[i];
}
#endif

#if !defined(ACRE_LEADING_ZEROS) && !defined(ACRE_LEADING_ZEROS_32)
#define ACRE_LEADING_ZEROS_32(word) acre_leading_zeros_32(word)
#define ACRE_TRAILING_ZEROS_32(word) (31 - acre_leading_zeros_32((word) & (0 - (word))))

/* Shifts `count` zero bits out at the top, if there are so many. */
ACRE_INLINE unsigned acre_shift_zeros(uint32_t *word, unsigned count)
{
    unsigned zeros = (unsigned)(*word >> (32 - count) == 0) * count;
    *word <<= zeros;
    return zeros;
}

ACRE_INLINE unsigned acre_leading_zeros_32(uint32_t word)
{
    unsigned zeros = acre_shift_zeros(&word, 16);
    zeros += acre_shift_zeros(&word, 8);
    zeros += acre_shift_zeros(&word, 4);
    zeros += acre_shift_zeros(&word, 2);
    return zeros + (unsigned)(word >> 31 == 0);
}
#endif

#ifndef ACRE_LEADING_ZEROS
#define ACRE_LEADING_ZEROS(word) acre_leading_zeros(word)
#define ACRE_TRAILING_ZEROS(word) acre_trailing_zeros(word)

ACRE_INLINE unsigned acre_leading_zeros(uint64_t word)
{
    uint32_t high = (uint32_t)(word >> 32);
    return high != 0 ? ACRE_LEADING_ZEROS_32(high) : 32 + ACRE_LEADING_ZEROS_32((uint32_t)word);
}

ACRE_INLINE unsigned acre_trailing_zeros(uint64_t word)
{
    uint32_t low = (uint32_t)word;
    return low != 0 ? ACRE_TRAILING_ZEROS_32(low)
                    : 32 + ACRE_TRAILING_ZEROS_32((uint32_t)(word >> 32));
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
