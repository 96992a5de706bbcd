/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "malloc/serve.h"

#include "base/arith.h"
#include "base/null.h"
#include "malloc/zero.h"
#include "os/os.h"

struct acre_serve acre_serve = { .lock = { .on_reentry = acre_misuse_reentered },
    .bytes = { .ops = &acre_null_ops, .self = NULL } };

void *acre_serve_refuse(void)
{
    acre_lock_take(&acre_serve.lock);
    acre_serve.refused++;
    acre_lock_release(&acre_serve.lock);
    errno = ENOMEM;
    return NULL;
}

static void read_settings(void)
{
    if (acre_serve.settings.backend == NULL) {
        acre_serve.settings = acre_settings_read();
        if (acre_serve.settings.help)
            acre_settings_help();
    }
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

static bool open_pool(void)
{
    struct acre_pool *pool = &acre_serve.pool;
    read_settings();
    if (pool->bytes.ops == NULL) {
        if (!acre_pool_open(pool, acre_serve.settings.backend, acre_serve.settings.limit))
            return false;
        acre_serve.bytes = pool->bytes;
    }
    return true;
}

/* Another thread may have grown the pool meanwhile, so the backend is tried again first. */
static void *find_memory(struct acre_layout layout)
{
    if (!open_pool())
        return NULL;
    void *ptr = acre_alloc(acre_serve.bytes, layout).ptr;
    if (ptr == NULL && acre_pool_grow(&acre_serve.pool, layout))
        ptr = acre_alloc(acre_serve.bytes, layout).ptr;
    return ptr;
}

ACRE_NOINLINE void *acre_serve_alloc_slow(struct acre_layout layout)
{
    acre_lock_take(&acre_serve.lock);
    void *ptr = find_memory(layout);
    acre_lock_release(&acre_serve.lock);
    return ptr != NULL ? ptr : acre_serve_refuse();
}

ACRE_NOINLINE void *acre_serve_alloc_shared(struct acre_layout layout)
{
    acre_lock_take(&acre_serve.lock);
    void *ptr = acre_alloc(acre_serve.bytes, layout).ptr;
    acre_lock_release(&acre_serve.lock);
    return ACRE_LIKELY(ptr != NULL) ? ptr : acre_serve_alloc_slow(layout);
}

ACRE_NOINLINE void acre_serve_free_shared(const char *call, void *ptr)
{
    acre_lock_take(&acre_serve.lock);
    enum acre_status status = acre_dealloc(acre_serve.bytes, ptr);
    if (ACRE_UNLIKELY(status != ACRE_OK))
        acre_misuse_pointer(&acre_serve.pool, &acre_serve.lock, call, ptr);
    acre_lock_release(&acre_serve.lock);
}

void acre_serve_free_sized(const char *call, void *ptr, struct acre_layout layout)
{
    if (ptr == NULL)
        return;
    acre_lock_take(&acre_serve.lock);
    enum acre_status status = acre_dealloc_sized(acre_serve.bytes, ptr, layout);
    if (ACRE_UNLIKELY(status == ACRE_NOT_ALLOCATED))
        acre_misuse_pointer(&acre_serve.pool, &acre_serve.lock, call, ptr);
    if (ACRE_UNLIKELY(status != ACRE_OK))
        acre_misuse_layout(&acre_serve.pool, &acre_serve.lock, call, ptr, layout);
    acre_lock_release(&acre_serve.lock);
}

void *acre_serve_zeroed(size_t count, size_t size)
{
    size_t bytes;
    if (ACRE_UNLIKELY(__builtin_mul_overflow(count, size, &bytes)))
        return acre_serve_refuse();
    void *ptr = acre_serve_alloc(bytes, ACRE_NATURAL_ALIGN);
    return ACRE_LIKELY(ptr != NULL) ? acre_zero(ptr, bytes) : NULL;
}

/* The lock is held. */
static void *resize_or_move(const char *call, void *ptr, struct acre_layout layout)
{
    struct acre_ptr moved = acre_realloc(acre_serve.bytes, ptr, layout);
    if (ACRE_UNLIKELY(moved.status == ACRE_NOT_ALLOCATED))
        acre_misuse_pointer(&acre_serve.pool, &acre_serve.lock, call, ptr);
    if (ACRE_UNLIKELY(moved.ptr == NULL) && acre_pool_grow(&acre_serve.pool, layout))
        moved = acre_realloc(acre_serve.bytes, ptr, layout);
    return moved.ptr;
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
    bool alone = acre_lock_take_alone(&acre_serve.lock);
    if (!alone)
        acre_lock_take(&acre_serve.lock);
    void *moved = resize_or_move(call, ptr, acre_layout(bytes, ACRE_NATURAL_ALIGN));
    if (alone)
        acre_lock_release_alone(&acre_serve.lock);
    else
        acre_lock_release(&acre_serve.lock);
    return ACRE_LIKELY(moved != NULL) ? moved : acre_serve_refuse();
}

size_t acre_serve_usable_size(const char *call, void *ptr)
{
    if (ptr == NULL)
        return 0;
    acre_lock_take(&acre_serve.lock);
    struct acre_num usable = acre_usable_size(acre_serve.bytes, ptr);
    if (ACRE_UNLIKELY(usable.status != ACRE_OK))
        acre_misuse_pointer(&acre_serve.pool, &acre_serve.lock, call, ptr);
    acre_lock_release(&acre_serve.lock);
    return usable.num;
}

struct acre_stats acre_serve_stats(void)
{
    acre_lock_take(&acre_serve.lock);
    struct acre_stats stats = acre_bytes_stats(acre_serve.bytes);
    stats.failed = acre_serve.refused;
    acre_lock_release(&acre_serve.lock);
    return stats;
}

/* A backend may keep metadata of a free block in its first and last bytes; these pages stay. */
enum { margin = 64 };

static bool discard_free(void *arg, void *start, size_t size, bool live)
{
    bool *any = arg;
    uintptr_t page = acre_os_page_size();
    uintptr_t first = acre_align_up((uintptr_t)start + margin, page);
    uintptr_t end = acre_align_down((uintptr_t)start + size - margin, page);
    if (!live && size > 2 * page && first < end && acre_os_discard((void *)first, end - first) == 0)
        *any = true;
    return true;
}

/* Has the backend merge its free memory, so that walk shows no metadata inside. The lock is held. */
static void flush_backend(void)
{
    const struct acre_backend *backend = acre_serve.pool.backend;
    if (acre_serve.bytes.self != NULL && backend->memory->flush != NULL)
        backend->memory->flush(acre_serve.bytes.self);
}

bool acre_serve_trim(void)
{
    bool any = false;
    acre_lock_take(&acre_serve.lock);
    flush_backend();
    acre_walk(acre_serve.bytes, discard_free, &any);
    acre_lock_release(&acre_serve.lock);
    return any;
}

bool acre_serve_is_inside(void)
{
    return acre_lock_is_held_by_caller(&acre_serve.lock);
}

void acre_serve_before_fork(void)
{
    acre_lock_hold_for_fork(&acre_serve.lock);
}

void acre_serve_after_fork_in_parent(void)
{
    acre_lock_release_after_fork(&acre_serve.lock);
}

void acre_serve_after_fork_in_child(void)
{
    acre_lock_reinit_after_fork(&acre_serve.lock);
}
