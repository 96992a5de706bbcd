/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What a Cortex-M reads at reset, for newlib, which leaves that to the board. */
extern char __stack[];
void _start(void);

union vector {
    void *stack;
    void (*handler)(void);
};

__attribute__((section(".vectors"), used)) static const union vector vectors[] = {
    { .stack = __stack },
    { .handler = _start },
};
