/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "kernel/console.h"
#include "kernel/kernel.h"

#include <acre/heap.h>

static struct acre_heap_tlsf heap;

struct acre_pages kernel_pages(void)
{
    return acre_heap_pages(&heap.heap);
}

struct acre_bytes kernel_bytes(void)
{
    return acre_heap_bytes(&heap.heap);
}

_Noreturn void kernel_panic(const char *text, uintptr_t number)
{
    console_print("panic: %s: 0x%jx\n", text, (uintmax_t)number);
    machine_exit(1);
}

/* Gives the heap every range; one too small to be of use is left alone. */
static void make_heap(void)
{
    struct range ranges[KERNEL_RANGES];
    size_t count = machine_memory(ranges, KERNEL_RANGES);
    if (acre_heap_tlsf_setup(&heap, KERNEL_PAGE) != ACRE_OK)
        kernel_panic("no heap of pages of this size", KERNEL_PAGE);
    for (size_t i = 0; i < count; i++) {
        enum acre_status status =
            acre_heap_add_memory(&heap.heap, (void *)ranges[i].start, ranges[i].size);
        console_print("memory: %zu KiB at %p: %s\n", ranges[i].size / 1024, (void *)ranges[i].start,
            acre_status_text(status));
    }
    struct acre_stats stats = acre_pages_stats(kernel_pages());
    console_print("heap: %zu pages of %zu bytes, %zu KiB of metadata\n",
        acre_total_pages(kernel_pages()), acre_page_size(kernel_pages()), stats.metadata / 1024);
}

_Noreturn void kernel_main(void)
{
    make_heap();
    machine_exit(kernel_job(machine_argument()));
}
