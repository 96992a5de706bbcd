/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * usage: fault ALLOCATOR FAULT
 *
 * Makes one mistake inside a pool, which a tool is to report; scripts/check-annotations runs it
 * under each. "none" is a program without a mistake, which no tool may complain about. "all" makes
 * one mistake after the other, for a tool that goes on after a report, and says on standard error
 * which one comes next.
 */
#include "acre.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Alignas(65536) unsigned char memory[1 << 20];
static struct acre_tlsf tlsf;
static struct acre_tlsf_quick quick;
static struct acre_buddy buddy;
static struct acre_slab slab;
static struct acre_heap_tlsf heap;
static struct acre_threaded_pool threaded;

static struct acre_bytes handle_of(const char *name)
{
    if (strcmp(name, "tlsf") == 0)
        return acre_tlsf_bytes(&tlsf);
    if (strcmp(name, "tlsf-quick") == 0)
        return acre_tlsf_quick_bytes(&quick);
    if (strcmp(name, "buddy") == 0)
        return acre_buddy_bytes(&buddy);
    if (strcmp(name, "slab") == 0)
        return acre_slab_bytes(&slab);
    if (strcmp(name, "threaded") == 0)
        return acre_threaded_pool_bytes(&threaded);
    return acre_heap_bytes(acre_heap_over_tlsf(&heap));
}

static unsigned char *block_of(struct acre_bytes bytes, size_t size)
{
    struct acre_ptr block = acre_alloc(bytes, acre_layout(size, 1));
    if (block.ptr == NULL)
        exit(2);
    return block.ptr;
}

/* A life without mistakes: blocks of many sizes, resized, moved and freed in turn. */
static void live_well(struct acre_bytes bytes)
{
    unsigned char *kept[64] = { NULL };
    for (unsigned round = 0; round < 2000; round++) {
        unsigned slot = round * 7 % 64;
        size_t size = 1 + round * 37 % 700;
        if (kept[slot] != NULL && round % 3 == 0) {
            struct acre_ptr moved = acre_realloc(bytes, kept[slot], acre_layout(size, 1));
            kept[slot] = moved.ptr != NULL ? moved.ptr : kept[slot];
            continue;
        }
        if (kept[slot] != NULL && acre_dealloc(bytes, kept[slot]) != ACRE_OK)
            exit(2);
        kept[slot] = block_of(bytes, size);
        memset(kept[slot], (int)round, size);
    }
    if (acre_bytes_check(bytes).invariant != NULL)
        exit(2);
    for (unsigned slot = 0; slot < 64; slot++)
        if (kept[slot] != NULL && acre_dealloc(bytes, kept[slot]) != ACRE_OK)
            exit(2);
    if (acre_bytes_stats(bytes).live_blocks != 2)
        exit(2);
}

/* One mistake, in a block that has another one behind it. */
static void make_mistake(struct acre_bytes bytes, const char *fault)
{
    unsigned char *block = block_of(bytes, 100);
    unsigned char *next = block_of(bytes, 100);
    memset(next, 1, 100);
    volatile unsigned char *bad = block;
    if (strcmp(fault, "use-after-free") == 0) {
        memset(block, 1, 100);
        if (acre_dealloc(bytes, block) != ACRE_OK)
            exit(2);
        if (bad[50] > 3)
            puts("more");
    } else if (strcmp(fault, "overflow") == 0) {
        bad[100] = 1;
    } else if (strcmp(fault, "undefined") == 0) {
        if (bad[50] > 3)
            puts("more");
    } else {
        live_well(bytes);
        memset(block, 1, 100);
        putchar(bad[99]);
    }
}

/* Says which mistake comes next. Not by the C library's buffers, which valgrind's reports would
 * overtake. */
static void announce(const char *fault)
{
    char line[80];
    int length = snprintf(line, sizeof line, "next: %s\n", fault);
    if (write(STDERR_FILENO, line, (size_t)length) != length)
        exit(2);
}

static void make_all_mistakes(struct acre_bytes bytes)
{
    static const char *const faults[] = { "none", "use-after-free", "overflow", "undefined" };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        announce(faults[i]);
        make_mistake(bytes, faults[i]);
    }
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    struct acre_bytes bytes = handle_of(argv[1]);
    if (acre_bytes_init(bytes, memory, sizeof memory) != ACRE_OK)
        return 2;
    if (strcmp(argv[2], "all") == 0)
        make_all_mistakes(bytes);
    else
        make_mistake(bytes, argv[2]);
    return 0;
}
