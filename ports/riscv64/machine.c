/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The machine "virt" of qemu-system-riscv64, in M mode. The device tree says what memory it has. */
#include "kernel/console.h"
#include "kernel/fdt.h"
#include "kernel/kernel.h"

enum { UART = 0x10000000, UART_LINE_STATUS = 5, UART_CAN_SEND = 1 << 5 }; /* a 16550 */
enum { FINISHER = 0x100000, FINISHER_FAIL = 0x3333, FINISHER_PASS = 0x5555 };
enum { TREE_MOST = 2 << 20 }; /* bytes; no device tree is larger */

extern unsigned char image_start[], image_end[];

_Noreturn void machine_start(const void *tree);
_Noreturn void machine_trap(uintptr_t cause, uintptr_t from, uintptr_t address);

static struct fdt fdt;

void machine_put(char byte)
{
    volatile unsigned char *uart = (volatile unsigned char *)UART;
    while ((uart[UART_LINE_STATUS] & UART_CAN_SEND) == 0) {
    }
    uart[0] = (unsigned char)byte;
}

_Noreturn void machine_exit(int status)
{
    volatile uint32_t *finisher = (volatile uint32_t *)FINISHER;
    *finisher = status == 0 ? FINISHER_PASS : FINISHER_FAIL | (uint32_t)(status & 0xff) << 16;
    for (;;) {
    }
}

_Noreturn void machine_trap(uintptr_t cause, uintptr_t from, uintptr_t address)
{
    console_print("trap: cause %zu at 0x%zx, address 0x%zx\n", cause, from, address);
    kernel_panic("trap", cause);
}

size_t machine_memory(struct range *ranges, size_t room)
{
    struct range image = { (uintptr_t)image_start, (size_t)(image_end - image_start) };
    struct range tree = { (uintptr_t)fdt.bytes, fdt.size };
    size_t count = fdt_memory(&fdt, ranges, room);
    count = ranges_remove(ranges, count, room, image);
    return ranges_remove(ranges, count, room, tree);
}

const char *machine_argument(void)
{
    return fdt_bootargs(&fdt);
}

_Noreturn void machine_start(const void *tree)
{
    if (!fdt_open(&fdt, tree, TREE_MOST))
        kernel_panic("no device tree", (uintptr_t)tree);
    kernel_main();
}
