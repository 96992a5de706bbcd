/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The tally wrapper around the naive allocator, with classes, owners and requested bytes, so that
 * blocks have tags. */
#include "support/backends.h"
#include "support/naive.h"

#include <acre/wrap/tally.h>

extern const struct acre_subject backend_naive;
extern const struct acre_subject backend_tally;

enum { OWNERS = 3 };

/* A free block that is smaller than a tag would be walked as an empty one, whose header and tag
 * take more bytes than the block has: the sums of the model would not add up. The naive
 * allocator's blocks are multiples of its header. */
_Static_assert((int)NAIVE_HEADER >= (int)ACRE_TALLY_TAG + (int)ACRE_TALLY_REQUEST,
    "a free block has room for a tag");

struct stack {
    struct naive naive;
    struct acre_tally tally;
    struct acre_tally_row classes[ACRE_TALLY_CLASSES];
    struct acre_tally_row owners[OWNERS];
};

static struct acre_bytes bind(void *self)
{
    struct stack *stack = self;
    struct acre_bytes naive = { &naive_ops, &stack->naive };
    acre_tally_wrap(
        &stack->tally, naive, stack->classes, ACRE_TALLY_CLASSES, stack->owners, OWNERS);
    acre_tally_count_requests(&stack->tally, true);
    acre_tally_set_owner(&stack->tally, 1);
    return acre_tally_bytes(&stack->tally);
}

static void normalize_rows(struct acre_tally_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        rows[i].peak_blocks = rows[i].live_blocks;
        rows[i].peak_bytes = rows[i].live_bytes;
        rows[i].total_blocks = rows[i].total_bytes = 0;
    }
}

static void normalize(void *self)
{
    struct stack *stack = self;
    backend_naive.normalize(&stack->naive);
    normalize_rows(stack->classes, ACRE_TALLY_CLASSES);
    normalize_rows(stack->owners, OWNERS);
}

static size_t slack(size_t usable)
{
    return backend_naive.slack(usable);
}

const struct acre_subject backend_tally = {
    .abi = ACRE_SUBJECT_ABI,
    .name = "tally(naive)",
    .caps = ACRE_SUBJECT_CONTENTS | ACRE_SUBJECT_TILES | ACRE_SUBJECT_EXACT | ACRE_SUBJECT_PADS,
    .self_size = sizeof(struct stack),
    .counters = { 1 + offsetof(struct stack, naive.failed) },
    .header = NAIVE_HEADER + ACRE_TALLY_TAG + ACRE_TALLY_REQUEST,
    .region_enough = 256,
    .arena_most = SIZE_MAX,
    .bind = bind,
    .normalize = normalize,
    .slack = slack,
};
