/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A pool under test: one of the registry's byte allocators over memory of a given size, behind a
 * wrapper that refuses requests. A library's work is a function over it that says how it ended.
 */
#ifndef ACRE_TESTS_HOOKS_POOL_H
#define ACRE_TESTS_HOOKS_POOL_H

#include "registry/registry.h"

#include <acre/bytes.h>
#include <acre/wrap.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct pool {
    const struct acre_backend *backend;
    void *self;
    void *memory;
    struct acre_fault fault;
    struct acre_bytes bytes; /* the wrapper's */
    struct acre_base base;
};

/* How a piece of work ended; a wrong result is asserted on the spot. */
enum outcome {
    DONE,      /* with the right result */
    NO_MEMORY, /* with the error that the library has for it; everything is cleaned up */
};

/* Cleans up after itself in either case. */
typedef enum outcome work_fn(struct pool *pool);

/* False: the size is too small for this allocator, and there is no pool. */
bool pool_open(struct pool *pool, const struct acre_backend *backend, size_t size);

/* Asserts that no block is live and that the structure is sound. */
void pool_assert_empty(const struct pool *pool);

/* The same with exactly so many blocks that the library keeps for ever. */
void pool_assert_left(const struct pool *pool, size_t blocks);

void pool_close(struct pool *pool);

/* Does the work once, in a pool of `size` bytes that is enough for it. */
void pool_does(const struct acre_backend *backend, size_t size, work_fn *work);

/*
 * Does the work with its first request refused, then the second, and so on up to `most` or until
 * none is left to refuse. Asserts that each refusal ended in NO_MEMORY or in a right result all the
 * same, and at least one in NO_MEMORY.
 */
void pool_refuses_each(const struct acre_backend *backend, size_t size, size_t most, work_fn *work);

/*
 * Does the work in a pool of `most` bytes that is full, which must end in NO_MEMORY, and when it is
 * empty again; then in pools of `least` bytes and more, until one is enough.
 */
void pool_grows(const struct acre_backend *backend, size_t least, size_t most, work_fn *work);

/* Takes every byte that is left, and what goes back to pool_give_back. */
void *pool_take_all(const struct pool *pool);
void pool_give_back(const struct pool *pool, void *taken);

struct pool_case {
    const char *name;
    CMUnitTestFunction run; /* its state is the struct acre_backend */
};

/* A cmocka run of every test case on every byte allocator built in. */
int pool_run(const char *group, const struct pool_case *cases, size_t count);

/* One piece of work for all three of the above. */
struct pool_job {
    const char *what;
    work_fn *work;
    size_t enough; /* bytes of a pool in which it ends well */
    size_t least;  /* bytes of a pool that is too small for most allocators */
};

/* A cmocka run of a job: done once, each request refused, pools too small; on every allocator. */
int pool_run_job(const char *group, const struct pool_job *job);

#endif
