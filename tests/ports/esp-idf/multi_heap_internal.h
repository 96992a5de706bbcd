/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Not ESP-IDF: a stand-in for tests; see multi_heap.h. */
#ifndef ACRE_TESTS_PORTS_MULTI_HEAP_INTERNAL_H
#define ACRE_TESTS_PORTS_MULTI_HEAP_INTERNAL_H

#include "multi_heap.h"

void multi_heap_internal_lock(multi_heap_handle_t heap);
void multi_heap_internal_unlock(multi_heap_handle_t heap);

#endif
