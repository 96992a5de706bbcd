/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The loops that call an allocator. They are templates: REPLAY_DEFINE_LOOPS inlines them into
 * functions of one backend, in which its calls are constants, so that each backend is called as its
 * users call it, and all pay the same few instructions for the replay itself.
 */
#ifndef ACRE_REPLAY_LOOP_H
#define ACRE_REPLAY_LOOP_H

#include "base/compiler.h"
#include "clock/clock.h"
#include "replay/backend.h"
#include "replay/script.h"

#include <signal.h>
#include <string.h>

/** A block, or none, and its request: size << 6 | log2 of the alignment. */
struct replay_slot {
    void *ptr;
    uint64_t layout;
};

#define REPLAY_ALIGN_BITS 6

ACRE_INLINE uint64_t replay_slot_layout(uint64_t size, unsigned align_log2)
{
    return size << REPLAY_ALIGN_BITS | align_log2;
}

ACRE_INLINE size_t replay_slot_size(const struct replay_slot *slot)
{
    return (size_t)(slot->layout >> REPLAY_ALIGN_BITS);
}

ACRE_INLINE size_t replay_layout_align(uint64_t layout)
{
    return (size_t)1 << (layout & ((1u << REPLAY_ALIGN_BITS) - 1));
}

ACRE_INLINE size_t replay_slot_align(const struct replay_slot *slot)
{
    return replay_layout_align(slot->layout);
}

/** The layout that an operation asks for, in the form that a slot keeps. */
ACRE_INLINE uint64_t replay_op_layout(
    struct replay_op op, const struct replay_wide *wides, unsigned align_log2)
{
    uint32_t size = op.what & REPLAY_SIZE_MASK;
    if (ACRE_LIKELY(!(op.what & REPLAY_WIDE)))
        return replay_slot_layout(size, align_log2);
    return replay_slot_layout(wides[size].size, (unsigned)__builtin_ctzll(wides[size].align));
}

/** The size that an operation asks for, in bytes. */
ACRE_INLINE uint64_t replay_op_size(struct replay_op op, const struct replay_wide *wides)
{
    return replay_op_layout(op, wides, 0) >> REPLAY_ALIGN_BITS;
}

/** Whether the block that an operation asks for is zeroed. */
ACRE_INLINE bool replay_op_zeroed(struct replay_op op, const struct replay_wide *wides)
{
    return ACRE_UNLIKELY(op.what & REPLAY_WIDE) && wides[op.what & REPLAY_SIZE_MASK].zeroed;
}

/* ---- one operation ---- */

typedef void *replay_alloc_fn(void *self, size_t size, size_t align);
typedef void replay_dealloc_fn(void *self, void *ptr, size_t size, size_t align);
typedef void *replay_realloc_fn(
    void *self, void *ptr, size_t old_size, size_t new_size, size_t align);

/** Resizes, or allocates when the block could not be had in the first place. A plugin keeps the
 * alignment that the block has (`keeps`). */
ACRE_INLINE bool replay_step_realloc(struct replay_slot *slot, uint64_t layout, void *self,
    replay_alloc_fn *alloc, replay_realloc_fn *resize, bool keeps)
{
    const uint64_t align_mask = (1u << REPLAY_ALIGN_BITS) - 1;
    size_t size = (size_t)(layout >> REPLAY_ALIGN_BITS);
    void *ptr;
    if (keeps && slot->ptr)
        layout = (layout & ~align_mask) | (slot->layout & align_mask);
    if (slot->ptr)
        ptr = resize(self, slot->ptr, replay_slot_size(slot), size, replay_layout_align(layout));
    else
        ptr = alloc(self, size, replay_layout_align(layout));
    if (!ptr)
        return false;
    *slot = (struct replay_slot){ ptr, layout };
    return true;
}

/* Inlined into each backend's loops with its functions, hence so many parameters.
 * NOLINTBEGIN(readability-function-size) */

/** Allocates a zeroed block; a backend that has no call for that (`zeroed` null) clears it. */
ACRE_INLINE void *replay_step_zeroed(
    size_t size, size_t align, void *self, replay_alloc_fn *alloc, replay_alloc_fn *zeroed)
{
    if (zeroed)
        return zeroed(self, size, align);
    void *ptr = alloc(self, size, align);
    return ptr ? memset(ptr, 0, size) : NULL;
}

/**
 * Makes one operation. @return false: the allocator could not serve it.
 * A block that could not be had is not freed.
 */
ACRE_INLINE bool replay_step_with(struct replay_op op, const struct replay_wide *wides,
    unsigned align_log2, struct replay_slot *slots, void *self, replay_alloc_fn *alloc,
    replay_alloc_fn *zeroed, replay_dealloc_fn *dealloc, replay_realloc_fn *resize, bool keeps)
{
    struct replay_slot *slot = &slots[op.slot];
    enum replay_verb verb = replay_op_verb(op);
    if (verb == REPLAY_DEALLOC) {
        if (ACRE_LIKELY(slot->ptr != NULL))
            dealloc(self, slot->ptr, replay_slot_size(slot), replay_slot_align(slot));
        slot->ptr = NULL;
        return true;
    }
    uint64_t layout = replay_op_layout(op, wides, align_log2);
    if (ACRE_UNLIKELY(verb == REPLAY_REALLOC))
        return replay_step_realloc(slot, layout, self, alloc, resize, keeps);
    slot->layout = layout;
    size_t size = replay_slot_size(slot);
    size_t align = replay_slot_align(slot);
    slot->ptr = ACRE_UNLIKELY(replay_op_zeroed(op, wides))
                    ? replay_step_zeroed(size, align, self, alloc, zeroed)
                    : alloc(self, size, align);
    return slot->ptr != NULL;
}

/** The same where nothing is timed: operation `op` of `script`, through the instance's table. */
bool replay_step(const struct replay_instance *instance, struct replay_op op,
    const struct replay_script *script, struct replay_slot *slots);

/** Frees the block of a slot. @return what an allocator built in says; ACRE_OK of all others. */
enum acre_status replay_dealloc(
    const struct replay_instance *instance, const struct replay_slot *slot);

/* ---- loops ---- */

typedef uint64_t replay_loop_fn(const struct replay_window *window,
    const struct replay_instance *instance, struct replay_slot *slots);

/** The loops of one backend. The first four return how many operations were not served. */
struct replay_loops {
    replay_loop_fn *plain;
    replay_loop_fn *strict;   /**< Stops at the first operation that is not served. */
    replay_loop_fn *touching; /**< Writes each byte of a block when it is allocated. */
    replay_loop_fn *trapping; /**< A trap before and after each operation. */
    /** Times each operation: lowers its `ticks` to the time it took, less `cost`. */
    void (*ticks)(const struct replay_window *window, const struct replay_instance *instance,
        struct replay_slot *slots, uint32_t *ticks, uint64_t cost);
    /** An operation fills its slot when that is empty and frees its block otherwise; `what` is the
     * size alone, and every alignment is REPLAY_TOGGLE_ALIGN. The tightest of the loops: eight
     * instructions per operation and the call. */
    void (*toggling)(
        const struct replay_window *window, const struct replay_instance *instance, void **blocks);
    replay_alloc_fn *zeroed; /**< Null: blocks are cleared by the replay. */
};

#define REPLAY_TOGGLE_ALIGN 8u

enum replay_loop_mode { REPLAY_PLAIN, REPLAY_STRICT, REPLAY_TOUCHING, REPLAY_TRAPPING };

/** A trap that a stepping parent waits for. */
ACRE_INLINE void replay_trap(void)
{
#if defined(__x86_64__)
    __asm__ volatile("int3" ::: "memory");
#else
    raise(SIGTRAP);
#endif
}

/** Writes the bytes of a block that the operation added; it had `before`. */
ACRE_INLINE void replay_touch(const struct replay_slot *slot, size_t before)
{
    if (slot->ptr && replay_slot_size(slot) > before)
        memset((char *)slot->ptr + before, 0x5A, replay_slot_size(slot) - before);
}

/** Bytes that the slot holds before an operation and keeps. */
ACRE_INLINE size_t replay_kept(const struct replay_slot *slot, struct replay_op op)
{
    return slot->ptr && replay_op_verb(op) == REPLAY_REALLOC ? replay_slot_size(slot) : 0;
}

ACRE_INLINE uint64_t replay_loop_any(const struct replay_window *window,
    const struct replay_instance *instance, struct replay_slot *slots, replay_alloc_fn *alloc,
    replay_alloc_fn *zeroed, replay_dealloc_fn *dealloc, replay_realloc_fn *resize, bool keeps,
    enum replay_loop_mode mode)
{
    void *const self = instance->self;
    const bool touches = mode == REPLAY_TOUCHING && self;
    const struct replay_wide *const wides = window->wides;
    const unsigned align_log2 = window->align_log2;
    const struct replay_op *const end = window->ops + window->count;
    uint64_t failed = 0;
    for (const struct replay_op *op = window->ops; op < end; op++) {
        size_t before = touches ? replay_kept(&slots[op->slot], *op) : 0;
        if (mode == REPLAY_TRAPPING)
            replay_trap();
        bool served = replay_step_with(
            *op, wides, align_log2, slots, self, alloc, zeroed, dealloc, resize, keeps);
        if (mode == REPLAY_TRAPPING)
            replay_trap();
        if (touches && served)
            replay_touch(&slots[op->slot], before);
        failed += !served;
        if (mode == REPLAY_STRICT && !served)
            break;
    }
    return failed;
}

ACRE_INLINE void replay_loop_ticks(const struct replay_window *window,
    const struct replay_instance *instance, struct replay_slot *slots, uint32_t *ticks,
    uint64_t cost, replay_alloc_fn *alloc, replay_alloc_fn *zeroed, replay_dealloc_fn *dealloc,
    replay_realloc_fn *resize, bool keeps)
{
    void *const self = instance->self;
    for (uint64_t i = 0; i < window->count; i++) {
        uint64_t start = acre_clock_ticks();
        replay_step_with(window->ops[i], window->wides, window->align_log2, slots, self, alloc,
            zeroed, dealloc, resize, keeps);
        uint64_t took = acre_clock_ticks() - start;
        took = took > cost ? took - cost : 0;
        if (took < ticks[i])
            ticks[i] = (uint32_t)took;
    }
}

ACRE_INLINE void replay_loop_toggle(const struct replay_window *window,
    const struct replay_instance *instance, void **blocks, replay_alloc_fn *alloc,
    replay_dealloc_fn *dealloc)
{
    const struct replay_op *op = window->ops;
    const struct replay_op *end = op + window->count;
    void *self = instance->self;
    for (; op != end; op++) {
        void **slot = &blocks[op->slot];
        void *block = *slot;
        if (block) {
            dealloc(self, block, op->what, REPLAY_TOGGLE_ALIGN);
            block = NULL;
        } else {
            block = alloc(self, op->what, REPLAY_TOGGLE_ALIGN);
        }
        *slot = block;
    }
}

#define REPLAY_DEFINE_LOOP(name, alloc, zeroed, dealloc, resize, keeps, mode)                      \
    static ACRE_NOINLINE uint64_t name(const struct replay_window *window,                         \
        const struct replay_instance *instance, struct replay_slot *slots)                         \
    {                                                                                              \
        return replay_loop_any(                                                                    \
            window, instance, slots, alloc, zeroed, dealloc, resize, keeps, mode);                 \
    }

/** Defines `struct replay_loops NAME_loops` over four functions of the types above, or expressions
 * of `instance` that give them; `zeroed` may be a null pointer. */
#define REPLAY_DEFINE_LOOPS(linkage, name, alloc, zeroed, dealloc, resize, keeps)                  \
    REPLAY_DEFINE_LOOP(name##_plain, alloc, zeroed, dealloc, resize, keeps, REPLAY_PLAIN)          \
    REPLAY_DEFINE_LOOP(name##_strict, alloc, zeroed, dealloc, resize, keeps, REPLAY_STRICT)        \
    REPLAY_DEFINE_LOOP(name##_touching, alloc, zeroed, dealloc, resize, keeps, REPLAY_TOUCHING)    \
    REPLAY_DEFINE_LOOP(name##_trapping, alloc, zeroed, dealloc, resize, keeps, REPLAY_TRAPPING)    \
    static ACRE_NOINLINE void name##_ticks(const struct replay_window *window,                     \
        const struct replay_instance *instance, struct replay_slot *slots, uint32_t *ticks,        \
        uint64_t cost)                                                                             \
    {                                                                                              \
        replay_loop_ticks(                                                                         \
            window, instance, slots, ticks, cost, alloc, zeroed, dealloc, resize, keeps);          \
    }                                                                                              \
    static ACRE_NOINLINE void name##_toggling(                                                     \
        const struct replay_window *window, const struct replay_instance *instance, void **blocks) \
    {                                                                                              \
        replay_loop_toggle(window, instance, blocks, alloc, dealloc);                              \
    }                                                                                              \
    linkage const struct replay_loops name##_loops = { name##_plain, name##_strict,                \
        name##_touching, name##_trapping, name##_ticks, name##_toggling, zeroed }

/* What backend.c chooses from. */
extern const struct acre_plugin replay_builtin_calls, replay_system_calls, replay_empty_calls;
extern const struct replay_loops replay_builtin_loops, replay_plugin_loops, replay_system_loops,
    replay_empty_loops;

/* NOLINTEND(readability-function-size) */

#endif
