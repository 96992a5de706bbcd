/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/exhausted.h"

/* Calls the handler, and leaves it taken out for the retry. */
static bool call_handler(struct acre_exhausted_hook *hook, struct acre_layout layout)
{
    if (hook->call == NULL)
        return false;
    hook->running = true;
    bool again = hook->call(hook->arg, layout);
    hook->running = true;
    return again;
}

/* Retries that fail are no refusals: the request is counted once, at the end. */
struct acre_ptr acre_retry_exhausted(struct acre_exhausted_hook *hook, size_t *failed,
    acre_retry_fn *retry, void *self, struct acre_layout layout)
{
    struct acre_ptr got = { NULL, ACRE_NO_MEMORY };
    if (hook->call == NULL || hook->running) {
        ++*failed;
        return got;
    }
    for (unsigned calls = 0; got.status != ACRE_OK && calls < ACRE_EXHAUSTED_RETRIES; calls++) {
        if (!call_handler(hook, layout))
            break;
        size_t refused = *failed;
        got = retry(self, layout);
        *failed = refused;
    }
    hook->running = false;
    *failed += got.status != ACRE_OK;
    return got;
}
