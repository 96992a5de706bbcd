/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The longest sections under the locks of a heap (tests/heap/sections.h) on Cortex-M4 and RV32IMC,
 * over OVER (tlsf, buddy or slab). scripts/wcet builds and boots it; the emulator counts each
 * instruction.
 */
#include "heap/sections.h"
#include "kernel/console.h"
#include "kernel/kernel.h"

#define PASTE(name) acre_heap_over_##name
#define EXPAND(name) PASTE(name)
#define STRUCT_OF(name) struct acre_heap_##name
#define STRUCT(name) STRUCT_OF(name)

static STRUCT(OVER) parts;
static uint32_t started;

_Noreturn void kernel_panic(const char *text, uintptr_t number)
{
    console_print("panic: %s: 0x%jx\n", text, (uintmax_t)number);
    machine_exit(1);
}

#if defined(__riscv)
static void prepare_counter(void)
{
}

static uint32_t read_counter(void)
{
    uint32_t count;
    __asm__ volatile("csrr %0, minstret" : "=r"(count)::"memory");
    return count;
}

static size_t between(uint32_t before, uint32_t after)
{
    return after - before;
}
#else
/* The system timer: 24 bits, counting down at 25 MHz. One instruction takes 1,024 ns, by the
 * emulator's -icount shift=10: 128 ticks for 5 instructions. */
static volatile uint32_t *const systick = (volatile uint32_t *)0xe000e010;
enum { CONTROL, RELOAD, CURRENT, TICKS_MASK = 0xffffff };

static void prepare_counter(void)
{
    systick[RELOAD] = TICKS_MASK;
    systick[CONTROL] = 5;
}

static uint32_t read_counter(void)
{
    return systick[CURRENT];
}

static size_t between(uint32_t before, uint32_t after)
{
    return (((before - after) & TICKS_MASK) * 5 + 64) / 128;
}
#endif

static void begin_section(void)
{
    started = read_counter();
}

static size_t end_section(void)
{
    return between(started, read_counter());
}

/* The range of RAM that has room for the heap, from a page on. */
static void *find_memory(void)
{
    struct range ranges[KERNEL_RANGES];
    size_t count = machine_memory(ranges, KERNEL_RANGES);
    for (size_t i = 0; i < count; i++) {
        uintptr_t skip = -ranges[i].start & (SECTIONS_PAGE - 1);
        if (ranges[i].size >= SECTIONS_MEMORY + skip)
            return (void *)(ranges[i].start + skip);
    }
    kernel_panic("no range of memory is large enough", SECTIONS_MEMORY);
}

_Noreturn void kernel_main(void)
{
    const struct sections_counter counter = { begin_section, end_section, SIZE_MAX };
    prepare_counter();
    struct sections found = sections_count(EXPAND(OVER)(&parts), find_memory(), &counter);
    if (found.failed != NULL)
        kernel_panic(found.failed, 0);
    for (unsigned i = 0; i < SECTIONS_VERBS; i++)
        console_print("%s: bytes %zu, pages %zu\n", sections_names[i],
            found.longest[SECTIONS_BYTES][i], found.longest[SECTIONS_PAGES][i]);
    machine_exit(0);
}
