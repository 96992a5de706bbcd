/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <stdint.h>
#include <stdio.h>

extern uint32_t kernel_main(uintptr_t start, uintptr_t size);

static char memory[1 << 20];

int main(void)
{
    uint32_t sum = kernel_main((uintptr_t)memory, sizeof memory);
    printf("%u\n", (unsigned)sum);
    return sum == 500500 ? 0 : 1;
}
