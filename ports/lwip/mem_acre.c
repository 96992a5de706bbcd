/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* lwIP 2: its heap of MEM_SIZE bytes on TLSF, in place of src/core/mem.c. docs/ports.md states what
 * differs from it. */
#include "lwip/def.h"
#include "lwip/mem.h"
#include "lwip/opt.h"
#include "lwip/stats.h"
#include "lwip/sys.h"

#include "mem_acre.h"

#include <string.h>

#ifndef LWIP_RAM_HEAP_POINTER
static LWIP_DECLARE_MEMORY_ALIGNED(ram_heap, MEM_SIZE);
#define LWIP_RAM_HEAP_POINTER ram_heap
#endif
#ifndef LWIP_MEM_ILLEGAL_FREE
#define LWIP_MEM_ILLEGAL_FREE(msg) LWIP_ASSERT(msg, 0)
#endif

struct acre_tlsf mem_acre_heap;

/* MEM_STATS_AVAIL sets any of the fields. */
static void update_stats(void)
{
#if MEM_STATS
    struct acre_stats stats = acre_tlsf_stats(&mem_acre_heap);
    MEM_STATS_AVAIL(avail, (mem_size_t)(stats.total - stats.metadata));
    MEM_STATS_AVAIL(used, (mem_size_t)stats.used);
    MEM_STATS_AVAIL(max, (mem_size_t)stats.peak);
#endif
}

void mem_init(void)
{
    enum acre_status status = acre_tlsf_init(&mem_acre_heap, LWIP_RAM_HEAP_POINTER, MEM_SIZE);
    LWIP_ASSERT("mem_init: MEM_SIZE is too small", status == ACRE_OK);
    LWIP_UNUSED_ARG(status);
    update_stats();
}

void *mem_malloc(mem_size_t size)
{
    void *ptr = NULL;
    SYS_ARCH_DECL_PROTECT(level);
    SYS_ARCH_PROTECT(level);
    if (size > 0) {
        ptr = acre_tlsf_alloc(&mem_acre_heap, acre_layout(size, MEM_ALIGNMENT)).ptr;
        if (ptr == NULL) {
            MEM_STATS_INC(err);
        }
        update_stats();
    }
    SYS_ARCH_UNPROTECT(level);
    return ptr;
}

void *mem_calloc(mem_size_t count, mem_size_t size)
{
    size_t all = acre_layout_array(count, acre_layout(size, 1)).size; /* SIZE_MAX: overflow */
    void *ptr = all == (mem_size_t)all ? mem_malloc((mem_size_t)all) : NULL;
    return ptr != NULL ? memset(ptr, 0, all) : NULL;
}

/* A pointer that is not the start of a live block fails an assertion, and nothing has changed. */
static void report(enum acre_status status, const char *message)
{
    if (status != ACRE_NOT_ALLOCATED)
        return;
    SYS_ARCH_DECL_PROTECT(level);
    SYS_ARCH_PROTECT(level);
    MEM_STATS_INC(illegal);
    SYS_ARCH_UNPROTECT(level);
    LWIP_MEM_ILLEGAL_FREE(message);
    LWIP_UNUSED_ARG(message);
}

void mem_free(void *mem)
{
    if (mem == NULL)
        return;
    SYS_ARCH_DECL_PROTECT(level);
    SYS_ARCH_PROTECT(level);
    enum acre_status status = acre_tlsf_dealloc(&mem_acre_heap, mem);
    update_stats();
    SYS_ARCH_UNPROTECT(level);
    report(status, "mem_free: not a live block");
}

/* The block stays where it is. Null: it cannot grow to this size; it is as it was. */
void *mem_trim(void *mem, mem_size_t size)
{
    SYS_ARCH_DECL_PROTECT(level);
    SYS_ARCH_PROTECT(level);
    enum acre_status status = acre_tlsf_resize(&mem_acre_heap, mem, size);
    update_stats();
    SYS_ARCH_UNPROTECT(level);
    report(status, "mem_trim: not a live block");
    return status != ACRE_NO_MEMORY ? mem : NULL;
}
