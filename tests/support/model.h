/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A byte allocator beside a naive oracle that knows only what the interface promises: which
 * intervals are live, sorted by address, and what was written into them. Each operation is
 * predicted, carried out, compared, and followed by an audit of the whole.
 */
#ifndef ACRE_TESTS_SUPPORT_MODEL_H
#define ACRE_TESTS_SUPPORT_MODEL_H

#include "support/fixture.h"
#include "support/ops.h"

enum {
    MODEL_REGIONS = 64, /* adding one more is left out of a run */
    MODEL_BLOCKS = 1024 /* allocating one more is left out of a run */
};

struct model_block {
    unsigned char *start;
    size_t asked;
    size_t align; /* asked for */
    size_t usable;
    unsigned stamp; /* names the bytes written into it */
};

struct model_region {
    unsigned char *start;
    size_t size;
};

struct model {
    struct fixture *fixture;
    struct model_region regions[MODEL_REGIONS]; /* sorted by start */
    size_t region_count;
    struct model_block blocks[MODEL_BLOCKS]; /* sorted by start */
    size_t block_count;
    void *slots[OP_SLOTS];
    unsigned stamps;
    bool changed;            /* the last operation may have changed the allocator's state */
    bool kept;               /* the fixture's copy is of the present state */
    size_t left_out;         /* not tried: bad pointers that it cannot tell, verbs that it lacks */
    struct acre_stats stats; /* as of the last audit */
    char failure[256];       /* the promise that was broken; empty while all hold */
};

/* Begins with one region: the first half of the arena. The model uses the fixture until it ends. */
void model_begin(struct model *model, struct fixture *fixture);

/* Begins with an allocator that was initialised by the caller and holds nothing but free memory in
 * the regions given. */
void model_adopt(struct model *model, struct fixture *fixture);

/* Carries out one operation. False: a promise was broken, and `failure` says which. */
bool model_apply(struct model *model, const struct op *op);

/* Frees all that lives, then compares the accounts with those of an empty allocator. */
bool model_finish(struct model *model);

/* Runs operations from the beginning to the end; returns false at the first broken promise, with
 * the number of operations done in *done. */
bool model_run(
    struct model *model, struct fixture *fixture, const struct op *ops, size_t count, size_t *done);

/* ---- shared by the files of the model ---- */

/* Notes a broken promise, unless one is noted already; returns false. */
__attribute__((format(printf, 2, 3))) bool model_fail(struct model *model, const char *format, ...);

/* The live block that starts at an address; null when none does. */
struct model_block *model_find(struct model *model, const void *ptr);

/* Index of the first live block that starts at or above an address. */
size_t model_above(const struct model *model, const void *ptr);

/* The statuses that the contract allows for an operation, as bits 1 << status. */
unsigned model_expect_range(struct model *model, const void *start, size_t size);
unsigned model_expect_remove(struct model *model, const void *start);
unsigned model_expect_alloc(struct model *model, size_t size, size_t align);
unsigned model_expect_free_sized(struct model *model, const void *ptr, size_t size, size_t align);
unsigned model_expect_resize(struct model *model, const void *ptr, size_t size);
unsigned model_expect_realloc(struct model *model, const void *ptr, size_t size, size_t align);

/* True when the contract wants realloc to leave this live block where it stands. */
bool model_must_stay(
    struct model *model, const struct model_block *block, size_t size, size_t align);

/* Writes the block's stamp over all of its usable bytes. */
void model_stamp(struct model *model, struct model_block *block);

/* True when the first `size` bytes of a place hold the stamp. */
bool model_holds(const unsigned char *place, size_t size, unsigned stamp);

/* Audits accounts and, unless nothing has changed, check, walk and contents; notes the accounts in
 * `stats`. `status` is what the operation answered, `verb` what it was. */
bool model_audit(struct model *model, enum op_verb verb, enum acre_status status);

#endif
