/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Not ESP-IDF: a stand-in for tests; see multi_heap.h. The test provides the functions, and counts
 * their calls. */
#ifndef ACRE_TESTS_PORTS_MULTI_HEAP_PLATFORM_H
#define ACRE_TESTS_PORTS_MULTI_HEAP_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>

void stand_in_lock(void *lock);
void stand_in_unlock(void *lock);
void stand_in_assert(bool holds, const void *address);
__attribute__((format(printf, 1, 2))) void stand_in_print(const char *format, ...);

#define MULTI_HEAP_LOCK(PLOCK) stand_in_lock(PLOCK)
#define MULTI_HEAP_UNLOCK(PLOCK) stand_in_unlock(PLOCK)
#define MULTI_HEAP_ASSERT(CONDITION, ADDRESS) stand_in_assert(CONDITION, ADDRESS)
#define MULTI_HEAP_PRINTF stand_in_print
#define MULTI_HEAP_STDERR_PRINTF(MSG, ...) stand_in_print(MSG, __VA_ARGS__)

#endif
