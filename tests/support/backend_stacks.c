/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* All wrappers at once over naive allocators, in two orders. */
#include "support/backends.h"
#include "support/naive.h"

#include <acre/wrap.h>

#include <stdlib.h>

extern const struct acre_subject backend_naive;
extern const struct acre_subject backend_stack;
extern const struct acre_subject backend_stack_turned;

struct stack {
    struct naive naive[2];
    struct acre_fallback fallback;
    struct acre_fault fault;
    struct acre_guard guard[2];
    struct acre_tally tally;
    struct acre_tally_row rows[3];
    struct acre_tracer tracer;
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

static void no_damage(void *arg, const struct acre_guard_damage *damage)
{
    (void)arg;
    (void)damage;
    abort();
}

static void throw_away(void *arg, const void *text, size_t size)
{
    (void)arg;
    (void)text;
    (void)size;
}

/* Stacks one wrapper on the handle. */

static struct acre_bytes fallback(
    struct stack *stack, struct acre_bytes first, struct acre_bytes second)
{
    acre_fallback_wrap(&stack->fallback, first, second);
    return acre_fallback_bytes(&stack->fallback);
}

static struct acre_bytes fault(struct stack *stack, struct acre_bytes inner)
{
    acre_fault_wrap(&stack->fault, inner);
    return acre_fault_bytes(&stack->fault);
}

static struct acre_bytes guard(struct acre_guard *guard, struct acre_bytes inner)
{
    acre_guard_wrap(guard, inner, no_damage, NULL);
    return acre_guard_bytes(guard);
}

static struct acre_bytes tally(struct stack *stack, struct acre_bytes inner)
{
    acre_tally_wrap(&stack->tally, inner, NULL, 0, stack->rows, 3);
    return acre_tally_bytes(&stack->tally);
}

static struct acre_bytes tracer(struct stack *stack, struct acre_bytes inner)
{
    struct acre_tracer_sink sink = { throw_away, NULL, NULL };
    acre_tracer_wrap(&stack->tracer, inner, sink);
    acre_tracer_begin(&stack->tracer, "stack");
    return acre_tracer_bytes(&stack->tracer);
}

static struct acre_bytes locked(struct stack *stack, struct acre_bytes inner)
{
    struct acre_locker locker = { lock, unlock, &stack->held };
    acre_locked_wrap(&stack->locked, inner, locker);
    return acre_locked_bytes(&stack->locked);
}

static struct acre_bytes naive(struct stack *stack, size_t i)
{
    return (struct acre_bytes){ &naive_ops, &stack->naive[i] };
}

static struct acre_bytes bind(void *self)
{
    struct stack *stack = self;
    struct acre_bytes both = fallback(stack, naive(stack, 0), naive(stack, 1));
    struct acre_bytes inner = guard(&stack->guard[0], fault(stack, both));
    return locked(stack, tracer(stack, tally(stack, inner)));
}

static struct acre_bytes bind_turned(void *self)
{
    struct stack *stack = self;
    struct acre_bytes first = locked(stack, naive(stack, 0));
    struct acre_bytes second = tracer(stack, naive(stack, 1));
    first = guard(&stack->guard[0], first);
    second = guard(&stack->guard[1], second);
    return fault(stack, tally(stack, fallback(stack, first, second)));
}

static void normalize(void *self)
{
    struct stack *stack = self;
    backend_naive.normalize(&stack->naive[0]);
    backend_naive.normalize(&stack->naive[1]);
}

static size_t slack(size_t usable)
{
    (void)usable;
    return 0;
}

#define STACK(title, binder)                                                                       \
    {                                                                                              \
        .abi = ACRE_SUBJECT_ABI, .name = title,                                                    \
        .caps = ACRE_SUBJECT_CONTENTS | ACRE_SUBJECT_ASKED | ACRE_SUBJECT_PADS |                   \
                (ACRE_CHECK_POINTERS ? ACRE_SUBJECT_EXACT : 0),                                    \
        .self_size = sizeof(struct stack),                                                         \
        .counters = { 1 + offsetof(struct stack, naive[0].failed),                                 \
            1 + offsetof(struct stack, naive[1].failed),                                           \
            1 + offsetof(struct stack, fallback.failed),                                           \
            1 + offsetof(struct stack, fault.requests), 1 + offsetof(struct stack, fault.failed),  \
            1 + offsetof(struct stack, guard[0].failed),                                           \
            1 + offsetof(struct stack, guard[1].failed),                                           \
            1 + offsetof(struct stack, tracer.unmatched) },                                        \
        .region_enough = 256, .arena_most = SIZE_MAX, .bind = binder, .normalize = normalize,      \
        .slack = slack                                                                             \
    }

const struct acre_subject backend_stack =
    STACK("locked(tracer(tally(guard(fault(fallback)))))", bind);
const struct acre_subject backend_stack_turned =
    STACK("fault(tally(fallback(guard(locked), guard(tracer))))", bind_turned);
