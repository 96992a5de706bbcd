/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Calls the handler of exhaustion and retries; every allocator with such a handler refuses requests
 * through this function.
 */
#ifndef ACRE_SRC_BASE_EXHAUSTED_H
#define ACRE_SRC_BASE_EXHAUSTED_H

#include "base/compiler.h"

#include <acre/types.h>

typedef struct acre_ptr acre_retry_fn(void *self, struct acre_layout layout);

/* Sets a handler. One that runs at the moment is in place again: its own requests call it. */
ACRE_INLINE void acre_set_exhausted_hook(
    struct acre_exhausted_hook *hook, acre_exhausted_fn *call, void *arg)
{
    hook->call = call;
    hook->arg = arg;
    hook->running = false;
}

/* Serves a request that found no memory, or refuses it and counts it in `failed`: calls the
 * handler, then `retry`, until a retry succeeds, the handler returns false or
 * ACRE_EXHAUSTED_RETRIES calls are made. `retry` is the alloc that failed: it comes back here when
 * it fails again, and finds the handler taken out. */
struct acre_ptr acre_retry_exhausted(struct acre_exhausted_hook *hook, size_t *failed,
    acre_retry_fn *retry, void *self, struct acre_layout layout);

#endif
