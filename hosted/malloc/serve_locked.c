/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "malloc/serve_locked.h"

#include "base/arith.h"
#include "os/os.h"

#include <string.h>

static bool open_pool(void)
{
    struct acre_pool *pool = &acre_serve.pool;
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

ACRE_NOINLINE void *acre_locked_alloc_slow(struct acre_layout layout)
{
    acre_lock_take(&acre_serve.lock);
    void *ptr = find_memory(layout);
    acre_lock_release(&acre_serve.lock);
    return ptr != NULL ? ptr : acre_serve_refuse();
}

ACRE_NOINLINE void *acre_locked_alloc_shared(struct acre_layout layout)
{
    acre_lock_take(&acre_serve.lock);
    void *ptr = acre_alloc(acre_serve.bytes, layout).ptr;
    acre_lock_release(&acre_serve.lock);
    return ACRE_LIKELY(ptr != NULL) ? ptr : acre_locked_alloc_slow(layout);
}

/* Size in bytes from which requests are large blocks. None without pointer validation: the
 * backend, which is asked first, would take any pointer for one of its own. */
static size_t locked_large_from(void)
{
    return ACRE_CHECK_POINTERS ? acre_large_from(&acre_serve.pool.large) : SIZE_MAX;
}

ACRE_NOINLINE void *acre_locked_alloc_large(struct acre_layout layout)
{
    void *ptr = NULL;
    if (layout.size > ACRE_SERVE_MOST)
        return acre_serve_refuse();
    if (layout.align <= acre_os_page_size()) {
        acre_lock_take(&acre_serve.lock);
        if (layout.size >= locked_large_from() && open_pool())
            ptr = acre_pool_alloc_large(&acre_serve.pool, layout.size);
        acre_lock_release(&acre_serve.lock);
    }
    return ptr != NULL ? ptr : acre_locked_alloc_shared(layout);
}

static bool owns_large(const void *ptr)
{
    return acre_large_owns(&acre_serve.pool.large, ptr);
}

ACRE_NOINLINE void acre_locked_free_large(const char *call, void *ptr)
{
    if (!owns_large(ptr))
        acre_misuse_pointer(&acre_serve.pool, &acre_serve.lock, call, ptr);
    acre_large_free(&acre_serve.pool.large, ptr);
}

ACRE_NOINLINE void acre_locked_free_shared(const char *call, void *ptr)
{
    acre_lock_take(&acre_serve.lock);
    enum acre_status status = acre_dealloc(acre_serve.bytes, ptr);
    if (ACRE_UNLIKELY(status != ACRE_OK))
        acre_locked_free_large(call, ptr);
    acre_lock_release(&acre_serve.lock);
}

void acre_locked_free_sized(const char *call, void *ptr, struct acre_layout layout)
{
    acre_lock_take(&acre_serve.lock);
    enum acre_status status = acre_dealloc_sized(acre_serve.bytes, ptr, layout);
    if (ACRE_UNLIKELY(status == ACRE_NOT_ALLOCATED) && owns_large(ptr))
        status = acre_pool_free_large_sized(&acre_serve.pool, ptr, layout);
    if (ACRE_UNLIKELY(status == ACRE_NOT_ALLOCATED))
        acre_misuse_pointer(&acre_serve.pool, &acre_serve.lock, call, ptr);
    if (ACRE_UNLIKELY(status != ACRE_OK))
        acre_misuse_layout(&acre_serve.pool, &acre_serve.lock, call, ptr, layout);
    acre_lock_release(&acre_serve.lock);
}

ACRE_NOINLINE bool acre_locked_is_fresh(const void *ptr)
{
    acre_lock_take(&acre_serve.lock);
    bool fresh = owns_large(ptr);
    acre_lock_release(&acre_serve.lock);
    return fresh;
}

/* Moves a block, of which `size` bytes are kept, between the backend and large blocks. `moved` is a
 * new block or null. */
static void *move_block(void *moved, void *ptr, size_t size, bool from_large)
{
    if (moved == NULL)
        return NULL;
    memcpy(moved, ptr, size);
    if (from_large)
        acre_large_free(&acre_serve.pool.large, ptr);
    else if (acre_dealloc(acre_serve.bytes, ptr) != ACRE_OK)
        return NULL;
    return moved;
}

/* A large block that is to have less than half the size of the smallest moves to the backend. */
static void *resize_large(void *ptr, struct acre_layout layout)
{
    void *moved = NULL;
    if (layout.size < ACRE_LARGE_LEAST / 2)
        moved = move_block(find_memory(layout), ptr, layout.size, true);
    return moved != NULL ? moved : acre_pool_resize_large(&acre_serve.pool, ptr, layout.size);
}

/* A block of the backend becomes a large one. Null: no mapping can be had. */
static void *make_large(const char *call, void *ptr, size_t size)
{
    struct acre_num usable = acre_usable_size(acre_serve.bytes, ptr);
    if (usable.status != ACRE_OK)
        acre_misuse_pointer(&acre_serve.pool, &acre_serve.lock, call, ptr);
    return move_block(acre_pool_alloc_large(&acre_serve.pool, size), ptr,
        usable.num < size ? usable.num : size, false);
}

/* The lock is held. */
static ACRE_NOINLINE void *realloc_large(const char *call, void *ptr, struct acre_layout layout)
{
    if (owns_large(ptr))
        return resize_large(ptr, layout);
    return layout.size >= locked_large_from() ? make_large(call, ptr, layout.size) : NULL;
}

/* The lock is held. */
static void *resize_or_move(const char *call, void *ptr, struct acre_layout layout)
{
    bool is_large = layout.size >= ACRE_LARGE_LEAST && layout.size >= locked_large_from();
    void *large = ACRE_UNLIKELY(is_large) ? realloc_large(call, ptr, layout) : NULL;
    if (large != NULL)
        return large;
    struct acre_ptr moved = acre_realloc(acre_serve.bytes, ptr, layout);
    if (ACRE_UNLIKELY(moved.status == ACRE_NOT_ALLOCATED)) {
        if (owns_large(ptr))
            return is_large ? NULL : realloc_large(call, ptr, layout);
        acre_misuse_pointer(&acre_serve.pool, &acre_serve.lock, call, ptr);
    }
    if (ACRE_UNLIKELY(moved.ptr == NULL) && acre_pool_grow(&acre_serve.pool, layout))
        moved = acre_realloc(acre_serve.bytes, ptr, layout);
    return moved.ptr;
}

void *acre_locked_realloc(const char *call, void *ptr, struct acre_layout layout)
{
    bool alone = acre_lock_take_alone(&acre_serve.lock);
    if (!alone)
        acre_lock_take(&acre_serve.lock);
    void *moved = resize_or_move(call, ptr, layout);
    if (alone)
        acre_lock_release_alone(&acre_serve.lock);
    else
        acre_lock_release(&acre_serve.lock);
    return ACRE_LIKELY(moved != NULL) ? moved : acre_serve_refuse();
}

size_t acre_locked_usable_size(const char *call, void *ptr)
{
    acre_lock_take(&acre_serve.lock);
    struct acre_num usable = acre_usable_size(acre_serve.bytes, ptr);
    if (ACRE_UNLIKELY(usable.status != ACRE_OK)) {
        if (!owns_large(ptr))
            acre_misuse_pointer(&acre_serve.pool, &acre_serve.lock, call, ptr);
        usable.num = acre_large_find(&acre_serve.pool.large, (uintptr_t)ptr)->size;
    }
    acre_lock_release(&acre_serve.lock);
    return usable.num;
}

struct acre_stats acre_locked_stats(void)
{
    acre_lock_take(&acre_serve.lock);
    struct acre_stats stats = acre_bytes_stats(acre_serve.bytes);
    acre_pool_add_large_stats(&acre_serve.pool, &stats);
    stats.failed = 0; /* a request that the backend refuses may be served after growth */
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

/* Has the backend merge its free memory, so that walk shows no metadata inside. The lock is
 * held. */
static void flush_backend(void)
{
    const struct acre_backend *backend = acre_serve.pool.backend;
    if (acre_serve.bytes.self != NULL && backend->backing->flush != NULL)
        backend->backing->flush(acre_serve.bytes.self);
}

bool acre_locked_trim(void)
{
    bool any = false;
    acre_lock_take(&acre_serve.lock);
    flush_backend();
    acre_walk(acre_serve.bytes, discard_free, &any);
    if (acre_serve.bytes.self != NULL && acre_serve.pool.backend->backing->visit_free != NULL)
        acre_serve.pool.backend->backing->visit_free(acre_serve.bytes.self, discard_free, &any);
    acre_lock_release(&acre_serve.lock);
    return any;
}
