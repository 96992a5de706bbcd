/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A kernel as small as one can be: it learns what memory there is, makes a heap of it, and does one
 * job. Three parties meet here: the machine (ports/riscv64, ports/cortex-m), the kernel, the job.
 */
#ifndef ACRE_PORTS_KERNEL_KERNEL_H
#define ACRE_PORTS_KERNEL_KERNEL_H

#include "kernel/ranges.h"

#include "kmalloc/kmalloc.h"

enum { KERNEL_RANGES = 16, KERNEL_PAGE = KMALLOC_PAGE /* bytes */ };

/* The machine: sends a byte over the serial line; waits while the line is busy. */
void machine_put(char byte);

/* The machine: ends the run. 0 says that all went well, anything else that it did not. */
_Noreturn void machine_exit(int status);

/* The machine: finds the memory that may be used, that is RAM without image, stack and tables.
 * Returns how many ranges it wrote, at most `room`. */
size_t machine_memory(struct range *ranges, size_t room);

/* The machine: what the one who started it wants, one line; empty when it says nothing. */
const char *machine_argument(void);

/* The kernel: to be called on a stack, with .data in place and .bss cleared. */
_Noreturn void kernel_main(void);

/* The kernel: prints a text and a number, and ends the run as failed. */
_Noreturn void kernel_panic(const char *text, uintptr_t number);

/* The kernel's heap, that of kmalloc: whole pages, and bytes made from them. */
struct acre_pages kernel_pages(void);
struct acre_bytes kernel_bytes(void);

/* The job: returns 0 when it went well. */
int kernel_job(const char *argument);

#endif
