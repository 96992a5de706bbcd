/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Which of the two ways to serve a call takes, once the inline paths have not answered.
 */
#include "malloc/serve.h"

#include "malloc/serve_locked.h"
#include "malloc/zero.h"

/* ---- the choice ---- */

static void read_settings(void)
{
    if (acre_serve.settings.backend != NULL)
        return;
    acre_serve.settings = acre_settings_read();
    acre_serve.mode =
        acre_serve.settings.backend == threads_backend() ? ACRE_SERVE_THREADS : ACRE_SERVE_LOCKED;
    if (acre_serve.settings.help)
        acre_settings_help();
}

void acre_serve_prepare(void)
{
    acre_lock_take(&acre_serve.lock);
    read_settings();
    acre_lock_release(&acre_serve.lock);
}

const char *acre_serve_name(void)
{
    return acre_serve.settings.backend != NULL ? acre_serve.settings.backend->name : "none";
}

/* The first request of a process is the first to need the settings. */
static ACRE_NOINLINE bool is_locked_now(void)
{
    if (acre_serve.mode == ACRE_SERVE_UNKNOWN)
        acre_serve_prepare();
    return acre_serve.mode == ACRE_SERVE_LOCKED;
}

ACRE_INLINE bool is_locked(void)
{
    return ACRE_LIKELY(acre_serve.mode == ACRE_SERVE_LOCKED) || is_locked_now();
}

/* ---- the functions ---- */

/* Functions of their own, so that what leads to them needs no frame. */
static ACRE_NOINLINE void *alloc_locked(struct acre_layout layout)
{
    return acre_locked_alloc(layout);
}

/* The first request of a process. */
static ACRE_NOINLINE void *alloc_first(struct acre_layout layout)
{
    return is_locked_now() ? alloc_locked(layout) : acre_threads_alloc(layout);
}

static ACRE_NOINLINE void *alloc_unlocked(struct acre_layout layout)
{
    return ACRE_LIKELY(acre_serve.mode == ACRE_SERVE_THREADS) ? acre_threads_alloc(layout)
                                                              : alloc_first(layout);
}

ACRE_NOINLINE void *acre_serve_alloc_slow(struct acre_layout layout)
{
    void *ptr = threads_alloc_medium(layout.size, layout.align);
    if (ACRE_LIKELY(ptr != NULL))
        return ptr;
    return ACRE_LIKELY(acre_serve.mode == ACRE_SERVE_LOCKED) ? alloc_locked(layout)
                                                             : alloc_unlocked(layout);
}

ACRE_NOINLINE void acre_serve_free_slow(void *ptr, const char *call)
{
    if (ptr == NULL)
        return;
    if (ACRE_LIKELY(acre_serve.mode == ACRE_SERVE_LOCKED))
        acre_locked_free(call, ptr);
    else
        acre_threads_free(call, ptr);
}

static ACRE_NOINLINE void free_sized_slow(const char *call, void *ptr, struct acre_layout layout)
{
    if (ptr == NULL)
        return;
    if (is_locked())
        acre_locked_free_sized(call, ptr, layout);
    else
        acre_threads_free_sized(call, ptr, layout);
}

void acre_serve_free_sized(const char *call, void *ptr, struct acre_layout layout)
{
    if (ACRE_UNLIKELY(!threads_free_sized_fast(ptr, layout)))
        free_sized_slow(call, ptr, layout);
}

static ACRE_NOINLINE void *zeroed_locked(size_t bytes)
{
    void *ptr = acre_locked_alloc(acre_layout(bytes, ACRE_NATURAL_ALIGN));
    if (ACRE_UNLIKELY(bytes >= ACRE_LARGE_LEAST) && ptr != NULL && acre_locked_is_fresh(ptr))
        return ptr;
    return ACRE_LIKELY(ptr != NULL) ? acre_zero(ptr, bytes) : NULL;
}

static ACRE_NOINLINE void *zeroed_unlocked(size_t bytes)
{
    if (ACRE_UNLIKELY(acre_serve.mode == ACRE_SERVE_UNKNOWN) && is_locked_now())
        return zeroed_locked(bytes);
    return acre_threads_zeroed(bytes);
}

void *acre_serve_zeroed(size_t count, size_t size)
{
    size_t bytes;
    if (ACRE_UNLIKELY(__builtin_mul_overflow(count, size, &bytes)))
        return acre_serve_refuse();
    void *ptr = threads_alloc_fast(bytes, ACRE_NATURAL_ALIGN);
    if (ptr == NULL)
        ptr = threads_alloc_medium(bytes, ACRE_NATURAL_ALIGN);
    if (ACRE_LIKELY(ptr != NULL))
        return acre_zero(ptr, bytes);
    return ACRE_LIKELY(acre_serve.mode == ACRE_SERVE_LOCKED) ? zeroed_locked(bytes)
                                                             : zeroed_unlocked(bytes);
}

void *acre_serve_realloc(const char *call, void *ptr, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > ACRE_SERVE_MOST) {
        (void)acre_serve_usable_size(call, ptr);
        return acre_serve_refuse();
    }
    if (ptr == NULL)
        return acre_serve_alloc(bytes, ACRE_NATURAL_ALIGN);
    if (bytes == 0) {
        acre_serve_free(call, ptr);
        return NULL;
    }
    void *resized = threads_resize_fast(ptr, bytes);
    if (ACRE_LIKELY(resized != NULL))
        return resized;
    struct acre_layout layout = acre_layout(bytes, ACRE_NATURAL_ALIGN);
    return is_locked() ? acre_locked_realloc(call, ptr, layout)
                       : acre_threads_realloc(call, ptr, layout);
}

size_t acre_serve_usable_size(const char *call, void *ptr)
{
    if (ptr == NULL)
        return 0;
    return is_locked() ? acre_locked_usable_size(call, ptr) : acre_threads_usable_size(call, ptr);
}

struct acre_stats acre_serve_stats(void)
{
    struct acre_stats stats = is_locked() ? acre_locked_stats() : acre_threads_stats();
    stats.failed += atomic_load_explicit(&acre_serve.failed, memory_order_relaxed);
    return stats;
}

bool acre_serve_trim(void)
{
    return is_locked() ? acre_locked_trim() : acre_threads_trim();
}

/* ---- fork ---- */

bool acre_serve_is_inside(void)
{
    return acre_lock_is_held_by_caller(&acre_serve.lock) || acre_threads_is_inside();
}

void acre_serve_before_fork(void)
{
    acre_threads_before_fork();
    acre_lock_hold_for_fork(&acre_serve.lock);
}

void acre_serve_after_fork_in_parent(void)
{
    acre_lock_release_after_fork(&acre_serve.lock);
    acre_threads_after_fork_in_parent();
}

void acre_serve_after_fork_in_child(void)
{
    acre_lock_reinit_after_fork(&acre_serve.lock);
    acre_threads_after_fork_in_child();
}
