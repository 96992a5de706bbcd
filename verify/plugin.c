/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A plugin as a subject. The books are kept here: which blocks live, how large they were asked for and
 * with what alignment. Of the plugin, create, alloc, dealloc, realloc and destroy are called, with
 * arguments that acre/plugin.h allows. A block that lies outside the pool or over a live one is a
 * finding of `check`.
 */
#include "verify/kit.h"

#include "base/arith.h"
#include "support/trial.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCKS = 1 << 14, POOL_ALIGN = 4096, LARGEST_PROBE = 1 << 26, ALIGNED = 4096 };

struct plug_block {
    unsigned char *start;
    size_t size;  /* as its owner sees it */
    size_t given; /* as the plugin was told; resize in place changes nothing there */
    size_t align;
};

/* Zeroed is an allocator without memory. */
struct plug {
    void *instance;
    unsigned char *pool;
    size_t total, used, peak, failed, live;
    const char *broken;
    const void *where;
    struct plug_block *blocks; /* sorted by start */
};

static const struct acre_plugin *plugin_in_use;

/* ---- the books ---- */

static size_t plug_above(const struct plug *plug, const void *ptr)
{
    size_t low = 0;
    size_t high = plug->live;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if ((uintptr_t)plug->blocks[mid].start < (uintptr_t)ptr)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static struct plug_block *plug_block(const struct plug *plug, const void *ptr)
{
    size_t at = plug_above(plug, ptr);
    bool found = ptr != NULL && at < plug->live && plug->blocks[at].start == ptr;
    return found ? &plug->blocks[at] : NULL;
}

static void plug_blame(struct plug *plug, const char *broken, const void *where)
{
    if (plug->broken != NULL)
        return;
    plug->broken = broken;
    plug->where = where;
}

static void plug_verify(struct plug *plug, size_t at)
{
    const struct plug_block *block = &plug->blocks[at];
    uintptr_t into = (uintptr_t)block->start - (uintptr_t)plug->pool;
    if (into >= plug->total || block->size > plug->total - into)
        plug_blame(plug, "a block lies outside the pool", block->start);
    if ((at > 0 && block[-1].start + block[-1].given > block->start) ||
        (at + 1 < plug->live && block->start + block->size > block[1].start))
        plug_blame(plug, "a block lies over a live one", block->start);
    if (((uintptr_t)block->start & (block->align - 1)) != 0)
        plug_blame(plug, "a block lacks its alignment", block->start);
}

static void plug_enter(struct plug *plug, void *ptr, size_t size, size_t align)
{
    size_t at = plug_above(plug, ptr);
    memmove(&plug->blocks[at + 1], &plug->blocks[at], (plug->live - at) * sizeof *plug->blocks);
    plug->blocks[at] = (struct plug_block){ ptr, size, size, align };
    plug->live++;
    plug->used += size;
    plug->peak = plug->used > plug->peak ? plug->used : plug->peak;
    plug_verify(plug, at);
}

static void plug_strike(struct plug *plug, struct plug_block *block)
{
    size_t at = (size_t)(block - plug->blocks);
    plug->used -= block->size;
    plug->live--;
    memmove(block, block + 1, (plug->live - at) * sizeof *block);
}

/* ---- the verbs ---- */

static size_t at_least_one(size_t size)
{
    return size == 0 ? 1 : size;
}

static void plug_end(struct plug *plug)
{
    if (plug->instance != NULL && plugin_in_use->destroy != NULL)
        plugin_in_use->destroy(plug->instance);
    plug->instance = NULL;
    plug->live = plug->used = plug->peak = plug->failed = plug->total = 0;
    plug->broken = NULL;
    plug->where = NULL;
}

static enum acre_status plug_init(void *self, void *start, size_t size)
{
    struct plug *plug = self;
    plug_end(plug);
    bool usable = start != NULL && size > 0 && (uintptr_t)start % POOL_ALIGN == 0 &&
                  !acre_range_wraps((uintptr_t)start, size);
    plug->instance = usable ? plugin_in_use->create(start, size) : NULL;
    if (plug->instance == NULL)
        return ACRE_INVALID_PARAM;
    plug->pool = start;
    plug->total = size;
    return ACRE_OK;
}

static enum acre_status plug_add(void *self, void *start, size_t size)
{
    (void)self;
    (void)start;
    (void)size;
    return ACRE_INVALID_PARAM;
}

static enum acre_status plug_remove(void *self, void *start)
{
    (void)self;
    (void)start;
    return ACRE_NOT_ALLOCATED;
}

static void plug_reset(void *self)
{
    struct plug *plug = self;
    size_t total = plug->total;
    if (plug->instance != NULL && plug_init(self, plug->pool, total) != ACRE_OK)
        plug_blame(plug, "a pool that served once is refused", plug->pool);
}

static struct acre_stats plug_stats(const void *self)
{
    const struct plug *plug = self;
    return (struct acre_stats){ .total = plug->total,
        .used = plug->used,
        .available = plug->total - plug->used,
        .largest_free = plug->total - plug->used,
        .peak = plug->peak,
        .live_blocks = plug->live,
        .failed = plug->failed };
}

static struct acre_check_result plug_check(const void *self)
{
    const struct plug *plug = self;
    return (struct acre_check_result){ plug->broken, plug->where };
}

static void plug_reset_peak(void *self)
{
    struct plug *plug = self;
    plug->peak = plug->used;
}

static struct acre_ptr plug_refuse(struct plug *plug, enum acre_status status)
{
    plug->failed += status == ACRE_NO_MEMORY;
    return (struct acre_ptr){ NULL, status };
}

static size_t natural(size_t align)
{
    return align < ACRE_NATURAL_ALIGN ? ACRE_NATURAL_ALIGN : align;
}

static struct acre_ptr plug_alloc(void *self, struct acre_layout layout)
{
    struct plug *plug = self;
    if (!acre_is_pow2(layout.align))
        return plug_refuse(plug, ACRE_INVALID_PARAM);
    size_t size = at_least_one(layout.size);
    size_t align = natural(layout.align);
    void *ptr = plug->instance != NULL && plug->live < BLOCKS - 1
                    ? plugin_in_use->alloc(plug->instance, size, align)
                    : NULL;
    if (ptr == NULL)
        return plug_refuse(plug, ACRE_NO_MEMORY);
    plug_enter(plug, ptr, size, align);
    return (struct acre_ptr){ ptr, ACRE_OK };
}

static enum acre_status plug_dealloc(void *self, void *ptr)
{
    struct plug *plug = self;
    struct plug_block *block = plug_block(plug, ptr);
    if (block == NULL)
        return ACRE_NOT_ALLOCATED;
    struct plug_block was = *block;
    plug_strike(plug, block);
    plugin_in_use->dealloc(plug->instance, ptr, was.given, was.align);
    return ACRE_OK;
}

static enum acre_status plug_dealloc_sized(void *self, void *ptr, struct acre_layout layout)
{
    const struct plug_block *block = plug_block(self, ptr);
    if (block == NULL)
        return ACRE_NOT_ALLOCATED;
    if (!acre_is_pow2(layout.align) || ((uintptr_t)ptr & (layout.align - 1)) != 0 ||
        at_least_one(layout.size) != block->size)
        return ACRE_INVALID_PARAM;
    return plug_dealloc(self, ptr);
}

/* In place, as far as the plugin was told. */
static enum acre_status plug_resize(void *self, void *ptr, size_t size)
{
    struct plug *plug = self;
    struct plug_block *block = plug_block(plug, ptr);
    if (block == NULL)
        return ACRE_NOT_ALLOCATED;
    if (at_least_one(size) > block->given)
        return plug_refuse(plug, ACRE_NO_MEMORY).status;
    plug->used -= block->size;
    block->size = at_least_one(size);
    plug->used += block->size;
    plug->peak = plug->used > plug->peak ? plug->used : plug->peak;
    return ACRE_OK;
}

/* With an alignment that the block was not made with, or without a realloc of the plugin's. */
static void *plug_copy(struct plug *plug, const struct plug_block *old, size_t size, size_t align)
{
    size_t kept = old->size < size ? old->size : size;
    void *moved = plugin_in_use->alloc(plug->instance, size, align);
    if (moved == NULL)
        return NULL;
    memmove(moved, old->start, kept);
    plugin_in_use->dealloc(plug->instance, old->start, old->given, old->align);
    return moved;
}

static struct acre_ptr plug_realloc(void *self, void *ptr, struct acre_layout layout)
{
    struct plug *plug = self;
    struct plug_block *block = plug_block(plug, ptr);
    if (block == NULL)
        return plug_refuse(plug, ACRE_NOT_ALLOCATED);
    if (!acre_is_pow2(layout.align))
        return plug_refuse(plug, ACRE_INVALID_PARAM);
    struct plug_block was = *block;
    size_t size = at_least_one(layout.size);
    size_t align = natural(layout.align);
    bool own = plugin_in_use->realloc != NULL && align <= was.align;
    align = own ? was.align : align;
    void *moved = own ? plugin_in_use->realloc(plug->instance, ptr, was.given, size, align)
                      : plug_copy(plug, &was, size, align);
    if (moved == NULL)
        return plug_refuse(plug, ACRE_NO_MEMORY);
    plug_strike(plug, block);
    plug_enter(plug, moved, size, align);
    return (struct acre_ptr){ moved, ACRE_OK };
}

static struct acre_num plug_usable_size(const void *self, const void *ptr)
{
    const struct plug_block *block = plug_block(self, ptr);
    return block != NULL ? (struct acre_num){ block->size, ACRE_OK }
                         : (struct acre_num){ 0, ACRE_NOT_ALLOCATED };
}

static struct acre_block plug_find(const void *self, const void *ptr)
{
    const struct plug *plug = self;
    size_t at = plug_above(plug, (const char *)ptr + 1);
    const struct plug_block *block = at > 0 ? &plug->blocks[at - 1] : NULL;
    if (block == NULL || (uintptr_t)ptr - (uintptr_t)block->start >= block->size)
        return (struct acre_block){ NULL, 0, ACRE_NOT_ALLOCATED };
    return (struct acre_block){ block->start, block->size, ACRE_OK };
}

static void plug_walk(const void *self, acre_walk_fn *visit, void *arg)
{
    const struct plug *plug = self;
    for (size_t i = 0; i < plug->live; i++) {
        if (!visit(arg, plug->blocks[i].start, plug->blocks[i].size, true))
            return;
    }
}

static const struct acre_bytes_ops plug_ops = {
    .base = { .init = plug_init,
        .add_memory = plug_add,
        .remove_memory = plug_remove,
        .stats = plug_stats,
        .check = plug_check,
        .reset = plug_reset,
        .reset_peak = plug_reset_peak },
    .alloc = plug_alloc,
    .dealloc = plug_dealloc,
    .dealloc_sized = plug_dealloc_sized,
    .resize = plug_resize,
    .realloc = plug_realloc,
    .usable_size = plug_usable_size,
    .find = plug_find,
    .walk = plug_walk,
};

/* The books lie outside of what is compared; the process that uses them ends soon. */
static struct acre_bytes plug_bind(void *self)
{
    struct plug *plug = self;
    plug->blocks = mmap(NULL, BLOCKS * sizeof *plug->blocks, PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (plug->blocks == MAP_FAILED)
        abort();
    return (struct acre_bytes){ &plug_ops, self };
}

static size_t plug_slack(size_t usable)
{
    (void)usable;
    return 0;
}

/* ---- what the plugin needs ---- */

struct plug_needs {
    size_t
        enough; /* bytes of the smallest pool, of powers of two, that serves a block; 0: none does */
    bool aligns;
};

static bool serves(const struct acre_plugin *plugin, unsigned char *pool, size_t size, size_t align)
{
    void *instance = plugin->create(pool, size);
    void *ptr = instance != NULL ? plugin->alloc(instance, 64, align) : NULL;
    bool served = ptr != NULL && ((uintptr_t)ptr & (align - 1)) == 0;
    if (instance != NULL && plugin->destroy != NULL)
        plugin->destroy(instance);
    return served;
}

static void find_needs(const struct acre_plugin *plugin, struct plug_needs *needs)
{
    struct arena arena;
    size_t size = POOL_ALIGN;
    arena_open(&arena, LARGEST_PROBE, LARGEST_PROBE);
    while (size <= LARGEST_PROBE && !serves(plugin, arena.base, size, ACRE_NATURAL_ALIGN))
        size *= 2;
    needs->enough = size <= LARGEST_PROBE ? size : 0;
    needs->aligns = needs->enough != 0 && serves(plugin, arena.base, LARGEST_PROBE, ALIGNED);
    arena_close(&arena);
}

/* In a child process: trial pools may crash it. */
static bool ask_child(const struct acre_plugin *plugin, struct plug_needs *needs, int *how)
{
    int ends[2];
    if (pipe(ends) != 0)
        return false;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        trial_limit(&trial_limits);
        find_needs(plugin, needs);
        _exit(write(ends[1], needs, sizeof *needs) == (ssize_t)sizeof *needs ? 0 : 1);
    }
    close(ends[1]);
    bool told = child > 0 && read(ends[0], needs, sizeof *needs) == (ssize_t)sizeof *needs;
    close(ends[0]);
    return child > 0 && waitpid(child, how, 0) == child && told;
}

bool kit_subject_of_plugin(const struct acre_plugin *plugin, struct acre_subject *subject,
    unsigned seconds, char *why, size_t room)
{
    struct plug_needs needs = { 0, false };
    int how = 0;
    trial_limits.seconds = seconds > 0 ? seconds : 5;
    trial_limits.silent = true;
    plugin_in_use = plugin;
    if (!ask_child(plugin, &needs, &how)) {
        char ended[128];
        trial_ending(ended, sizeof ended, how);
        snprintf(why, room, "a first pool with a block of 64 bytes: %s", ended);
        return false;
    }
    if (needs.enough == 0) {
        snprintf(why, room, "no pool of up to %d bytes serves a block of 64 bytes", LARGEST_PROBE);
        return false;
    }
    *subject = (struct acre_subject){
        .abi = ACRE_SUBJECT_ABI,
        .name = plugin->name,
        .caps = ACRE_SUBJECT_PLAIN | ACRE_SUBJECT_CONTENTS | ACRE_SUBJECT_ASKED |
                ACRE_SUBJECT_HIDES | (needs.aligns ? ACRE_SUBJECT_ALIGNS : 0u),
        .self_size = sizeof(struct plug),
        .counters = { 1 + offsetof(struct plug, failed) },
        .region_enough = 2 * needs.enough,
        .arena_most = SIZE_MAX,
        .arena_scale = 4 * needs.enough / POOL_ALIGN,
        .bind = plug_bind,
        .slack = plug_slack,
    };
    return true;
}
