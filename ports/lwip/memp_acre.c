/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* lwIP 2: its pools on the heap of mem_acre.c, in place of src/core/memp.c. No memory is set aside
 * for a pool, but none grows above its MEMP_NUM_. An element freed to a pool of another size is
 * refused. Set MEMP_MEM_MALLOC to 1. docs/ports.md states what differs from memp.c. */
#include "lwip/memp.h"
#include "lwip/opt.h"
#include "lwip/sys.h"

#include "mem_acre.h"

/* What lwip/priv/memp_std.h takes the sizes of. */
#include "lwip/altcp.h"
#include "lwip/api.h"
#include "lwip/dns.h"
#include "lwip/etharp.h"
#include "lwip/igmp.h"
#include "lwip/ip4_frag.h"
#include "lwip/ip6_frag.h"
#include "lwip/mld6.h"
#include "lwip/netbuf.h"
#include "lwip/netdb.h"
#include "lwip/pbuf.h"
#include "lwip/priv/api_msg.h"
#include "lwip/priv/nd6_priv.h"
#include "lwip/priv/sockets_priv.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/priv/tcpip_priv.h"
#include "lwip/raw.h"
#include "lwip/tcp.h"
#include "lwip/timeouts.h"
#include "lwip/udp.h"
#include "netif/ppp/ppp_opts.h"

#if !MEMP_MEM_MALLOC || MEMP_OVERFLOW_CHECK || MEMP_STATS
#error "memp_acre.c needs MEMP_MEM_MALLOC 1, MEMP_OVERFLOW_CHECK 0 and MEMP_STATS 0"
#endif

#define LWIP_MEMPOOL(name, num, size, desc) LWIP_MEMPOOL_DECLARE(name, num, size, desc)
#include "lwip/priv/memp_std.h"

const struct memp_desc *const memp_pools[MEMP_MAX] = {
#define LWIP_MEMPOOL(name, num, size, desc) &memp_##name,
#include "lwip/priv/memp_std.h"
};

static const u16_t limits[MEMP_MAX] = {
#define LWIP_MEMPOOL(name, num, size, desc) (num),
#include "lwip/priv/memp_std.h"
};

static u16_t live[MEMP_MAX]; /* elements */

void memp_init_pool(const struct memp_desc *desc)
{
    LWIP_UNUSED_ARG(desc);
}

void memp_init(void)
{
    for (size_t i = 0; i < MEMP_MAX; i++)
        live[i] = 0;
}

static struct acre_layout layout_of(const struct memp_desc *desc)
{
    return acre_layout(desc->size, MEM_ALIGNMENT);
}

void *memp_malloc_pool(const struct memp_desc *desc)
{
    SYS_ARCH_DECL_PROTECT(level);
    SYS_ARCH_PROTECT(level);
    void *ptr = acre_tlsf_alloc(&mem_acre_heap, layout_of(desc)).ptr;
    SYS_ARCH_UNPROTECT(level);
    return ptr;
}

void *memp_malloc(memp_t type)
{
    void *ptr = NULL;
    LWIP_ERROR("memp_malloc: type < MEMP_MAX", type < MEMP_MAX, return NULL;);
    SYS_ARCH_DECL_PROTECT(level);
    SYS_ARCH_PROTECT(level);
    if (live[type] < limits[type])
        ptr = acre_tlsf_alloc(&mem_acre_heap, layout_of(memp_pools[type])).ptr;
    if (ptr != NULL)
        live[type]++;
    SYS_ARCH_UNPROTECT(level);
    return ptr;
}

void memp_free_pool(const struct memp_desc *desc, void *mem)
{
    if (mem == NULL)
        return;
    SYS_ARCH_DECL_PROTECT(level);
    SYS_ARCH_PROTECT(level);
    enum acre_status status = acre_tlsf_dealloc_sized(&mem_acre_heap, mem, layout_of(desc));
    SYS_ARCH_UNPROTECT(level);
    LWIP_ASSERT("memp_free_pool: not a live element of this size", status == ACRE_OK);
    LWIP_UNUSED_ARG(status);
}

void memp_free(memp_t type, void *mem)
{
    enum acre_status status = ACRE_NOT_ALLOCATED;
    LWIP_ERROR("memp_free: type < MEMP_MAX", type < MEMP_MAX, return;);
    if (mem == NULL)
        return;
    SYS_ARCH_DECL_PROTECT(level);
    SYS_ARCH_PROTECT(level);
    if (live[type] > 0)
        status = acre_tlsf_dealloc_sized(&mem_acre_heap, mem, layout_of(memp_pools[type]));
    if (status == ACRE_OK)
        live[type]--;
    SYS_ARCH_UNPROTECT(level);
    LWIP_ASSERT("memp_free: not a live element of this pool", status == ACRE_OK);
}
