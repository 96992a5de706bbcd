/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The guard wrapper around the naive allocator; damage, of which a suite does none, ends the test.
 */
#include "support/backends.h"
#include "support/naive.h"

#include <acre/wrap/guard.h>

#include <stdlib.h>

extern const struct acre_subject backend_guard;
extern const struct acre_subject backend_naive;

struct stack {
    struct naive naive;
    struct acre_guard guard;
};

static void no_damage(void *arg, const struct acre_guard_damage *damage)
{
    (void)arg;
    (void)damage;
    abort();
}

static struct acre_bytes bind(void *self)
{
    struct stack *stack = self;
    struct acre_bytes naive = { &naive_ops, &stack->naive };
    acre_guard_wrap(&stack->guard, naive, no_damage, NULL);
    return acre_guard_bytes(&stack->guard);
}

static void normalize(void *self)
{
    struct stack *stack = self;
    backend_naive.normalize(&stack->naive);
    stack->guard.failed = 0;
}

static size_t slack(size_t usable)
{
    (void)usable;
    return 0;
}

const struct acre_subject backend_guard = {
    .abi = ACRE_SUBJECT_ABI,
    .name = "guard(naive)",
    .caps = ACRE_SUBJECT_CONTENTS | ACRE_SUBJECT_ASKED | ACRE_SUBJECT_PADS |
            (ACRE_CHECK_POINTERS ? ACRE_SUBJECT_EXACT : 0),
    .self_size = sizeof(struct stack),
    .counters = { 1 + offsetof(struct stack, naive.failed),
        1 + offsetof(struct stack, guard.failed) },
    .region_enough = 256,
    .arena_most = SIZE_MAX,
    .bind = bind,
    .normalize = normalize,
    .slack = slack,
};
