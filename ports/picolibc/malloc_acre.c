/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* picolibc: the malloc family on TLSF, under the lock of the C library. The linker script says
 * where the memory is, from __heap_start to __heap_end, as picolibc's own does. docs/ports.md
 * states what differs from picolibc's malloc. */
#include <acre/tlsf.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/lock.h>

/* Called, without the lock, when `ptr` is not the start of a live block; nothing has changed. */
#ifndef ACRE_PORT_MISUSE
#define ACRE_PORT_MISUSE(call, ptr) abort()
#endif

extern unsigned char __heap_start[], __heap_end[];

static struct acre_tlsf heap;
static bool has_memory;

static void lock_heap(void)
{
    __LIBC_LOCK();
    if (!has_memory) /* a heap without memory refuses every request, and the next one tries again */
        has_memory = acre_tlsf_add_memory(&heap, __heap_start,
                         (uintptr_t)__heap_end - (uintptr_t)__heap_start) == ACRE_OK;
}

static void *finish(struct acre_ptr got)
{
    __LIBC_UNLOCK();
    if (got.status != ACRE_OK)
        errno = got.status == ACRE_NO_MEMORY ? ENOMEM : EINVAL;
    return got.ptr;
}

void *memalign(size_t align, size_t size)
{
    lock_heap();
    return finish(acre_tlsf_alloc(&heap, acre_layout(size, align)));
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

void *malloc(size_t size)
{
    return memalign(ACRE_NATURAL_ALIGN, size);
}

void *calloc(size_t nmemb, size_t size)
{
    size_t all = acre_layout_array(nmemb, acre_layout(size, 1)).size; /* SIZE_MAX: overflow */
    void *ptr = memalign(ACRE_NATURAL_ALIGN, all); /* a call of malloc would become one of calloc */
    return ptr != NULL ? memset(ptr, 0, all) : NULL;
}

void free(void *ptr)
{
    if (ptr == NULL)
        return;
    lock_heap();
    enum acre_status status = acre_tlsf_dealloc(&heap, ptr);
    __LIBC_UNLOCK();
    if (status != ACRE_OK)
        ACRE_PORT_MISUSE("free", ptr);
}

/* Size 0 frees the block. */
void *realloc(void *ptr, size_t size)
{
    if (ptr == NULL)
        return malloc(size);
    if (size == 0) {
        free(ptr);
        return NULL;
    }
    lock_heap();
    struct acre_ptr moved = acre_tlsf_realloc(&heap, ptr, acre_layout(size, ACRE_NATURAL_ALIGN));
    (void)finish(moved);
    if (moved.status == ACRE_NOT_ALLOCATED)
        ACRE_PORT_MISUSE("realloc", ptr);
    return moved.ptr;
}

size_t malloc_usable_size(void *ptr)
{
    if (ptr == NULL)
        return 0;
    lock_heap();
    struct acre_num usable = acre_tlsf_usable_size(&heap, ptr);
    __LIBC_UNLOCK();
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

struct mallinfo mallinfo(void)
{
    struct mallinfo info = { 0 };
    lock_heap();
    struct acre_stats stats = acre_tlsf_stats(&heap);
    acre_tlsf_walk(&heap, count_free_block, &info);
    __LIBC_UNLOCK();
    info.arena = stats.total;
    info.uordblks = stats.total - stats.available;
    info.fordblks = stats.available;
    return info;
}
