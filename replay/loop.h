/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * How one operation of a script runs on each type of backend. Everything here is inlined into a loop
 * that knows the type when it is compiled, so that each backend is called as its users call it, and
 * all pay the same few instructions for the replay itself.
 */
#ifndef ACRE_REPLAY_LOOP_H
#define ACRE_REPLAY_LOOP_H

#include "base/compiler.h"
#include "replay/backend.h"
#include "replay/script.h"

#include <stdlib.h>
#include <string.h>

/** A block, or none, and what was asked for: size << 6 | log2 of the alignment. */
struct replay_slot {
    void *ptr;
    uint64_t layout;
};

#define REPLAY_ALIGN_BITS 6
#define REPLAY_NATURAL_LOG2 ((unsigned)__builtin_ctzl(ACRE_NATURAL_ALIGN))

ACRE_INLINE uint64_t replay_slot_layout(uint64_t size, unsigned align_log2)
{
    return size << REPLAY_ALIGN_BITS | align_log2;
}

ACRE_INLINE size_t replay_slot_size(const struct replay_slot *slot)
{
    return (size_t)(slot->layout >> REPLAY_ALIGN_BITS);
}

ACRE_INLINE size_t replay_slot_align(const struct replay_slot *slot)
{
    return (size_t)1 << (slot->layout & ((1u << REPLAY_ALIGN_BITS) - 1));
}

/** The layout that an operation asks for, in the form that a slot keeps. */
ACRE_INLINE uint64_t replay_op_layout(struct replay_op op, const struct replay_wide *wides)
{
    uint32_t size = op.what & REPLAY_SIZE_MASK;
    if (ACRE_LIKELY(!(op.what & REPLAY_WIDE)))
        return replay_slot_layout(size, REPLAY_NATURAL_LOG2);
    return replay_slot_layout(wides[size].size, (unsigned)__builtin_ctzll(wides[size].align));
}

ACRE_INLINE void *replay_system_alloc(size_t size, size_t align)
{
    void *ptr = NULL;
    if (align <= ACRE_NATURAL_ALIGN)
        return malloc(size);
    return posix_memalign(&ptr, align, size) == 0 ? ptr : NULL;
}

ACRE_INLINE size_t replay_at_least_one(size_t size)
{
    return size ? size : 1;
}

ACRE_INLINE void *replay_alloc(const struct replay_instance *instance,
    enum replay_backend_type type, size_t size, size_t align)
{
    switch (type) {
    case REPLAY_BUILTIN:
        return acre_alloc(instance->bytes, acre_layout(size, align)).ptr;
    case REPLAY_PLUGIN:
        return instance->backend->plugin->alloc(
            instance->plugin_self, replay_at_least_one(size), align);
    case REPLAY_SYSTEM:
        return replay_system_alloc(size, align);
    case REPLAY_EMPTY:
        break;
    }
    return (void *)(uintptr_t)4096;
}

/** Frees the block of a slot. Built-in allocators alone can refuse that; see the status. */
ACRE_INLINE enum acre_status replay_dealloc(const struct replay_instance *instance,
    enum replay_backend_type type, const struct replay_slot *slot)
{
    if (type == REPLAY_BUILTIN)
        return acre_dealloc(instance->bytes, slot->ptr);
    if (type == REPLAY_PLUGIN)
        instance->backend->plugin->dealloc(instance->plugin_self, slot->ptr,
            replay_at_least_one(replay_slot_size(slot)), replay_slot_align(slot));
    if (type == REPLAY_SYSTEM)
        free(slot->ptr);
    return ACRE_OK;
}

/** What a plugin without a resize of its own costs its users. */
static ACRE_NOINLINE void *replay_plugin_move(
    const struct replay_instance *instance, const struct replay_slot *slot, size_t size)
{
    const struct acre_plugin *plugin = instance->backend->plugin;
    size_t old_size = replay_slot_size(slot);
    void *moved = plugin->alloc(instance->plugin_self, size, replay_slot_align(slot));
    if (!moved)
        return NULL;
    memcpy(moved, slot->ptr, old_size < size ? old_size : size);
    replay_dealloc(instance, REPLAY_PLUGIN, slot);
    return moved;
}

ACRE_INLINE void *replay_plugin_realloc(
    const struct replay_instance *instance, const struct replay_slot *slot, size_t size)
{
    const struct acre_plugin *plugin = instance->backend->plugin;
    if (!plugin->realloc)
        return replay_plugin_move(instance, slot, size);
    return plugin->realloc(instance->plugin_self, slot->ptr,
        replay_at_least_one(replay_slot_size(slot)), size, replay_slot_align(slot));
}

/** The block resized, at natural alignment (a plugin keeps the alignment the block has). */
ACRE_INLINE void *replay_realloc(const struct replay_instance *instance,
    enum replay_backend_type type, const struct replay_slot *slot, size_t size)
{
    switch (type) {
    case REPLAY_BUILTIN:
        return acre_realloc(instance->bytes, slot->ptr, acre_layout(size, ACRE_NATURAL_ALIGN)).ptr;
    case REPLAY_PLUGIN:
        return replay_plugin_realloc(instance, slot, replay_at_least_one(size));
    case REPLAY_SYSTEM:
        return realloc(slot->ptr, replay_at_least_one(size));
    case REPLAY_EMPTY:
        break;
    }
    return slot->ptr;
}

/** Resizes, or allocates when the block could not be had in the first place. */
ACRE_INLINE bool replay_step_realloc(const struct replay_instance *instance,
    enum replay_backend_type type, struct replay_slot *slot, uint64_t layout)
{
    size_t size = (size_t)(layout >> REPLAY_ALIGN_BITS);
    uint64_t align_log2 = type == REPLAY_PLUGIN && slot->ptr ? slot->layout : layout;
    void *ptr = NULL;
    if (slot->ptr)
        ptr = replay_realloc(instance, type, slot, size);
    else
        ptr = replay_alloc(instance, type, size, ACRE_NATURAL_ALIGN);
    if (!ptr)
        return false;
    slot->layout = replay_slot_layout(size, align_log2 & ((1u << REPLAY_ALIGN_BITS) - 1));
    slot->ptr = ptr;
    return true;
}

/**
 * Makes one operation. @return false: the allocator could not serve it.
 * A block that could not be had is not freed.
 */
ACRE_INLINE bool replay_step(const struct replay_instance *instance, enum replay_backend_type type,
    struct replay_op op, const struct replay_wide *wides, struct replay_slot *slots)
{
    struct replay_slot *slot = &slots[op.slot];
    enum replay_verb verb = replay_op_verb(op);
    if (verb == REPLAY_DEALLOC) {
        if (ACRE_LIKELY(slot->ptr != NULL))
            replay_dealloc(instance, type, slot);
        slot->ptr = NULL;
        return true;
    }
    uint64_t layout = replay_op_layout(op, wides);
    if (ACRE_UNLIKELY(verb == REPLAY_REALLOC))
        return replay_step_realloc(instance, type, slot, layout);
    slot->layout = layout;
    slot->ptr = replay_alloc(instance, type, replay_slot_size(slot), replay_slot_align(slot));
    return slot->ptr != NULL;
}

#endif
