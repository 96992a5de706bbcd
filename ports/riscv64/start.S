/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Where the machine begins, in M mode: a0 is the number of the hart, a1 the device tree. */
    .section .text.start, "ax"
    .globl start
start:
    bnez a0, park               /* one hart is enough */
    .option push
    .option norelax             /* gp cannot be reached through itself */
    la gp, __global_pointer$
    .option pop
    la sp, stack_top
    la t0, trap
    csrw mtvec, t0
    la t0, bss_start
    la t1, bss_end
clear:
    bgeu t0, t1, cleared
    sw zero, (t0)
    addi t0, t0, 4
    j clear
cleared:
    mv a0, a1
    call machine_start
park:
    wfi
    j park

    .balign 4
/* No trap is expected: whoever comes here has done something wrong. The stack may be the reason. */
trap:
    la sp, stack_top
    csrr a0, mcause
    csrr a1, mepc
    csrr a2, mtval
    call machine_trap
    j park
