/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "malloc/large.h"

#include "base/arith.h"
#include "base/memory.h"
#include "os/os.h"

static size_t round_to_pages(size_t size)
{
    return acre_align_up(size, acre_os_page_size());
}

/* Index of the first block that starts above `address`. */
static size_t index_above(const struct acre_large *large, uintptr_t address)
{
    size_t low = 0;
    size_t high = large->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (large->blocks[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct acre_large_block *acre_large_find(const struct acre_large *large, uintptr_t address)
{
    size_t above = index_above(large, address);
    if (above == 0)
        return NULL;
    const struct acre_large_block *block = &large->blocks[above - 1];
    return address - block->start < block->size ? block : NULL;
}

bool acre_large_owns(const struct acre_large *large, const void *ptr)
{
    const struct acre_large_block *block = acre_large_find(large, (uintptr_t)ptr);
    return block != NULL && block->start == (uintptr_t)ptr;
}

static bool make_entry_room(struct acre_large *large)
{
    size_t page = acre_os_page_size();
    size_t bytes = large->room * sizeof *large->blocks;
    void *table;
    if (large->count < large->room)
        return true;
    int error = bytes == 0 ? acre_os_map(NULL, page, &table)
                           : acre_os_remap(large->blocks, bytes, 2 * bytes, &table);
    if (error != 0)
        return false;
    large->blocks = table;
    large->room = (bytes == 0 ? page : 2 * bytes) / sizeof *large->blocks;
    return true;
}

static void insert_entry(struct acre_large *large, uintptr_t start, size_t size)
{
    size_t at = index_above(large, start);
    struct acre_large_block *entry = &large->blocks[at];
    memmove(entry + 1, entry, (large->count - at) * sizeof *entry);
    *entry = (struct acre_large_block){ .start = start, .size = size };
    large->count++;
    large->bytes += size;
    if (large->bytes > large->peak)
        large->peak = large->bytes;
}

static size_t remove_entry(struct acre_large *large, uintptr_t start)
{
    size_t at = index_above(large, start) - 1;
    struct acre_large_block *entry = &large->blocks[at];
    size_t size = entry->size;
    large->count--;
    large->bytes -= size;
    memmove(entry, entry + 1, (large->count - at) * sizeof *entry);
    return size;
}

bool acre_large_add(struct acre_large *large, uintptr_t start, size_t size, size_t asked)
{
    if (!make_entry_room(large))
        return false;
    insert_entry(large, start, size);
    large->blocks[index_above(large, start) - 1].asked = asked;
    return true;
}

void acre_large_set_thread(struct acre_large *large, const void *ptr, size_t thread)
{
    if (acre_large_owns(large, ptr))
        large->blocks[index_above(large, (uintptr_t)ptr) - 1].thread = thread;
}

void acre_large_remove(struct acre_large *large, uintptr_t start)
{
    (void)remove_entry(large, start);
}

void *acre_large_alloc(struct acre_large *large, size_t size)
{
    void *start;
    size = round_to_pages(size);
    if (!make_entry_room(large) || acre_os_map(NULL, size, &start) != 0)
        return NULL;
    insert_entry(large, (uintptr_t)start, size);
    return start;
}

void acre_large_free(struct acre_large *large, void *ptr)
{
    size_t size = remove_entry(large, (uintptr_t)ptr);
    if (size < ACRE_LARGE_MOST && size >= acre_large_from(large))
        atomic_store_explicit(&large->from, size + 1, memory_order_relaxed);
    if (acre_os_unmap(ptr, size) != 0)
        acre_os_discard(ptr, size);
}

void *acre_large_resize(struct acre_large *large, void *ptr, size_t size)
{
    void *moved = ptr;
    size = round_to_pages(size);
    const struct acre_large_block *block = acre_large_find(large, (uintptr_t)ptr);
    size_t before = block->size;
    size_t thread = block->thread;
    if (size != before && acre_os_remap(ptr, before, size, &moved) != 0)
        return NULL;
    (void)remove_entry(large, (uintptr_t)ptr);
    insert_entry(large, (uintptr_t)moved, size);
    acre_large_set_thread(large, moved, thread);
    return moved;
}
