/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* newlib and newlib-nano: the malloc family on TLSF. malloc, free and the others of the C library
 * call the functions below, under __malloc_lock. The linker script, or -Wl,--defsym, says where
 * the memory is: from __heap_start to __heap_end. docs/ports.md states what differs from newlib's
 * own. */
#include <acre/tlsf.h>
#include <errno.h>
#include <malloc.h>
#include <reent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Called, without the lock, when `ptr` is not the start of a live block; nothing has changed. */
#ifndef ACRE_PORT_MISUSE
#define ACRE_PORT_MISUSE(call, ptr) abort()
#endif

extern unsigned char __heap_start[], __heap_end[];

static struct acre_tlsf heap;
static bool has_memory;

static void lock_heap(struct _reent *reent)
{
    __malloc_lock(reent);
    if (!has_memory) /* a heap without memory refuses every request, and the next one tries again */
        has_memory = acre_tlsf_add_memory(&heap, __heap_start,
                         (uintptr_t)__heap_end - (uintptr_t)__heap_start) == ACRE_OK;
}

static void *finish(struct _reent *reent, struct acre_ptr got)
{
    __malloc_unlock(reent);
    if (got.status != ACRE_OK)
        __errno_r(reent) = got.status == ACRE_NO_MEMORY ? ENOMEM : EINVAL;
    return got.ptr;
}

void *_memalign_r(struct _reent *reent, size_t align, size_t size)
{
    lock_heap(reent);
    return finish(reent, acre_tlsf_alloc(&heap, acre_layout(size, align)));
}

void *_malloc_r(struct _reent *reent, size_t size)
{
    return _memalign_r(reent, ACRE_NATURAL_ALIGN, size);
}

void *_calloc_r(struct _reent *reent, size_t count, size_t size)
{
    size_t all = acre_layout_array(count, acre_layout(size, 1)).size; /* SIZE_MAX: overflow */
    void *ptr = _malloc_r(reent, all);
    return ptr != NULL ? memset(ptr, 0, all) : NULL;
}

void _free_r(struct _reent *reent, void *ptr)
{
    if (ptr == NULL)
        return;
    lock_heap(reent);
    enum acre_status status = acre_tlsf_dealloc(&heap, ptr);
    __malloc_unlock(reent);
    if (status != ACRE_OK)
        ACRE_PORT_MISUSE("free", ptr);
}

/* Size 0 frees the block, as in newlib-nano. */
void *_realloc_r(struct _reent *reent, void *ptr, size_t size)
{
    if (ptr == NULL)
        return _malloc_r(reent, size);
    if (size == 0) {
        _free_r(reent, ptr);
        return NULL;
    }
    lock_heap(reent);
    struct acre_ptr moved = acre_tlsf_realloc(&heap, ptr, acre_layout(size, ACRE_NATURAL_ALIGN));
    (void)finish(reent, moved);
    if (moved.status == ACRE_NOT_ALLOCATED)
        ACRE_PORT_MISUSE("realloc", ptr);
    return moved.ptr;
}

size_t _malloc_usable_size_r(struct _reent *reent, void *ptr)
{
    if (ptr == NULL)
        return 0;
    lock_heap(reent);
    struct acre_num usable = acre_tlsf_usable_size(&heap, ptr);
    __malloc_unlock(reent);
    if (usable.status != ACRE_OK)
        ACRE_PORT_MISUSE("malloc_usable_size", ptr);
    return usable.num;
}

static bool count_free_block(void *arg, void *start, size_t size, bool live)
{
    struct mallinfo *info = arg;
    (void)start;
    (void)size;
    info->ordblks += !live;
    return true;
}

struct mallinfo _mallinfo_r(struct _reent *reent)
{
    struct mallinfo info = { 0 };
    lock_heap(reent);
    struct acre_stats stats = acre_tlsf_stats(&heap);
    acre_tlsf_walk(&heap, count_free_block, &info);
    __malloc_unlock(reent);
    info.arena = stats.total;
    info.uordblks = stats.total - stats.available;
    info.fordblks = stats.available;
    return info;
}

/* The rest of what newlib's mallinfo is linked with. */
void _malloc_stats_r(struct _reent *reent)
{
    struct mallinfo info = _mallinfo_r(reent);
    (void)fprintf(stderr, "system bytes %lu, in use bytes %lu, free blocks %lu\n",
        (unsigned long)info.arena, (unsigned long)info.uordblks, (unsigned long)info.ordblks);
}

int _mallopt_r(struct _reent *reent, int parameter, int value)
{
    (void)reent;
    (void)parameter;
    (void)value;
    return 0; /* there is nothing to set */
}
