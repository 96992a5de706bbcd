/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Not Zephyr: a stand-in for tests, with the declarations that ports/zephyr uses. The test provides
 * the functions; its clock ticks when a semaphore is taken. */
#ifndef ACRE_TESTS_PORTS_ZEPHYR_H
#define ACRE_TESTS_PORTS_ZEPHYR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    int64_t ticks; /* -1: for ever */
} k_timeout_t;

typedef struct {
    int64_t tick;
} k_timepoint_t;

#define K_NO_WAIT ((k_timeout_t){ 0 })
#define K_FOREVER ((k_timeout_t){ -1 })
#define K_MSEC(ms) ((k_timeout_t){ ms })
#define K_TIMEOUT_EQ(a, b) ((a).ticks == (b).ticks)

k_timepoint_t sys_timepoint_calc(k_timeout_t timeout);
k_timeout_t sys_timepoint_timeout(k_timepoint_t timepoint);

struct k_spinlock {
    int held;
};

typedef struct {
    int key;
} k_spinlock_key_t;

k_spinlock_key_t k_spin_lock(struct k_spinlock *lock);
void k_spin_unlock(struct k_spinlock *lock, k_spinlock_key_t key);

struct k_sem {
    unsigned count;
};

#define K_SEM_MAX_LIMIT 1000000u
#define K_SEM_DEFINE(name, initial_count, count_limit) struct k_sem name = { initial_count }

int k_sem_init(struct k_sem *sem, unsigned initial_count, unsigned limit);
int k_sem_take(struct k_sem *sem, k_timeout_t timeout);
void k_sem_give(struct k_sem *sem);

__attribute__((format(printf, 2, 3))) void stand_in_assert(bool holds, const char *format, ...);

#define __ASSERT(test, ...) stand_in_assert(test, __VA_ARGS__)
#define __aligned(x) __attribute__((aligned(x)))

#endif
