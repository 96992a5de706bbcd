/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Puts a point at which the scheduler of explore_threads.c may switch in front of every atomic
 * operation of the sources that are compiled with it. One thread of the system runs them all, so
 * plain accesses do.
 */
#ifndef ACRE_TESTS_SUPPORT_EXPLORE_ATOMICS_H
#define ACRE_TESTS_SUPPORT_EXPLORE_ATOMICS_H

#include <stdatomic.h>
#include <stdbool.h>

void explore_step(void);

#undef atomic_load_explicit
#undef atomic_store_explicit
#undef atomic_exchange_explicit
#undef atomic_fetch_or_explicit
#undef atomic_fetch_add_explicit
#undef atomic_compare_exchange_strong_explicit
#undef atomic_compare_exchange_weak_explicit
#undef atomic_thread_fence

#define EXPLORE_VALUE(pointer) __typeof__((void)0, *(pointer))

#define atomic_load_explicit(pointer, order) (explore_step(), *(pointer))

#define atomic_store_explicit(pointer, value, order)                                               \
    __extension__({                                                                                \
        EXPLORE_VALUE(pointer) explore_new = (value);                                              \
        explore_step();                                                                            \
        *(pointer) = explore_new;                                                                  \
    })

#define EXPLORE_UPDATE(pointer, operand, updated)                                                  \
    __extension__({                                                                                \
        EXPLORE_VALUE(pointer) explore_operand = (operand);                                        \
        explore_step();                                                                            \
        EXPLORE_VALUE(pointer) explore_old = *(pointer);                                           \
        *(pointer) = (updated);                                                                    \
        explore_old;                                                                               \
    })

#define atomic_exchange_explicit(pointer, value, order)                                            \
    EXPLORE_UPDATE(pointer, value, explore_operand)
#define atomic_fetch_or_explicit(pointer, bits, order)                                             \
    EXPLORE_UPDATE(pointer, bits, explore_old | explore_operand)
#define atomic_fetch_add_explicit(pointer, more, order)                                            \
    EXPLORE_UPDATE(pointer, more, explore_old + explore_operand)

#define atomic_compare_exchange_strong_explicit(pointer, expected, value, order, failed)           \
    __extension__({                                                                                \
        EXPLORE_VALUE(pointer) explore_new = (value);                                              \
        explore_step();                                                                            \
        EXPLORE_VALUE(pointer) explore_old = *(pointer);                                           \
        bool explore_equal = explore_old == *(expected);                                           \
        if (explore_equal)                                                                         \
            *(pointer) = explore_new;                                                              \
        else                                                                                       \
            *(expected) = explore_old;                                                             \
        explore_equal;                                                                             \
    })
#define atomic_compare_exchange_weak_explicit(pointer, expected, value, order, failed)             \
    atomic_compare_exchange_strong_explicit(pointer, expected, value, order, failed)

#define atomic_thread_fence(order) ((void)0)

#endif
