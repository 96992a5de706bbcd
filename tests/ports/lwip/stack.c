/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Debian's lwIP, a shared library, whose heap and pools are those of ports/lwip: datagrams to the
 * own address of an interface. */
#include <lwip/ip_addr.h>
#include <lwip/mem.h>
#include <lwip/memp.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <lwip/tcpip.h>
#include <lwip/udp.h>

#include <acre/tlsf.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "lwip/mem_acre.h"

enum { DATAGRAMS = 50, PORT = 4000 };

static sem_t started, received;
static struct netif interface;
static size_t wrong, strays;

static void note_started(void *arg)
{
    sem_post(arg);
}

static bool is_ours(const void *ptr)
{
    return acre_tlsf_find(&mem_acre_heap, ptr).status == ACRE_OK;
}

static void note_datagram(
    void *arg, struct udp_pcb *pcb, struct pbuf *buffer, const ip_addr_t *from, u16_t port)
{
    char text[8] = "";
    (void)pcb;
    (void)from;
    (void)port;
    wrong += pbuf_copy_partial(buffer, text, sizeof text, 0) != 5 || memcmp(text, "hello", 5) != 0;
    wrong += !is_ours(buffer);
    pbuf_free(buffer);
    sem_post(arg);
}

/* Nothing leaves the machine. */
static err_t drop(struct netif *netif, struct pbuf *buffer, const ip4_addr_t *to)
{
    (void)netif;
    (void)buffer;
    (void)to;
    strays++;
    return ERR_IF;
}

static err_t set_up_interface(struct netif *netif)
{
    netif->name[0] = netif->name[1] = 'a';
    netif->mtu = 1500;
    netif->output = drop;
    return ERR_OK;
}

static void send_datagram(struct udp_pcb *pcb)
{
    struct pbuf *buffer = pbuf_alloc(PBUF_TRANSPORT, 5, PBUF_RAM);
    assert_non_null(buffer);
    assert_true(is_ours(buffer));
    assert_int_equal(pbuf_take(buffer, "hello", 5), ERR_OK);
    assert_int_equal(udp_send(pcb, buffer), ERR_OK);
    pbuf_free(buffer);
}

static void datagrams_travel_on_the_heap(void **state)
{
    static const ip4_addr_t mask = { PP_HTONL(LWIP_MAKEU32(255, 255, 255, 0)) };
    static const ip4_addr_t own = { PP_HTONL(LWIP_MAKEU32(10, 0, 0, 1)) };
    const ip_addr_t address = IPADDR4_INIT(own.addr);
    (void)state;
    LOCK_TCPIP_CORE();
    assert_non_null(netif_add(&interface, &own, &mask, &own, NULL, set_up_interface, tcpip_input));
    netif_set_link_up(&interface);
    netif_set_up(&interface);
    struct udp_pcb *receiver = udp_new();
    struct udp_pcb *sender = udp_new();
    assert_true(is_ours(receiver));
    assert_true(is_ours(sender));
    assert_int_equal(udp_bind(receiver, &address, PORT), ERR_OK);
    assert_int_equal(udp_connect(sender, &address, PORT), ERR_OK);
    udp_recv(receiver, note_datagram, &received);
    size_t before = acre_tlsf_stats(&mem_acre_heap).live_blocks;
    UNLOCK_TCPIP_CORE();
    for (size_t i = 0; i < DATAGRAMS; i++) {
        LOCK_TCPIP_CORE();
        send_datagram(sender);
        UNLOCK_TCPIP_CORE();
        sem_wait(&received);
    }
    LOCK_TCPIP_CORE();
    assert_int_equal(wrong, 0);
    assert_int_equal(strays, 0);
    assert_true(acre_tlsf_stats(&mem_acre_heap).live_blocks <= before + 1);
    udp_remove(receiver);
    udp_remove(sender);
    assert_false(is_ours(receiver));
    assert_null(acre_tlsf_check(&mem_acre_heap).invariant);
    UNLOCK_TCPIP_CORE();
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(datagrams_travel_on_the_heap) };
    sem_init(&started, 0, 0);
    sem_init(&received, 0, 0);
    tcpip_init(note_started, &started);
    sem_wait(&started);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
