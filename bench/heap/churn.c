/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "heap_bench.h"

#include "bench/random.h"
#include "clock/clock.h"
#include "registry/registry.h"

#include <acre/heap.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { PAGE = 4096, BLOCK = 200, ALIGN = 8, CONTROL = 1 << 16 };

/* A heap or a plugin's instance, its memory, and the blocks that it holds. */
struct churn {
    struct acre_heap *heap;
    const struct acre_plugin *plugin; /* null: the heap */
    void *self;                       /* the instance */
    unsigned char *memory;
    size_t size;
    void **blocks; /* null: freed */
    size_t count;
    size_t regions; /* of the instance */
    uint64_t seed;
};

/* ---- what is counted ---- */

__attribute__((noinline)) static void *bench_heap_alloc(struct acre_heap *heap)
{
    return acre_heap_alloc(heap, acre_layout(BLOCK, ALIGN)).ptr;
}

__attribute__((noinline)) static enum acre_status bench_heap_dealloc(
    struct acre_heap *heap, void *ptr)
{
    return acre_heap_dealloc(heap, ptr);
}

__attribute__((noinline)) static void *bench_heap_plugin_alloc(const struct churn *churn)
{
    return churn->plugin->alloc(churn->self, BLOCK, ALIGN);
}

__attribute__((noinline)) static void bench_heap_plugin_dealloc(
    const struct churn *churn, void *ptr)
{
    churn->plugin->dealloc(churn->self, ptr, BLOCK, ALIGN);
}

__attribute__((noinline)) static bool bench_heap_refused(const struct churn *churn)
{
    if (churn->plugin)
        return churn->plugin->alloc(churn->self, BLOCK, ALIGN) == NULL;
    return acre_heap_alloc(churn->heap, acre_layout(BLOCK, ALIGN)).status == ACRE_NO_MEMORY;
}

static void *alloc_block(const struct churn *churn)
{
    return churn->plugin ? bench_heap_plugin_alloc(churn) : bench_heap_alloc(churn->heap);
}

static bool dealloc_block(const struct churn *churn, void *block)
{
    if (!churn->plugin)
        return bench_heap_dealloc(churn->heap, block) == ACRE_OK;
    bench_heap_plugin_dealloc(churn, block);
    return true;
}

/* ---- the heap, the instance ---- */

static bool map_memory(struct churn *churn, const struct heap_case *which)
{
    *churn = (struct churn){ .size = which->size, .seed = 1, .plugin = which->plugin };
    void *memory = mmap(NULL, churn->size, PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    churn->memory = memory != MAP_FAILED ? memory : NULL;
    churn->blocks = calloc(churn->size / BLOCK, sizeof *churn->blocks);
    return churn->memory != NULL && churn->blocks != NULL;
}

static void unmap_memory(struct churn *churn)
{
    if (churn->memory)
        munmap(churn->memory, churn->size);
    free(churn->blocks);
}

/* Takes all pages one by one, then gives half of them back. */
static bool fragment_pages(struct churn *churn, size_t run)
{
    size_t count = 0;
    uintptr_t *pages = malloc(churn->size / PAGE * sizeof *pages);
    struct acre_num got;
    while (pages && (got = acre_heap_alloc_pages(churn->heap, 1, PAGE, 0)).status == ACRE_OK)
        pages[count++] = got.num;
    for (size_t i = 0; i < count; i++)
        if (run ? i / run % 2 != 0 : i >= count / 2)
            acre_heap_dealloc_pages(churn->heap, pages[i], 1);
    free(pages);
    return count > 0;
}

static bool open_churn_heap(struct churn *churn, const struct heap_case *which)
{
    static _Alignas(64) unsigned char control[CONTROL];
    const struct acre_backend *backend = acre_backend_find(which->name);
    if (!backend || backend->backing->size > CONTROL)
        return false;
    churn->heap = backend->handle(control).self;
    return acre_heap_init(churn->heap, churn->memory, churn->size) == ACRE_OK &&
           fragment_pages(churn, which->run);
}

/* Gives a plugin's instance the free runs, the first of which it begins in. */
static bool open_churn_plugin(struct churn *churn, const struct heap_case *which)
{
    size_t size = which->run ? which->run * PAGE : churn->size / 2;
    bool good = true;
    for (size_t at = size; at < churn->size && good; at += 2 * size, churn->regions++)
        if (churn->regions == 0)
            good = (churn->self = churn->plugin->create(churn->memory + at, size)) != NULL;
        else
            good = churn->plugin->add_memory(churn->self, churn->memory + at, size) == 0;
    return good;
}

static bool open_churn(struct churn *churn, const struct heap_case *which)
{
    return churn->plugin ? open_churn_plugin(churn, which) : open_churn_heap(churn, which);
}

/* ---- the work ---- */

static void fill_heap(struct churn *churn)
{
    void *block;
    while (churn->count < churn->size / BLOCK && (block = alloc_block(churn)) != NULL)
        churn->blocks[churn->count++] = block;
}

/* Whether all were refused; the longest. */
static bool refuse(struct churn *churn, size_t calls, double *longest)
{
    bool good = true;
    *longest = 0;
    for (size_t i = 0; i < calls; i++) {
        uint64_t start = acre_clock_ns();
        good = bench_heap_refused(churn) && good;
        double ns = (double)(acre_clock_ns() - start);
        *longest = ns > *longest ? ns : *longest;
    }
    return good;
}

static bool toggle_block(struct churn *churn, size_t at)
{
    void *block = churn->blocks[at];
    churn->blocks[at] = block ? NULL : alloc_block(churn);
    return !block || dealloc_block(churn, block);
}

static bool free_half(struct churn *churn)
{
    bool good = churn->count > 0;
    for (size_t i = 0; i < churn->count; i += 2) {
        size_t at = bench_random_below(&churn->seed, churn->count);
        if (churn->blocks[at])
            good = toggle_block(churn, at) && good;
    }
    return good;
}

static bool toggle_blocks(struct churn *churn, size_t toggles, double *ns)
{
    bool good = true;
    uint64_t start = acre_clock_own_ns();
    for (size_t i = 0; i < toggles; i++)
        good = toggle_block(churn, bench_random_below(&churn->seed, churn->count)) && good;
    *ns = (double)(acre_clock_own_ns() - start) / (double)toggles;
    return good;
}

bool heap_churn(
    const struct heap_case *which, size_t refused, size_t toggles, struct heap_times *times)
{
    struct churn churn;
    bool good = map_memory(&churn, which) && open_churn(&churn, which);
    if (good) {
        fill_heap(&churn);
        times->chunks = churn.plugin ? churn.regions : churn.heap->chunks;
        good = refuse(&churn, refused, &times->refused) && free_half(&churn) &&
               toggle_blocks(&churn, toggles, &times->churn);
    }
    unmap_memory(&churn);
    return good;
}
