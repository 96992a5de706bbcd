/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * What the messages of misuse.c say of a block of a heap per thread.
 */
#include "malloc/harden.h"
#include "malloc/text.h"
#include "malloc/trace.h"

static bool describe_hardened(struct acre_text *text, uintptr_t address)
{
    uintptr_t start = 0;
    acre_lock_take(&acre_serve.lock);
    bool empty = acre_empty_has(address);
    bool large = !empty && acre_guarded_was(address, &start);
    acre_lock_release(&acre_serve.lock);
    if (empty) {
        acre_text_add(text, "freed already, or never allocated: where blocks of 0 bytes are");
    } else if (large) {
        acre_text_add(text, start == address ? "freed already: the start of "
                                             : "freed already, or never allocated: in ");
        acre_text_add(text, "a large block at ");
        acre_text_add_address(text, start);
    }
    return empty || large;
}

size_t acre_threads_requested(const void *block, size_t size)
{
    if (!malloc_is_hardened())
        return size;
    struct acre_num usable = acre_threaded_usable_size(&acre_threads.threaded, block);
    return usable.status == ACRE_OK ? usable.num : size;
}

bool acre_threads_describe(struct acre_text *text, uintptr_t address)
{
    return malloc_is_hardened() && describe_hardened(text, address);
}

static size_t owner_of(uintptr_t block)
{
    acre_lock_take(&acre_serve.lock);
    const struct acre_large_block *large = acre_large_find(&acre_serve.pool.large, block);
    size_t thread = large != NULL
                        ? large->thread
                        : acre_threaded_thread_of(&acre_threads.threaded, (const void *)block);
    acre_lock_release(&acre_serve.lock);
    return thread;
}

void acre_threads_describe_history(struct acre_text *text, uintptr_t block)
{
    if (acre_serve.mode != ACRE_SERVE_THREADS)
        return;
    size_t thread = owner_of(block);
    if (thread != 0) {
        acre_text_add(text, "; allocated by thread ");
        acre_text_add_number(text, thread);
    }
    if (acre_serve.settings.trace_frees)
        acre_trace_describe(text, block);
}
