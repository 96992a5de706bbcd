/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "replay/pool.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#define POOL_ALIGN ((size_t)2 << 20)
#define PAGE 4096u

size_t replay_machine_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES);
    long page_size = sysconf(_SC_PAGESIZE);
    uint64_t memory = pages > 0 && page_size > 0 ? (uint64_t)pages * (uint64_t)page_size : 0;
    return memory < SIZE_MAX ? (size_t)memory : SIZE_MAX;
}

void replay_pool_give_up(struct replay_pool *pool)
{
    if (pool->mapping)
        munmap(pool->mapping, pool->map_size);
    *pool = (struct replay_pool){ 0 };
}

bool replay_pool_reserve(struct replay_pool *pool, size_t size)
{
    if (size <= pool->size)
        return true;
    replay_pool_give_up(pool);
    if (size > replay_machine_memory() || size > SIZE_MAX - POOL_ALIGN) {
        errno = ENOMEM;
        return false;
    }
    size_t map_size = size + POOL_ALIGN;
    void *mapping = mmap(
        NULL, map_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED)
        return false;
    madvise(mapping, map_size, MADV_NOHUGEPAGE);
    size_t skip = (size_t)(-(uintptr_t)mapping % POOL_ALIGN);
    *pool = (struct replay_pool){ (char *)mapping + skip, size, mapping, map_size };
    return true;
}

void replay_pool_refresh(struct replay_pool *pool)
{
    if (pool->mapping)
        madvise(pool->mapping, pool->map_size, MADV_DONTNEED);
}

void replay_pool_touch(struct replay_pool *pool, size_t size)
{
    size_t most = replay_machine_memory() / 4;
    if (size > pool->size)
        size = pool->size;
    if (size > most)
        size = most;
    for (size_t offset = 0; offset < size; offset += PAGE)
        ((volatile char *)pool->start)[offset] = 0;
}
