/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "malloc/trace.h"

#include "base/arith.h"
#include "os/os.h"

#include <stdatomic.h>

/* Blocks start at multiples of UNIT. */
enum { LOG2 = 16, UNIT = 16, ENTRIES = 1 << LOG2 };

/* `block` is written last, and is 0 while the others change. */
struct freed {
    _Atomic uintptr_t block;
    _Atomic uintptr_t caller;
    _Atomic size_t thread;
};

static struct freed *table;

bool acre_trace_open(void)
{
    void *start;
    if (acre_os_map(NULL, acre_align_up(ENTRIES * sizeof *table, acre_os_page_size()), &start) != 0)
        return false;
    table = start;
    return true;
}

static struct freed *trace_entry(uintptr_t block)
{
    uint32_t mixed = (uint32_t)(block / UNIT) * UINT32_C(0x9e3779b1);
    return &table[mixed >> (32 - LOG2)];
}

void acre_trace_note(const void *ptr, const void *caller)
{
    if (table == NULL)
        return;
    struct freed *entry = trace_entry((uintptr_t)ptr);
    atomic_store_explicit(&entry->block, 0, memory_order_relaxed);
    atomic_store_explicit(&entry->caller, (uintptr_t)caller, memory_order_release);
    atomic_store_explicit(&entry->thread, acre_os_thread(), memory_order_release);
    atomic_store_explicit(&entry->block, (uintptr_t)ptr, memory_order_release);
}

void acre_trace_describe(struct acre_text *text, uintptr_t block)
{
    if (table == NULL)
        return;
    const struct freed *entry = trace_entry(block);
    if (atomic_load_explicit(&entry->block, memory_order_acquire) != block)
        return;
    char name[256];
    uintptr_t caller = atomic_load_explicit(&entry->caller, memory_order_relaxed);
    acre_text_add(text, "; freed before by thread ");
    acre_text_add_number(text, atomic_load_explicit(&entry->thread, memory_order_relaxed));
    acre_text_add(text, " at ");
    acre_text_add_address(text, caller);
    uintptr_t offset;
    if (acre_os_mapping_name(caller, name, sizeof name, &offset) != 0)
        return;
    acre_text_add(text, " (");
    acre_text_add(text, name);
    acre_text_add(text, "+");
    acre_text_add_address(text, offset);
    acre_text_add(text, ")");
}
