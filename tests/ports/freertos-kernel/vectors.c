/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What a Cortex-M reads at reset, and the three exceptions that the FreeRTOS kernel handles. */
extern char __stack[];
void _start(void);
void vPortSVCHandler(void);
void xPortPendSVHandler(void);
void xPortSysTickHandler(void);
void board_fault(void);

union vector {
    void *stack;
    void (*handler)(void);
};

__attribute__((section(".vectors"), used)) static const union vector vectors[16] = {
    [0] = { .stack = __stack },
    [1] = { .handler = _start },
    [2] = { .handler = board_fault },
    [3] = { .handler = board_fault },
    [4] = { .handler = board_fault },
    [5] = { .handler = board_fault },
    [6] = { .handler = board_fault },
    [11] = { .handler = vPortSVCHandler },
    [14] = { .handler = xPortPendSVHandler },
    [15] = { .handler = xPortSysTickHandler },
};
