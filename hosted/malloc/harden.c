/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "malloc/harden.h"

#include "os/os.h"

#include <string.h>

/* ---- alloc ---- */

static void *hardened_alloc_apart(struct acre_layout layout)
{
    acre_lock_take(&acre_serve.lock);
    void *ptr = layout.size == 0 ? acre_empty_alloc(layout.align) : acre_guarded_alloc(layout);
    acre_large_set_thread(&acre_serve.pool.large, ptr, acre_threads_own->thread);
    acre_lock_release(&acre_serve.lock);
    return ptr;
}

void *acre_hardened_alloc(struct acre_thread_heap *heap, struct acre_layout layout)
{
    void *ptr = NULL;
    if (layout.size == 0)
        ptr = hardened_alloc_apart(layout);
    else if (acre_guarded_is_large(layout))
        return hardened_alloc_apart(layout);
    return ptr != NULL ? ptr : acre_threaded_alloc_slow(heap, layout).ptr;
}

/* ---- free ---- */

/* What a pointer is that no heap knows. */
struct apart {
    enum acre_status
        status;  /* ACRE_NOT_ALLOCATED: nothing; ACRE_INVALID_PARAM: of another layout */
    size_t size; /* bytes requested */
    uintptr_t damage;
};

/* The lock is held. `layout`: what the block must be, or null. */
static struct apart hardened_find(const void *ptr, const struct acre_layout *layout)
{
    struct apart apart = { .status = ACRE_NOT_ALLOCATED };
    const struct acre_large_block *block = acre_guarded_find(ptr);
    if (acre_empty_is_live(ptr)) {
        apart.status = ACRE_OK;
    } else if (block != NULL) {
        apart = (struct apart){
            .status = ACRE_OK, .size = block->asked, .damage = acre_guarded_damage(block)
        };
    }
    if (apart.status == ACRE_OK && layout != NULL &&
        (layout->size != apart.size || ((uintptr_t)ptr & (layout->align - 1)) != 0))
        apart.status = ACRE_INVALID_PARAM;
    return apart;
}

/* The lock is held. */
static void hardened_release(const void *ptr)
{
    const struct acre_large_block *block = acre_guarded_find(ptr);
    if (block != NULL)
        acre_guarded_free(block);
    else
        (void)acre_empty_free(ptr);
}

static void stop_unless_sound(
    const char *call, const void *ptr, const struct acre_layout *layout, struct apart apart)
{
    struct acre_threaded_damage damage = { .kind = ACRE_DAMAGE_BEHIND,
        .where = (const void *)apart.damage,
        .block = ptr,
        .size = apart.size };
    if (apart.status == ACRE_NOT_ALLOCATED)
        acre_threads_stop(call, ptr);
    if (apart.status == ACRE_INVALID_PARAM)
        acre_threads_stop_layout(call, ptr, *layout);
    if (apart.damage != 0)
        acre_threads_stop_damaged(call, &damage);
}

static void hardened_free_as(const char *call, void *ptr, const struct acre_layout *layout)
{
    acre_lock_take(&acre_serve.lock);
    struct apart apart = hardened_find(ptr, layout);
    if (apart.status == ACRE_OK && apart.damage == 0)
        hardened_release(ptr);
    acre_lock_release(&acre_serve.lock);
    stop_unless_sound(call, ptr, layout, apart);
}

void acre_hardened_free(const char *call, void *ptr)
{
    hardened_free_as(call, ptr, NULL);
}

void acre_hardened_free_sized(const char *call, void *ptr, struct acre_layout layout)
{
    hardened_free_as(call, ptr, &layout);
}

/* ---- sizes ---- */

size_t acre_hardened_size(const char *call, const void *ptr)
{
    acre_lock_take(&acre_serve.lock);
    struct apart apart = hardened_find(ptr, NULL);
    acre_lock_release(&acre_serve.lock);
    stop_unless_sound(call, ptr, NULL, apart);
    return apart.size;
}

/* A large block that stays one, by moving its pages. Null: it has to be copied. */
static void *hardened_resize(const void *ptr, size_t size)
{
    acre_lock_take(&acre_serve.lock);
    const struct acre_large_block *block = acre_guarded_find(ptr);
    void *moved = block != NULL ? acre_guarded_resize(block, size) : NULL;
    acre_lock_release(&acre_serve.lock);
    return moved;
}

static void *hardened_move(const char *call, void *ptr, size_t usable, size_t size)
{
    struct acre_thread_heap *heap = acre_threads_heap();
    void *moved = acre_hardened_alloc(heap, acre_layout(size, ACRE_NATURAL_ALIGN));
    if (moved == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    memcpy(moved, ptr, usable < size ? usable : size);
    if (acre_threaded_dealloc(heap, ptr) != ACRE_OK)
        acre_hardened_free(call, ptr);
    return moved;
}

void *acre_hardened_realloc(const char *call, void *ptr, struct acre_layout layout)
{
    struct acre_thread_heap *heap = acre_threads_heap();
    acre_hardened_call = call;
    struct acre_num usable = acre_threaded_usable_size(&acre_threads.threaded, ptr);
    if (usable.status == ACRE_OK && !acre_guarded_is_large(layout)) {
        struct acre_ptr moved = acre_threaded_realloc(heap, ptr, layout);
        if (moved.status == ACRE_NOT_ALLOCATED)
            acre_threads_stop(call, ptr);
        if (moved.ptr == NULL)
            errno = ENOMEM;
        return moved.ptr;
    }
    if (usable.status != ACRE_OK)
        usable.num = acre_hardened_size(call, ptr);
    void *moved = hardened_resize(ptr, layout.size);
    return moved != NULL ? moved : hardened_move(call, ptr, usable.num, layout.size);
}
