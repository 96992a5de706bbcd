/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A shared handle with a lock over one without, over the naive allocator: both tables at once. The
 * lock is recursive, since visitors of walk may call the allocator, and ends the program when it is
 * released without being held, or never released. */
#include "support/backends.h"
#include "support/naive.h"

#include <acre/shared.h>

#include <stdlib.h>

extern const struct acre_subject backend_shared;
extern const struct acre_subject backend_naive;

struct stack {
    struct naive naive;
    struct acre_shared plain;
    struct acre_shared locked;
    size_t held;
};

static void take(void *arg)
{
    struct stack *stack = arg;
    stack->held++;
}

static void give(void *arg)
{
    struct stack *stack = arg;
    if (stack->held-- == 0)
        abort();
}

static struct acre_bytes bind(void *self)
{
    struct stack *stack = self;
    struct acre_shared_pool none = { NULL, 0, NULL, NULL };
    struct acre_bytes naive = { &naive_ops, &stack->naive };
    if (acre_shared_make(&stack->plain, naive, none) != ACRE_OK ||
        acre_shared_make_threadsafe(&stack->locked, acre_shared_bytes(&stack->plain), none,
            (struct acre_locker){ take, give, stack }) != ACRE_OK)
        abort();
    return acre_shared_bytes(&stack->locked);
}

static void normalize(void *self)
{
    struct stack *stack = self;
    if (stack->held != 0)
        abort();
    backend_naive.normalize(&stack->naive);
}

static size_t slack(size_t usable)
{
    return backend_naive.slack(usable);
}

const struct acre_subject backend_shared = {
    .abi = ACRE_SUBJECT_ABI,
    .name = "shared(naive)",
    .caps = ACRE_SUBJECT_CONTENTS | ACRE_SUBJECT_TILES | ACRE_SUBJECT_SCRUB | ACRE_SUBJECT_EXACT,
    .self_size = sizeof(struct stack),
    .counters = { 1 + offsetof(struct stack, naive.failed) },
    .header = 2 * sizeof(size_t) > ACRE_NATURAL_ALIGN ? 2 * sizeof(size_t) : ACRE_NATURAL_ALIGN,
    .region_enough = 256,
    .arena_most = SIZE_MAX,
    .bind = bind,
    .normalize = normalize,
    .slack = slack,
};
