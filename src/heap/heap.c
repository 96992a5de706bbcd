/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The heap's hot paths, alloc and dealloc, with locks and without, and the verbs that go to the
 * byte allocator as they are.
 */
#include "heap/heap_private.h"

/* ---- alloc ---- */

static ACRE_NOINLINE struct acre_ptr refused(
    struct acre_heap *heap, struct acre_layout layout, enum acre_status status)
{
    struct heap_request request = { NULL, layout, 0 };
    if (status != ACRE_NO_MEMORY)
        return (struct acre_ptr){ NULL, status };
    return acre_heap_serve(heap, &request);
}

static struct acre_ptr alloc_looking(void *self, struct acre_layout layout)
{
    struct acre_heap *heap = self;
    struct acre_ptr got = acre_alloc(heap->parts.bytes, layout);
    return got.ptr != NULL ? got : refused(heap, layout, got.status);
}

/* For a byte allocator that calls the heap for what it cannot serve. */
static struct acre_ptr alloc_passing(void *self, struct acre_layout layout)
{
    const struct acre_heap *heap = self;
    return acre_alloc(heap->parts.bytes, layout);
}

static struct acre_ptr alloc_locked(void *self, struct acre_layout layout)
{
    struct acre_heap *heap = self;
    acre_locker_lock(&heap->bytes_lock);
    struct acre_ptr got = acre_alloc(heap->parts.bytes, layout);
    acre_locker_unlock(&heap->bytes_lock);
    return got.ptr != NULL ? got : refused(heap, layout, got.status);
}

struct acre_ptr acre_heap_alloc_flags(
    struct acre_heap *heap, struct acre_layout layout, unsigned flags)
{
    struct heap_request request = { NULL, layout, flags };
    return acre_heap_request(heap, &request);
}

/* ---- dealloc ---- */

/* A free is counted; when a look is due, returns the chunks to be given back. */
static struct acre_heap_chunk *count_free(struct acre_heap *heap)
{
    if (heap->countdown > 1) {
        heap->countdown--;
        return NULL;
    }
    struct acre_heap_chunk *gone = acre_heap_look(heap);
    heap->countdown = heap_ticks(heap);
    return gone;
}

/* A free that is due for a look at the chunks, or under a lock. */
ACRE_NOINLINE enum acre_status acre_heap_dealloc_slowly(void *self, void *ptr)
{
    struct acre_heap *heap = self;
    struct acre_heap_chunk *gone = NULL;
    acre_locker_lock(&heap->bytes_lock);
    enum acre_status status = acre_dealloc(heap->parts.bytes, ptr);
    if (status == ACRE_OK)
        gone = count_free(heap);
    else if (heap->countdown == 0)
        heap->countdown = 1;
    acre_locker_unlock(&heap->bytes_lock);
    if (gone != NULL)
        acre_heap_give_chunks(heap, gone);
    return status;
}

static enum acre_status dealloc_counting(void *self, void *ptr)
{
    struct acre_heap *heap = self;
    if (ACRE_UNLIKELY(heap_is_look_due(heap)))
        return acre_heap_dealloc_slowly(heap, ptr);
    return acre_dealloc(heap->parts.bytes, ptr);
}

static enum acre_status dealloc_passing(void *self, void *ptr)
{
    const struct acre_heap *heap = self;
    return acre_dealloc(heap->parts.bytes, ptr);
}

/* What the byte allocator calls, so that a free that can empty no chunk passes by the heap. */
static void freed(void *self, size_t blocks)
{
    struct acre_heap *heap = self;
    heap->countdown = heap->countdown > blocks ? heap->countdown - (blocks - 1) : 1;
    struct acre_heap_chunk *gone = count_free(heap);
    if (gone != NULL)
        acre_heap_give_chunks(heap, gone);
}

enum acre_status acre_heap_dealloc_sized(
    struct acre_heap *heap, void *ptr, struct acre_layout layout)
{
    struct acre_heap_chunk *gone = NULL;
    acre_locker_lock(&heap->bytes_lock);
    enum acre_status status = acre_dealloc_sized(heap->parts.bytes, ptr, layout);
    if (status == ACRE_OK)
        gone = count_free(heap);
    acre_locker_unlock(&heap->bytes_lock);
    if (gone != NULL)
        acre_heap_give_chunks(heap, gone);
    return status;
}

/* ---- the other verbs on a block ---- */

enum acre_status acre_heap_resize(struct acre_heap *heap, void *ptr, size_t size)
{
    acre_locker_lock(&heap->bytes_lock);
    enum acre_status status = acre_resize(heap->parts.bytes, ptr, size);
    heap->failed += status == ACRE_NO_MEMORY;
    acre_locker_unlock(&heap->bytes_lock);
    return status;
}

struct acre_ptr acre_heap_realloc(struct acre_heap *heap, void *ptr, struct acre_layout layout)
{
    struct heap_request request = { ptr, layout, 0 };
    if (ptr == NULL)
        return (struct acre_ptr){ NULL, ACRE_NOT_ALLOCATED };
    return acre_heap_request(heap, &request);
}

struct acre_num acre_heap_usable_size(const struct acre_heap *heap, const void *ptr)
{
    acre_locker_lock(&heap->bytes_lock);
    struct acre_num usable = acre_usable_size(heap->parts.bytes, ptr);
    acre_locker_unlock(&heap->bytes_lock);
    return usable;
}

struct acre_block acre_heap_find(const struct acre_heap *heap, const void *ptr)
{
    acre_locker_lock(&heap->bytes_lock);
    struct acre_block block = acre_find(heap->parts.bytes, ptr);
    acre_locker_unlock(&heap->bytes_lock);
    return block;
}

void acre_heap_walk(const struct acre_heap *heap, acre_walk_fn *visit, void *arg)
{
    acre_locker_lock(&heap->bytes_lock);
    acre_walk(heap->parts.bytes, visit, arg);
    acre_locker_unlock(&heap->bytes_lock);
}

/* ---- which of them ---- */

/* The heap's own hot paths. */
static void bind_here(struct acre_heap *heap, bool locked)
{
    const struct acre_heap_parts *parts = &heap->parts;
    heap->alloc_here = parts->alloc != NULL ? parts->alloc : alloc_passing;
    if (parts->set_on_exhausted == NULL)
        heap->alloc_here = alloc_looking;
    heap->dealloc_here = parts->set_on_released != NULL ? dealloc_passing : dealloc_counting;
    if (parts->dealloc != NULL)
        heap->dealloc_here = parts->dealloc;
    if (!locked)
        return;
    heap->alloc_here = alloc_locked;
    heap->dealloc_here = acre_heap_dealloc_slowly;
}

/* Those that a caller takes who has the heap itself. */
static void bind_direct(struct acre_heap *heap, bool locked)
{
    struct acre_bytes bytes = heap->parts.bytes;
    bool alloc_passes = !locked && heap->parts.set_on_exhausted != NULL;
    bool dealloc_passes = !locked && heap->parts.set_on_released != NULL;
    heap->alloc = alloc_passes ? bytes.ops->alloc : heap->alloc_here;
    heap->alloc_self = alloc_passes ? bytes.self : heap;
    heap->dealloc = dealloc_passes ? bytes.ops->dealloc : heap->dealloc_here;
    heap->dealloc_self = dealloc_passes ? bytes.self : heap;
}

void acre_heap_bind(struct acre_heap *heap)
{
    bool locked = heap->bytes_lock.lock != NULL;
    bind_here(heap, locked);
    bind_direct(heap, locked);
    if (heap->parts.set_on_released != NULL)
        heap->parts.set_on_released(heap->parts.bytes.self, locked ? NULL : freed, heap);
    if (heap->parts.set_on_exhausted != NULL)
        heap->parts.set_on_exhausted(
            heap->parts.bytes.self, locked ? NULL : acre_heap_make_room, heap);
    heap->countdown = ACRE_HEAP_TICK;
}
