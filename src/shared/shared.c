/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The reference count of a shared handle. Every change is checked before it is made: the count
 * never passes SIZE_MAX and never leaves 0.
 *
 * The handle's table depends on whether the owner supplied a lock: with a lock the one of
 * acre_locked, without one the pass-through, since the struct begins with the inner allocator.
 *
 * SHARED-1: while count > 0, inner is the owner's allocator and locker the owner's lock.
 * SHARED-2: once count is 0, it stays 0, inner is the null allocator and there is no lock.
 */
#include <acre/shared.h>
#include <acre/wrap/pass.h>

#include "base/compiler.h"
#include "base/locked.h"
#include "base/null.h"

#include <stdatomic.h>

_Static_assert(sizeof(_Atomic size_t) == sizeof(size_t), "the count is a word that may be atomic");
_Static_assert(_Alignof(_Atomic size_t) == _Alignof(size_t), "and is aligned for it");
_Static_assert(offsetof(struct acre_shared, locked) == 0, "acre_locked_ops finds its struct");

/* ---- the count; where a machine has no atomic instructions, it is a plain word ---- */

#if ATOMIC_POINTER_LOCK_FREE == 2
static const enum acre_status shared_threadsafe_status = ACRE_OK;

static size_t shared_load(const struct acre_shared *shared)
{
    return atomic_load_explicit(
        (const _Atomic size_t *)(const void *)&shared->count, memory_order_relaxed);
}

static void shared_store(struct acre_shared *shared, size_t to)
{
    atomic_store_explicit((_Atomic size_t *)(void *)&shared->count, to, memory_order_relaxed);
}

/* The exchange writes to `from`. NOLINTNEXTLINE(readability-non-const-parameter) */
static bool shared_exchange(struct acre_shared *shared, size_t *from, size_t to)
{
    return atomic_compare_exchange_weak_explicit((_Atomic size_t *)(void *)&shared->count, from, to,
        memory_order_acq_rel, memory_order_relaxed);
}
#else
static const enum acre_status shared_threadsafe_status = ACRE_INVALID_PARAM;

static size_t shared_load(const struct acre_shared *shared)
{
    return shared->count;
}

static void shared_store(struct acre_shared *shared, size_t to)
{
    shared->count = to;
}

/* Not reached: there is no thread-safe handle. */
static bool shared_exchange(struct acre_shared *shared, const size_t *from, size_t to)
{
    (void)from;
    shared->count = to;
    return true;
}
#endif

static enum acre_status shared_setup(struct acre_shared *shared, struct acre_bytes bytes,
    struct acre_shared_pool pool, struct acre_locker locker, bool threads)
{
    if (bytes.ops == NULL || (locker.lock != NULL && locker.unlock == NULL))
        return ACRE_INVALID_PARAM;
    shared->locked.inner = bytes;
    shared->locked.locker = locker;
    shared->pool = pool;
    shared->threads = threads;
    shared_store(shared, 1);
    return ACRE_OK;
}

enum acre_status acre_shared_make(
    struct acre_shared *shared, struct acre_bytes bytes, struct acre_shared_pool pool)
{
    return shared_setup(shared, bytes, pool, (struct acre_locker){ NULL, NULL, NULL }, false);
}

enum acre_status acre_shared_make_threadsafe(struct acre_shared *shared, struct acre_bytes bytes,
    struct acre_shared_pool pool, struct acre_locker locker)
{
    enum acre_status status = shared_threadsafe_status;
    /* NOT-COVERED: not without atomic operations */
    return status == ACRE_OK ? shared_setup(shared, bytes, pool, locker, true) : status;
}

/** Changes the count from `from` to `to`. False: another thread changed it first, and `from` is the
 * new count. A holder's accesses happen before the end, whichever thread makes the last drop. */
static bool shared_set_count(struct acre_shared *shared, size_t *from, size_t to)
{
    if (shared->threads)
        return shared_exchange(shared, from, to);
    shared_store(shared, to);
    return true;
}

enum acre_status acre_shared_clone(struct acre_shared *shared)
{
    size_t count = acre_shared_count(shared);
    do {
        if (count == 0)
            return ACRE_NOT_ALLOCATED;
        if (count == SIZE_MAX)
            return ACRE_NO_MEMORY;
    } while (
        !shared_set_count(shared, &count, count + 1)); /* NOT-ALWAYS-COVERED: another thread came */
    return ACRE_OK;
}

/** Ends the handle. The callback comes last, because it may free the struct. */
static size_t shared_end(struct acre_shared *shared)
{
    struct acre_shared_pool pool = shared->pool;
    ACRE_ASSERT(shared->locked.inner.ops != &acre_null_ops); /* SHARED-1 */
    size_t live_blocks = acre_bytes_stats(shared->locked.inner).live_blocks;
    shared->locked.inner = (struct acre_bytes){ &acre_null_ops, NULL };
    shared->locked.locker = (struct acre_locker){ NULL, NULL, NULL };
    if (pool.end != NULL)
        pool.end(pool.arg, pool.start, pool.size, live_blocks);
    return live_blocks;
}

struct acre_drop acre_shared_drop(struct acre_shared *shared)
{
    size_t count = acre_shared_count(shared);
    do {
        if (count == 0)
            return (struct acre_drop){ ACRE_NOT_ALLOCATED, 0, 0 };
    } while (
        !shared_set_count(shared, &count, count - 1)); /* NOT-ALWAYS-COVERED: another thread came */
    return (struct acre_drop){ ACRE_OK, count - 1, count == 1 ? shared_end(shared) : 0 };
}

size_t acre_shared_count(const struct acre_shared *shared)
{
    return shared_load(shared);
}

struct acre_bytes acre_shared_bytes(struct acre_shared *shared)
{
    const struct acre_bytes_ops *ops = &acre_pass_ops;
    if (shared->locked.locker.lock != NULL)
        ops = &acre_locked_ops;
    else if (shared->locked.inner.ops == NULL) /* zeroed */
        ops = &acre_null_ops;
    return (struct acre_bytes){ ops, shared };
}
