/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The state of the drop-in malloc, below both ways to serve.
 */
#include "malloc/serve.h"

#include "base/null.h"

struct acre_serve acre_serve = { .lock = { .on_reentry = acre_misuse_reentered },
    .bytes = { .ops = &acre_null_ops, .self = NULL },
    .pool = { .large = { .from = ACRE_LARGE_LEAST } } };

void *acre_serve_refuse(void)
{
    atomic_fetch_add_explicit(&acre_serve.failed, 1, memory_order_relaxed);
    errno = ENOMEM;
    return NULL;
}
