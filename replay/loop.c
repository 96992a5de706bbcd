/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The calls and loops of all backends but the typed ones. */
#include "replay/loop.h"

#include <stdlib.h>

/* ---- built in, through the two-word handle ---- */

static inline void *builtin_alloc(void *self, size_t size, size_t align)
{
    const struct acre_bytes *bytes = self;
    return acre_alloc(*bytes, acre_layout(size, align)).ptr;
}

static inline void builtin_dealloc(void *self, void *ptr, size_t size, size_t align)
{
    const struct acre_bytes *bytes = self;
    (void)size;
    (void)align;
    acre_dealloc(*bytes, ptr);
}

static inline void *builtin_realloc(
    void *self, void *ptr, size_t old_size, size_t new_size, size_t align)
{
    const struct acre_bytes *bytes = self;
    (void)old_size;
    return acre_realloc(*bytes, ptr, acre_layout(new_size, align)).ptr;
}

/* ---- the malloc of this process, whichever library serves it ---- */

static ACRE_NOINLINE void *system_aligned(size_t size, size_t align)
{
    void *ptr = NULL;
    return posix_memalign(&ptr, align, size) == 0 ? ptr : NULL;
}

static inline void *system_alloc(void *self, size_t size, size_t align)
{
    (void)self;
    return align <= ACRE_NATURAL_ALIGN ? malloc(size) : system_aligned(size, align);
}

static inline void *system_zeroed(void *self, size_t size, size_t align)
{
    void *ptr = align <= ACRE_NATURAL_ALIGN ? calloc(1, size) : system_alloc(self, size, align);
    return ptr && align > ACRE_NATURAL_ALIGN ? memset(ptr, 0, size) : ptr;
}

static inline void system_dealloc(void *self, void *ptr, size_t size, size_t align)
{
    (void)self;
    (void)size;
    (void)align;
    free(ptr);
}

static ACRE_NOINLINE void *system_move(void *ptr, size_t old_size, size_t size, size_t align)
{
    void *moved = system_aligned(size, align);
    if (!moved)
        return NULL;
    memcpy(moved, ptr, old_size < size ? old_size : size);
    free(ptr);
    return moved;
}

static inline void *system_realloc(
    void *self, void *ptr, size_t old_size, size_t new_size, size_t align)
{
    (void)self;
    return align <= ACRE_NATURAL_ALIGN ? realloc(ptr, new_size)
                                       : system_move(ptr, old_size, new_size, align);
}

/* ---- nothing ---- */

static inline void *empty_alloc(void *self, size_t size, size_t align)
{
    (void)self;
    (void)size;
    (void)align;
    return (void *)(uintptr_t)4096;
}

static inline void empty_dealloc(void *self, void *ptr, size_t size, size_t align)
{
    (void)self;
    (void)ptr;
    (void)size;
    (void)align;
}

static inline void *empty_realloc(
    void *self, void *ptr, size_t old_size, size_t new_size, size_t align)
{
    (void)self;
    (void)old_size;
    (void)new_size;
    (void)align;
    return ptr;
}

#define NO_LINKAGE
#define DEFINE_CALLS(kind, zeroed)                                                                 \
    REPLAY_DEFINE_LOOPS(                                                                           \
        NO_LINKAGE, replay_##kind, kind##_alloc, zeroed, kind##_dealloc, kind##_realloc, false);   \
    const struct acre_plugin replay_##kind##_calls = { .abi = ACRE_PLUGIN_ABI,                     \
        .name = #kind,                                                                             \
        .alloc = kind##_alloc,                                                                     \
        .dealloc = kind##_dealloc,                                                                 \
        .realloc = kind##_realloc }

DEFINE_CALLS(builtin, NULL);
DEFINE_CALLS(system, system_zeroed);
DEFINE_CALLS(empty, empty_alloc);
REPLAY_DEFINE_LOOPS(NO_LINKAGE, replay_plugin, instance->calls->alloc, NULL,
    instance->calls->dealloc, instance->calls->realloc, true);

bool replay_step(const struct replay_instance *instance, struct replay_op op,
    const struct replay_script *script, struct replay_slot *slots)
{
    const struct acre_plugin *calls = instance->calls;
    return replay_step_with(op, replay_wides(script), script->facts.align_log2, slots,
        instance->self, calls->alloc, instance->loops->zeroed, calls->dealloc, calls->realloc,
        instance->loops == &replay_plugin_loops);
}

enum acre_status replay_dealloc(
    const struct replay_instance *instance, const struct replay_slot *slot)
{
    if (instance->backend->type == REPLAY_BUILTIN)
        return acre_dealloc(instance->bytes, slot->ptr);
    instance->calls->dealloc(
        instance->self, slot->ptr, replay_slot_size(slot), replay_slot_align(slot));
    return ACRE_OK;
}
