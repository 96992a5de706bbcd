/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "support/shrink.h"

#include <stdlib.h>
#include <string.h>

struct run {
    struct op *ops;
    size_t count;
    struct op *trial; /* room for count operations */
    shrink_fails_fn *fails;
    void *arg;
};

/* Leaves out [from, from + size) for good if the run fails without it. */
static bool drop(struct run *run, size_t from, size_t size)
{
    size_t after = from + size;
    memcpy(run->trial, run->ops, from * sizeof *run->ops);
    memcpy(run->trial + from, run->ops + after, (run->count - after) * sizeof *run->ops);
    if (!run->fails(run->arg, run->trial, run->count - size))
        return false;
    run->count -= size;
    memcpy(run->ops, run->trial, run->count * sizeof *run->ops);
    return true;
}

static void drop_pieces(struct run *run, size_t size)
{
    size_t from = run->count; /* the end first: what follows the failure goes at once */
    while (from > 0) {
        size_t piece = from < size ? from : size;
        from -= piece;
        drop(run, from, piece);
    }
}

/* Leaves out pairs that only make sense together, such as a block's birth and death. */
static bool drop_pair(struct run *run, size_t first)
{
    for (size_t second = first + 1; second < run->count; second++) {
        struct op removed = run->ops[second];
        if (removed.place != run->ops[first].place || removed.index != run->ops[first].index)
            continue;
        memcpy(run->trial, run->ops, run->count * sizeof *run->ops);
        memmove(run->trial + second, run->trial + second + 1,
            (run->count - second - 1) * sizeof *run->ops);
        memmove(run->trial + first, run->trial + first + 1,
            (run->count - first - 2) * sizeof *run->ops);
        if (run->fails(run->arg, run->trial, run->count - 2)) {
            run->count -= 2;
            memcpy(run->ops, run->trial, run->count * sizeof *run->ops);
            return true;
        }
    }
    return false;
}

static bool keep_if_fails(struct run *run, size_t at, struct op simpler)
{
    struct op was = run->ops[at];
    run->ops[at] = simpler;
    if (run->fails(run->arg, run->ops, run->count))
        return true;
    run->ops[at] = was;
    return false;
}

static void simplify_align(struct run *run, size_t at)
{
    struct op op = run->ops[at];
    if (!op_has_align(op.verb) || op.align <= 1)
        return;
    op.align = 1;
    if (keep_if_fails(run, at, op))
        return;
    for (op = run->ops[at]; op.align > 1; op = run->ops[at]) {
        op.align /= 2;
        if (!keep_if_fails(run, at, op))
            return;
    }
}

static void simplify_offset(struct run *run, size_t at)
{
    struct op op = run->ops[at];
    if (!op_has_ptr(op.verb) || op.offset == 0)
        return;
    op.offset = 0;
    if (keep_if_fails(run, at, op))
        return;
    op.offset = run->ops[at].offset & ~(int64_t)15;
    if (op.offset != run->ops[at].offset)
        keep_if_fails(run, at, op);
}

/* Towards 0 by halves, then by sixteenths, then by ones. */
static void simplify_size(struct run *run, size_t at)
{
    static const int64_t steps[] = { 2, 16, 0 };
    if (!op_has_size(run->ops[at].verb))
        return;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        for (;;) {
            struct op op = run->ops[at];
            op.size -= steps[i] != 0 ? op.size / steps[i] : (op.size > 0) - (op.size < 0);
            if (op.size == run->ops[at].size || !keep_if_fails(run, at, op))
                break;
        }
    }
}

size_t shrink(struct op *ops, size_t count, shrink_fails_fn *fails, void *arg)
{
    struct run run = { ops, count, malloc((count + 1) * sizeof *ops), fails, arg };
    if (run.trial == NULL)
        return count;
    for (size_t before = 0; before != run.count;) {
        before = run.count;
        for (size_t size = run.count / 2; size > 0; size /= 2)
            drop_pieces(&run, size);
        for (size_t at = 0; at + 1 < run.count;)
            at += !drop_pair(&run, at);
    }
    for (size_t at = 0; at < run.count; at++) {
        simplify_align(&run, at);
        simplify_offset(&run, at);
        simplify_size(&run, at);
    }
    free(run.trial);
    return run.count;
}
