/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* ports/lwip, compiled with lwIP's own headers. */
#include "lwip/mem.h"
#include "lwip/memp.h"
#include "lwip/pbuf.h"
#include "lwip/stats.h"
#include "lwip/sys.h"
#include "lwip/tcp.h"
#include "lwip/udp.h"

#include <acre/tlsf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "lwip/mem_acre.h"

enum { SMALL = 100 };

struct stats_ lwip_stats;
LWIP_MEMPOOL_DECLARE(PRIVATE, 2, 48, "private")

static size_t depth, failed_assertions;

sys_prot_t sys_arch_protect(void)
{
    depth++;
    return (sys_prot_t)depth;
}

void sys_arch_unprotect(sys_prot_t pval)
{
    assert_int_equal(pval, depth);
    depth--;
}

void stand_in_assert(const char *message)
{
    assert_non_null(message);
    assert_int_equal(depth, 0);
    failed_assertions++;
}

static int set_up(void **state)
{
    (void)state;
    memset(&lwip_stats, 0, sizeof lwip_stats);
    failed_assertions = 0;
    mem_init();
    memp_init();
    LWIP_MEMPOOL_INIT(PRIVATE);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(depth, 0);
    assert_null(acre_tlsf_check(&mem_acre_heap).invariant);
    assert_int_equal(acre_tlsf_stats(&mem_acre_heap).live_blocks, 0);
    return 0;
}

static void blocks_are_accounted(void **state)
{
    (void)state;
    assert_in_range(lwip_stats.mem.avail, MEM_SIZE - 1024, MEM_SIZE);
    assert_int_equal(lwip_stats.mem.used, 0);
    unsigned char *first = mem_malloc(SMALL);
    unsigned char *second = mem_malloc(SMALL);
    assert_non_null(first);
    assert_non_null(second);
    assert_int_equal((uintptr_t)first % MEM_ALIGNMENT, 0);
    assert_true(first + SMALL <= second || second + SMALL <= first);
    assert_true(lwip_stats.mem.used >= 2 * SMALL);
    mem_size_t most = lwip_stats.mem.used;
    mem_free(first);
    mem_free(second);
    mem_free(NULL);
    assert_int_equal(lwip_stats.mem.used, 0);
    assert_int_equal(lwip_stats.mem.max, most);
    assert_int_equal(lwip_stats.mem.err, 0);
    assert_int_equal(failed_assertions, 0);
}

static void exhaustion_returns_null_and_changes_nothing(void **state)
{
    static void *taken[MEM_SIZE / 512];
    size_t count = 0;
    (void)state;
    while ((taken[count] = mem_malloc(512)) != NULL)
        count++;
    assert_true(count > 20);
    struct stats_mem full = lwip_stats.mem;
    assert_int_equal(full.err, 1);
    assert_null(mem_malloc(512));
    assert_null(mem_malloc((mem_size_t)-1));
    assert_int_equal(lwip_stats.mem.err, 3);
    assert_null(mem_malloc(0));
    assert_int_equal(lwip_stats.mem.err, 3);
    assert_int_equal(lwip_stats.mem.used, full.used);
    while (count > 0)
        mem_free(taken[--count]);
    assert_int_equal(lwip_stats.mem.used, 0);
    assert_int_equal(failed_assertions, 0);
}

static void calloc_clears_and_refuses_overflow(void **state)
{
    static const unsigned char zeros[10 * SMALL];
    (void)state;
    void *dirty = mem_malloc(sizeof zeros);
    memset(dirty, 0xa5, sizeof zeros);
    mem_free(dirty);
    mem_size_t half = (mem_size_t)((mem_size_t)-1 / 2 + 2);
    assert_null(mem_calloc(half, 2));
    assert_null(mem_calloc(2, half));
    assert_null(mem_calloc(0, 2));
    assert_int_equal(lwip_stats.mem.used, 0);
    void *clear = mem_calloc(10, SMALL);
    assert_non_null(clear);
    assert_memory_equal(clear, zeros, sizeof zeros);
    mem_free(clear);
}

static void trim_stays_in_place(void **state)
{
    (void)state;
    unsigned char *ptr = mem_malloc(1000);
    unsigned char *fence = mem_malloc(SMALL);
    memset(ptr, 0x5a, 1000);
    mem_size_t before = lwip_stats.mem.used;
    assert_ptr_equal(mem_trim(ptr, SMALL), ptr);
    assert_true(lwip_stats.mem.used <= before - 800);
    assert_int_equal(ptr[SMALL - 1], 0x5a);
    assert_null(mem_trim(ptr, 4000));
    mem_free(fence);
    mem_free(ptr);
    assert_int_equal(failed_assertions, 0);
}

static void wrong_pointers_fail_the_assertion(void **state)
{
    int outside = 0;
    (void)state;
    if (!ACRE_CHECK_POINTERS)
        skip();
    unsigned char *ptr = mem_malloc(SMALL);
    unsigned char *freed = mem_malloc(SMALL);
    mem_free(freed);
    mem_size_t before = lwip_stats.mem.used;
    mem_free(freed);
    mem_free(ptr + 16);
    mem_free(&outside);
    assert_ptr_equal(mem_trim(freed, 10), freed);
    assert_int_equal(failed_assertions, 4);
    assert_int_equal(lwip_stats.mem.illegal, 4);
    assert_int_equal(lwip_stats.mem.used, before);
    mem_free(ptr);
}

static void pools_end_at_their_number(void **state)
{
    struct udp_pcb *pcbs[MEMP_NUM_UDP_PCB];
    (void)state;
    for (size_t i = 0; i < MEMP_NUM_UDP_PCB; i++) {
        pcbs[i] = memp_malloc(MEMP_UDP_PCB);
        assert_non_null(pcbs[i]);
        memset(pcbs[i], 0xff, sizeof *pcbs[i]);
    }
    assert_null(memp_malloc(MEMP_UDP_PCB));
    void *other = memp_malloc(MEMP_TCP_PCB);
    assert_non_null(other);
    memp_free(MEMP_TCP_PCB, other);
    memp_free(MEMP_UDP_PCB, pcbs[1]);
    pcbs[1] = memp_malloc(MEMP_UDP_PCB);
    assert_non_null(pcbs[1]);
    assert_null(memp_malloc(MEMP_UDP_PCB));
    for (size_t i = 0; i < MEMP_NUM_UDP_PCB; i++)
        memp_free(MEMP_UDP_PCB, pcbs[i]);
    memp_free(MEMP_UDP_PCB, NULL);
    assert_int_equal(failed_assertions, 0);
}

static void pools_without_memory_return_null(void **state)
{
    static void *taken[MEM_SIZE / 16];
    size_t count = 0;
    (void)state;
    for (mem_size_t size = 4096; size >= 8; size /= 2) {
        while ((taken[count] = mem_malloc(size)) != NULL)
            count++;
    }
    assert_null(memp_malloc(MEMP_UDP_PCB));
    assert_null(LWIP_MEMPOOL_ALLOC(PRIVATE));
    while (count > 0)
        mem_free(taken[--count]);
    void *ptr = memp_malloc(MEMP_UDP_PCB);
    assert_non_null(ptr);
    memp_free(MEMP_UDP_PCB, ptr);
}

static void elements_go_back_to_their_pool_only(void **state)
{
    (void)state;
    if (!ACRE_CHECK_POINTERS)
        skip();
    unsigned char *udp = memp_malloc(MEMP_UDP_PCB);
    unsigned char *tcp = memp_malloc(MEMP_TCP_PCB);
    memp_free(MEMP_TCP_PCB, udp);
    memp_free(MEMP_UDP_PCB, tcp);
    memp_free(MEMP_RAW_PCB, udp); /* a pool without a live element */
    memp_free(MEMP_TCP_PCB, tcp + 16);
    memp_free_pool(memp_pools[MEMP_TCP_PCB], udp);
    assert_int_equal(failed_assertions, 5);
    memp_free(MEMP_UDP_PCB, udp);
    memp_free(MEMP_TCP_PCB, tcp);
    assert_int_equal(failed_assertions, 5);
    memp_free(MEMP_UDP_PCB, udp);
    assert_int_equal(failed_assertions, 6);
}

static void private_pools_work(void **state)
{
    (void)state;
    void *first = LWIP_MEMPOOL_ALLOC(PRIVATE);
    void *second = LWIP_MEMPOOL_ALLOC(PRIVATE);
    assert_non_null(first);
    assert_non_null(second);
    assert_ptr_not_equal(first, second);
    LWIP_MEMPOOL_FREE(PRIVATE, second);
    LWIP_MEMPOOL_FREE(PRIVATE, first);
    LWIP_MEMPOOL_FREE(PRIVATE, NULL);
    assert_int_equal(failed_assertions, 0);
    if (ACRE_CHECK_POINTERS) {
        LWIP_MEMPOOL_FREE(PRIVATE, first);
        assert_int_equal(failed_assertions, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(blocks_are_accounted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            exhaustion_returns_null_and_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(calloc_clears_and_refuses_overflow, set_up, tear_down),
        cmocka_unit_test_setup_teardown(trim_stays_in_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_pointers_fail_the_assertion, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pools_end_at_their_number, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pools_without_memory_return_null, set_up, tear_down),
        cmocka_unit_test_setup_teardown(elements_go_back_to_their_pool_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(private_pools_work, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
