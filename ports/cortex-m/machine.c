/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The board MPS2 with a Cortex-M4, "mps2-an386" of qemu-system-arm. Nobody says how much memory it
 * has: the board's manual says where RAM may be, probing says how much of it is there. */
#include "machine.h"
#include "kernel/console.h"
#include "kernel/kernel.h"
#include "probe.h"

enum { UART_DATA, UART_STATE, UART_CONTROL, UART_DIVISOR = 4 }; /* of CMSDK, in words */
enum { UART_FULL = 1 << 0, UART_SEND = 1 << 0 };
enum { SEMIHOST_COMMAND_LINE = 0x15, SEMIHOST_EXIT = 0x18 };
enum { EXIT_WELL = 0x20026, EXIT_BADLY = 0x20023 };

static const struct range windows[] = {
    { 0x20000000, 0x01000000 }, /* SRAM on the FPGA's bus */
    { 0x21000000, 0x03000000 }, /* PSRAM beside it */
};

static volatile uint32_t *const uart = (volatile uint32_t *)0x40004000;

extern uint32_t stack_top[], bss_start[], bss_end[], data_start[], data_end[], data_initial[];
extern unsigned char image_end[];

_Noreturn void machine_start(void);
void machine_fault(uint32_t *frame);
void fault(void);

volatile bool machine_probing;
volatile bool machine_faulted;

union vector {
    void (*handler)(void);
    uint32_t *stack;
};

/* Reset, NMI, and the faults; interrupts are never enabled. */
__attribute__((section(".vectors"), used)) static const union vector vectors[] = {
    { .stack = stack_top }, { machine_start }, { fault }, { fault }, { fault }, { fault }, { fault }
};

/* Passes the stack pointer: what the processor has stacked lies there. */
__attribute__((naked)) void fault(void)
{
    __asm__("mov r0, sp\n"
            "b machine_fault\n");
}

enum { FRAME_PC = 6 };

/* The instruction that a probe makes is two bytes long. */
void machine_fault(uint32_t *frame)
{
    if (!machine_probing)
        kernel_panic("fault", frame[FRAME_PC]);
    machine_faulted = true;
    frame[FRAME_PC] += 2;
}

void machine_put(char byte)
{
    while ((uart[UART_STATE] & UART_FULL) != 0) {
    }
    uart[UART_DATA] = (unsigned char)byte;
}

/* Asks whoever runs this machine: an emulator or a debugger. */
static uintptr_t semihost(uint32_t what, uintptr_t argument)
{
    register uintptr_t r0 __asm__("r0") = what;
    register uintptr_t r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

_Noreturn void machine_exit(int status)
{
    semihost(SEMIHOST_EXIT, status == 0 ? EXIT_WELL : EXIT_BADLY);
    for (;;) {
    }
}

/* The image takes the first part of the first window. */
size_t machine_memory(struct range *ranges, size_t room)
{
    struct range image = { windows[0].start,
        (size_t)(image_end - (unsigned char *)windows[0].start) };
    size_t count = 0;
    for (size_t i = 0; i < sizeof windows / sizeof windows[0] && count < room; i++)
        ranges[count++] = probe(windows[i], i == 0 ? image.size : 0);
    return ranges_remove(ranges, count, room, image);
}

/* What follows the first word, which is the program's name. */
const char *machine_argument(void)
{
    static char line[128];
    struct {
        char *text;
        size_t size;
    } ask = { line, sizeof line };
    if (semihost(SEMIHOST_COMMAND_LINE, (uintptr_t)&ask) != 0)
        return "";
    char *at = line;
    while (*at != '\0' && *at != ' ')
        at++;
    return *at == ' ' ? at + 1 : at;
}

_Noreturn void machine_start(void)
{
    for (uint32_t *to = data_start, *from = data_initial; to < data_end;)
        *to++ = *from++;
    for (uint32_t *to = bss_start; to < bss_end;)
        *to++ = 0;
    uart[UART_DIVISOR] = 16;
    uart[UART_CONTROL] = UART_SEND;
    kernel_main();
}
