/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "kernel/console.h"
#include "kernel/kernel.h"

#include "kmalloc/kmalloc.h"

struct acre_pages kernel_pages(void)
{
    return acre_heap_pages(kmalloc_heap());
}

struct acre_bytes kernel_bytes(void)
{
    return acre_heap_bytes(kmalloc_heap());
}

_Noreturn void kernel_panic(const char *text, uintptr_t number)
{
    console_print("panic: %s: 0x%jx\n", text, (uintmax_t)number);
    machine_exit(1);
}

void kmalloc_misuse(const char *call, const void *ptr, enum acre_status status)
{
    console_print("%s: %s\n", call, acre_status_text(status));
    kernel_panic(call, (uintptr_t)ptr);
}

/* Gives the heap every range; one too small to be of use is left alone. */
static void make_heap(void)
{
    struct range ranges[KERNEL_RANGES];
    size_t count = machine_memory(ranges, KERNEL_RANGES);
    const struct acre_locker none = { NULL, NULL, NULL }; /* one processor, no interrupts */
    kmalloc_init(none, none);
    for (size_t i = 0; i < count; i++) {
        enum acre_status status = kmalloc_add_memory((void *)ranges[i].start, ranges[i].size);
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
