/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The lock wrapper around the naive allocator. Its lock can be taken again by its holder, as a
 * visitor of walk does that asks the allocator something. */
#include "support/backends.h"
#include "support/naive.h"

#include <acre/wrap/locked.h>

#include <stdlib.h>

extern const struct acre_subject backend_locked;
extern const struct acre_subject backend_naive;

struct stack {
    struct naive naive;
    struct acre_locked locked;
    size_t held;
};

static void lock(void *arg)
{
    size_t *held = arg;
    ++*held;
}

static void unlock(void *arg)
{
    size_t *held = arg;
    if ((*held)-- == 0)
        abort();
}

static struct acre_bytes bind(void *self)
{
    struct stack *stack = self;
    struct acre_locker locker = { lock, unlock, &stack->held };
    acre_locked_wrap(&stack->locked, (struct acre_bytes){ &naive_ops, &stack->naive }, locker);
    return acre_locked_bytes(&stack->locked);
}

static void normalize(void *self)
{
    struct stack *stack = self;
    backend_naive.normalize(&stack->naive);
}

static size_t slack(size_t usable)
{
    return backend_naive.slack(usable);
}

const struct acre_subject backend_locked = {
    .abi = ACRE_SUBJECT_ABI,
    .name = "locked(naive)",
    .caps = ACRE_SUBJECT_CONTENTS | ACRE_SUBJECT_TILES | ACRE_SUBJECT_EXACT,
    .self_size = sizeof(struct stack),
    .counters = { 1 + offsetof(struct stack, naive.failed) },
    .header = 2 * sizeof(size_t) > ACRE_NATURAL_ALIGN ? 2 * sizeof(size_t) : ACRE_NATURAL_ALIGN,
    .region_enough = 256,
    .arena_most = SIZE_MAX,
    .bind = bind,
    .normalize = normalize,
    .slack = slack,
};
