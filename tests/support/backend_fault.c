/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The fault wrapper with nothing to refuse, around the naive allocator. */
#include "support/backends.h"
#include "support/naive.h"

#include <acre/wrap.h>

extern const struct acre_subject backend_fault;
extern const struct acre_subject backend_naive;

struct stack {
    struct naive naive;
    struct acre_fault fault;
};

static struct acre_bytes bind(void *self)
{
    struct stack *stack = self;
    acre_fault_wrap(&stack->fault, (struct acre_bytes){ &naive_ops, &stack->naive });
    return acre_fault_bytes(&stack->fault);
}

static void normalize(void *self)
{
    struct stack *stack = self;
    backend_naive.normalize(&stack->naive);
    stack->fault.failed = 0;
    stack->fault.requests = 0;
}

static size_t slack(size_t usable)
{
    return backend_naive.slack(usable);
}

const struct acre_subject backend_fault = {
    .abi = ACRE_SUBJECT_ABI,
    .name = "fault(naive)",
    .caps = ACRE_SUBJECT_CONTENTS | ACRE_SUBJECT_TILES | ACRE_SUBJECT_SCRUB | ACRE_SUBJECT_EXACT,
    .self_size = sizeof(struct stack),
    .counters = { 1 + offsetof(struct stack, naive.failed),
        1 + offsetof(struct stack, fault.failed), 1 + offsetof(struct stack, fault.requests) },
    .header = 2 * sizeof(size_t) > ACRE_NATURAL_ALIGN ? 2 * sizeof(size_t) : ACRE_NATURAL_ALIGN,
    .region_enough = 256,
    .arena_most = SIZE_MAX,
    .bind = bind,
    .normalize = normalize,
    .slack = slack,
};
