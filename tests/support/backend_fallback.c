/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Two naive allocators as one. */
#include "support/backends.h"
#include "support/naive.h"

#include <acre/wrap/fallback.h>

extern const struct acre_subject backend_fallback;
extern const struct acre_subject backend_naive;

struct stack {
    struct naive first;
    struct naive second;
    struct acre_fallback fallback;
};

static struct acre_bytes bind(void *self)
{
    struct stack *stack = self;
    struct acre_bytes first = { &naive_ops, &stack->first };
    struct acre_bytes second = { &naive_ops, &stack->second };
    acre_fallback_wrap(&stack->fallback, first, second);
    return acre_fallback_bytes(&stack->fallback);
}

static void normalize(void *self)
{
    struct stack *stack = self;
    backend_naive.normalize(&stack->first);
    backend_naive.normalize(&stack->second);
    stack->fallback.spilled = 1; /* from then on peaks are noted */
    stack->fallback.failed = 0;
    stack->fallback.peak = stack->first.used + stack->second.used;
}

static size_t slack(size_t usable)
{
    return backend_naive.slack(usable);
}

const struct acre_subject backend_fallback = {
    .abi = ACRE_SUBJECT_ABI,
    .name = "fallback(naive, naive)",
    .caps = ACRE_SUBJECT_CONTENTS | ACRE_SUBJECT_TILES | ACRE_SUBJECT_SCRUB | ACRE_SUBJECT_EXACT,
    .self_size = sizeof(struct stack),
    .counters = { 1 + offsetof(struct stack, first.failed),
        1 + offsetof(struct stack, second.failed), 1 + offsetof(struct stack, fallback.failed) },
    .header = 2 * sizeof(size_t) > ACRE_NATURAL_ALIGN ? 2 * sizeof(size_t) : ACRE_NATURAL_ALIGN,
    .region_enough = 256,
    .arena_most = SIZE_MAX,
    .bind = bind,
    .normalize = normalize,
    .slack = slack,
};
