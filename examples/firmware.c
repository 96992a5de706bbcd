/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Firmware with two banks of RAM: one TLSF heap over both, a bound on every call, and a check of
 * the whole heap that a watchdog task can run. No function here needs a C library.
 */
#include <acre/tlsf.h>

/* What the linker script reserves; on a board: __attribute__((section(".ccmram"))) and the like. */
static _Alignas(max_align_t) unsigned char sram[48 * 1024];
static _Alignas(max_align_t) unsigned char ccm[16 * 1024];
static struct acre_tlsf heap; /* zeroed: an empty allocator */

struct packet {
    struct packet *next;
    unsigned char bytes[120];
};

static int heap_start(void)
{
    return acre_tlsf_init(&heap, sram, sizeof sram) == ACRE_OK &&
           acre_tlsf_add_memory(&heap, ccm, sizeof ccm) == ACRE_OK;
}

/* Takes packets until memory is out, and gives all back. Returns how many there were. */
static unsigned exhaust(void)
{
    struct acre_bytes bytes = acre_tlsf_bytes(&heap);
    struct packet *list = NULL;
    unsigned count = 0;
    for (struct packet *packet; (packet = ACRE_NEW(bytes, struct packet)) != NULL; count++) {
        packet->next = list;
        list = packet;
    }
    while (list != NULL) {
        struct packet *next = list->next;
        if (acre_tlsf_dealloc(&heap, list) != ACRE_OK)
            return 0;
        list = next;
    }
    return count;
}

/* What the watchdog asks: no invariant broken, nothing leaked, at least this much left in one
 * piece. */
static int is_healthy(size_t least)
{
    struct acre_stats stats = acre_tlsf_stats(&heap);
    return acre_tlsf_check(&heap).invariant == NULL && stats.used == 0 &&
           stats.largest_free >= least;
}

int main(void)
{
    if (!heap_start() || exhaust() < 400 || !is_healthy((size_t)32 * 1024))
        return 1;
    /* A pointer into the middle of nothing is refused, and changes nothing. */
    return acre_tlsf_dealloc(&heap, sram + 100) == ACRE_NOT_ALLOCATED ? 0 : 1;
}
