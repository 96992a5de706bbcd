/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The trace wrapper around the naive allocator, recording; the text is thrown away. */
#include "support/backends.h"
#include "support/naive.h"

#include <acre/wrap/tracer.h>

extern const struct acre_subject backend_naive;
extern const struct acre_subject backend_tracer;

struct stack {
    struct naive naive;
    struct acre_tracer tracer;
};

static void throw_away(void *arg, const void *text, size_t size)
{
    (void)arg;
    (void)text;
    (void)size;
}

static struct acre_bytes bind(void *self)
{
    struct stack *stack = self;
    struct acre_bytes naive = { &naive_ops, &stack->naive };
    struct acre_tracer_sink sink = { throw_away, NULL, NULL };
    acre_tracer_wrap(&stack->tracer, naive, sink);
    acre_tracer_begin(&stack->tracer, "backend");
    return acre_tracer_bytes(&stack->tracer);
}

static void normalize(void *self)
{
    struct stack *stack = self;
    backend_naive.normalize(&stack->naive);
    stack->tracer.unmatched = 0;
}

static size_t slack(size_t usable)
{
    return backend_naive.slack(usable);
}

const struct acre_subject backend_tracer = {
    .abi = ACRE_SUBJECT_ABI,
    .name = "tracer(naive)",
    .caps = ACRE_SUBJECT_CONTENTS | ACRE_SUBJECT_TILES | ACRE_SUBJECT_EXACT,
    .self_size = sizeof(struct stack),
    .counters = { 1 + offsetof(struct stack, naive.failed),
        1 + offsetof(struct stack, tracer.unmatched) },
    .header = 2 * sizeof(size_t) > ACRE_NATURAL_ALIGN ? 2 * sizeof(size_t) : ACRE_NATURAL_ALIGN,
    .region_enough = 256,
    .arena_most = SIZE_MAX,
    .bind = bind,
    .normalize = normalize,
    .slack = slack,
};
