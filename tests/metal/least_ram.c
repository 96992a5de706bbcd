/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The least memory, structure included, in which an allocator (ALLOCATOR: tlsf, buddy, slab or
 * heap) serves a mix of requests on a small machine, and the instructions of alloc and dealloc
 * there. scripts/least-ram builds and boots it.
 *
 * A mix: STEPS requests of 1 to 600 bytes, evenly distributed; before each one, blocks chosen at
 * random are freed until the sizes of all live ones, the new one included, stay within a bound.
 */
#include "kernel/console.h"
#include "kernel/kernel.h"
#include "support/rng.h"

#include <acre/buddy.h>
#include <acre/slab.h>
#include <acre/tlsf.h>

#include <string.h>

#ifdef PAGE
#include "metal/least_ram_heap.h"
#endif
#ifndef STRUCTURE
#define STRUCTURE sizeof(allocator)
#endif

#define PASTE(name, verb) acre_##name##_##verb
#define EXPAND(name, verb) PASTE(name, verb)
#define CALL(verb) EXPAND(ALLOCATOR, verb)
#define STRUCT_OF(name) struct acre_##name
#define STRUCT(name) STRUCT_OF(name)
typedef STRUCT(ALLOCATOR) allocator;

enum { STEPS = 8000, LARGEST = 600, BLOCKS = 1024, POOL = 65536, STEP = 8 };

/* The system timer of Cortex-M: 24 bits, counting down at 25 MHz. One instruction takes 1,024 ns,
 * by the emulator's -icount shift=10: 128 ticks for 5 instructions. */
static volatile uint32_t *const systick = (volatile uint32_t *)0xe000e010;
enum { CONTROL, RELOAD, CURRENT, TICKS_MASK = 0xffffff };

static _Alignas(max_align_t) unsigned char pool[POOL];
static struct {
    unsigned char *at;
    uint32_t size;
} blocks[BLOCKS];
static uint32_t live_blocks, live_bytes;

struct cost {
    uint32_t calls, sum, most;
};
static struct cost alloc_cost, free_cost;
static uint32_t idle; /* ticks between two readings */

_Noreturn void kernel_panic(const char *text, uintptr_t number)
{
    console_print("panic: %s: 0x%jx\n", text, (uintmax_t)number);
    machine_exit(1);
}

static void add_cost(struct cost *cost, uint32_t before)
{
    uint32_t ticks = ((before - systick[CURRENT]) & TICKS_MASK) - idle;
    uint32_t instructions = (ticks * 5 + 64) / 128;
    cost->calls++;
    cost->sum += instructions;
    cost->most = instructions > cost->most ? instructions : cost->most;
}

static void start_timer(void)
{
    systick[RELOAD] = TICKS_MASK;
    systick[CONTROL] = 5;
    uint32_t before = systick[CURRENT];
    idle = (before - systick[CURRENT]) & TICKS_MASK;
}

static void free_one(allocator *self, uint32_t index)
{
    unsigned char *at = blocks[index].at;
    if (*at != (unsigned char)blocks[index].size)
        kernel_panic("a block was overwritten", (uintptr_t)at);
    uint32_t before = systick[CURRENT];
    enum acre_status status = CALL(dealloc)(self, at);
    add_cost(&free_cost, before);
    if (status != ACRE_OK || CALL(dealloc)(self, at) != ACRE_NOT_ALLOCATED)
        kernel_panic("a free went wrong", (uintptr_t)at);
    live_bytes -= blocks[index].size;
    blocks[index] = blocks[--live_blocks];
}

static bool alloc_one(allocator *self, uint32_t size)
{
    uint32_t before = systick[CURRENT];
    unsigned char *at = CALL(alloc)(self, acre_layout(size, 1)).ptr;
    add_cost(&alloc_cost, before);
    if (at == NULL)
        return false;
    memset(at, (int)size, size);
    blocks[live_blocks].at = at;
    blocks[live_blocks++].size = size;
    live_bytes += size;
    return true;
}

/* Whether a pool of so many bytes, structure included, serves the mix with so many live. */
static bool serves(uint32_t size, uint32_t most)
{
    struct rng rng = { 1 };
    struct acre_ptr made = CALL(create)(pool, size);
    live_blocks = live_bytes = 0;
    alloc_cost = free_cost = (struct cost){ 0, 0, 0 };
    if (made.ptr == NULL)
        return false;
    for (uint32_t step = 0; step < STEPS; step++) {
        uint32_t next = (uint32_t)rng_below(&rng, LARGEST) + 1;
        while (live_bytes + next > most)
            free_one(made.ptr, (uint32_t)rng_below(&rng, live_blocks));
        if (!alloc_one(made.ptr, next))
            return false;
        const char *broken = step % 16 == 0 ? CALL(check)(made.ptr).invariant : NULL;
        if (broken != NULL)
            kernel_panic(broken, step);
    }
    return true;
}

_Noreturn void kernel_main(void)
{
    start_timer();
    console_print("structure: %zu bytes\n", STRUCTURE);
    for (uint32_t most = 1024; most <= 12288; most = most == 1024 ? 4096 : most + 8192) {
        uint32_t size = most;
        while (size <= POOL && !serves(size, most))
            size += STEP;
        if (size > POOL)
            kernel_panic("no pool is large enough", most);
        console_print("live %u: %u bytes of RAM; alloc mean %u max %u, free mean %u max %u\n",
            (unsigned)most, (unsigned)size, (unsigned)(alloc_cost.sum / alloc_cost.calls),
            (unsigned)alloc_cost.most, (unsigned)(free_cost.sum / free_cost.calls),
            (unsigned)free_cost.most);
    }
    machine_exit(0);
}
