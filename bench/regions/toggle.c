/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "regions.h"

#include "plugin/plugin_load.h"
#include "registry/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
    REGION = 64 << 10, /* bytes */
    STRIDE = REGION + 4096,
    MOST = 512,         /* regions */
    SLOTS = MOST * 512, /* more than the blocks that fill them */
    LOW = 64,           /* bytes of a block */
    HIGH = 512,
    ALIGN = 8,
    CONTROL = 1 << 16 /* bytes of the largest control structure */
};

/* An allocator with its regions. */
struct opened {
    struct acre_bytes bytes;
    const struct acre_plugin *plugin; /* null: built in */
    void *self;
};

static _Alignas(64) unsigned char control[CONTROL];
static struct {
    void *block;
    size_t size;
} slots[SLOTS];
static uint64_t seed = 1;

static size_t draw_below(size_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(seed >> 33) % below;
}

/* ---- what is counted ---- */

__attribute__((noinline)) static void *bench_regions_alloc(struct acre_bytes bytes, size_t size)
{
    return acre_alloc(bytes, acre_layout(size, ALIGN)).ptr;
}

__attribute__((noinline)) static enum acre_status bench_regions_dealloc(
    struct acre_bytes bytes, void *ptr)
{
    return acre_dealloc(bytes, ptr);
}

__attribute__((noinline)) static void *bench_regions_plugin_alloc(
    const struct opened *opened, size_t size)
{
    return opened->plugin->alloc(opened->self, size, ALIGN);
}

__attribute__((noinline)) static void bench_regions_plugin_dealloc(
    const struct opened *opened, void *ptr, size_t size)
{
    opened->plugin->dealloc(opened->self, ptr, size, ALIGN);
}

/* ---- the work ---- */

/* Null while memory is short. */
static void *alloc_slot(const struct opened *opened, size_t slot)
{
    size_t size = LOW + draw_below(HIGH - LOW + 1);
    slots[slot].size = size;
    slots[slot].block = opened->plugin ? bench_regions_plugin_alloc(opened, size)
                                       : bench_regions_alloc(opened->bytes, size);
    return slots[slot].block;
}

static bool dealloc_slot(const struct opened *opened, size_t slot)
{
    void *block = slots[slot].block;
    slots[slot].block = NULL;
    if (!opened->plugin)
        return bench_regions_dealloc(opened->bytes, block) == ACRE_OK;
    bench_regions_plugin_dealloc(opened, block, slots[slot].size);
    return true;
}

static bool toggle_slot(const struct opened *opened, size_t slot)
{
    if (slots[slot].block)
        return dealloc_slot(opened, slot);
    alloc_slot(opened, slot);
    return true;
}

/* The number of slots that were filled; half of them are empty again. */
static size_t fill_slots(const struct opened *opened)
{
    size_t used = 0;
    while (used < SLOTS && alloc_slot(opened, used))
        used++;
    for (size_t slot = 0; slot < used; slot++)
        if (draw_below(2) == 0)
            dealloc_slot(opened, slot);
    return used;
}

static bool open_regions_builtin(struct opened *opened, const char *name, void *memory)
{
    const struct acre_backend *backend = acre_backend_find(name);
    if (!backend || backend->backing->size > CONTROL)
        return false;
    opened->bytes = backend->handle(control);
    return acre_bytes_init(opened->bytes, memory, REGION) == ACRE_OK;
}

static bool add_bench_region(const struct opened *opened, void *memory)
{
    if (opened->plugin)
        return opened->plugin->add_memory(opened->self, memory, REGION) == 0;
    return acre_bytes_add_memory(opened->bytes, memory, REGION) == ACRE_OK;
}

static bool open_subject(
    struct opened *opened, const struct regions_subject *subject, size_t regions)
{
    unsigned char *memory = mmap(NULL, regions * STRIDE, PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return false;
    *opened = (struct opened){ .plugin = subject->plugin };
    if (subject->plugin)
        opened->self = subject->plugin->create(memory, REGION);
    bool good = subject->plugin ? opened->self != NULL
                                : open_regions_builtin(opened, subject->name, memory);
    for (size_t i = 1; i < regions && good; i++)
        good = add_bench_region(opened, memory + i * STRIDE);
    return good;
}

bool regions_toggle(const struct regions_subject *subject, size_t regions, size_t toggles)
{
    struct opened opened;
    bool good = open_subject(&opened, subject, regions);
    size_t used = good ? fill_slots(&opened) : 0;
    good = used > regions;
    for (size_t i = 0; i < toggles && good; i++)
        good = toggle_slot(&opened, draw_below(used));
    return good;
}

bool regions_load(struct regions_subject *subject, const char *path)
{
    char error[512];
    struct acre_plugin_file file;
    if (!acre_plugin_load(&file, path, error, sizeof error)) {
        fprintf(stderr, "acre-bench-regions: %s\n", error);
        return false;
    }
    if (!(file.table->flags & ACRE_PLUGIN_ADDS_MEMORY) || !file.table->add_memory) {
        fprintf(stderr, "acre-bench-regions: %s: adds no memory (ACRE_PLUGIN_ADDS_MEMORY)\n", path);
        acre_plugin_unload(&file);
        return false;
    }
    *subject = (struct regions_subject){ file.table->name, path, file.table };
    return true;
}
