/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The count of a shared handle and its end. A step of the count is decided before it is made, so
 * that a count at its top or at 0 is refused and not passed.
 */
#include "shared/shared_private.h"

#include "base/locked.h"
#include "base/null.h"

#include <stdatomic.h>

_Static_assert(sizeof(_Atomic size_t) == sizeof(size_t), "one layout in C and in C++");
_Static_assert(_Alignof(_Atomic size_t) == _Alignof(size_t), "one layout in C and in C++");
_Static_assert(offsetof(struct acre_shared, locked) == 0, "acre_locked_ops finds its struct");

static enum acre_status make(struct acre_shared *shared, struct acre_bytes bytes,
    struct acre_shared_pool pool, struct acre_locker locker, bool threads)
{
    if (bytes.ops == NULL || (locker.lock != NULL && locker.unlock == NULL))
        return ACRE_INVALID_PARAM;
    shared->locked.inner = bytes;
    shared->locked.locker = locker;
    shared->pool = pool;
    shared->threads = threads;
    atomic_init(&shared->count, 1);
    return ACRE_OK;
}

enum acre_status acre_shared_make(
    struct acre_shared *shared, struct acre_bytes bytes, struct acre_shared_pool pool)
{
    return make(shared, bytes, pool, (struct acre_locker){ NULL, NULL, NULL }, false);
}

enum acre_status acre_shared_make_threadsafe(struct acre_shared *shared, struct acre_bytes bytes,
    struct acre_shared_pool pool, struct acre_locker locker)
{
    return make(shared, bytes, pool, locker, true);
}

/** Changes the count from `from` to `to`. False: another thread was faster, and `from` is what it
 * left. What a holder did happens before the end, whichever thread that falls to. */
/* The exchange writes to it. NOLINTNEXTLINE(readability-non-const-parameter) */
static bool step(struct acre_shared *shared, size_t *from, size_t to)
{
    if (shared->threads)
        return atomic_compare_exchange_weak_explicit(
            &shared->count, from, to, memory_order_acq_rel, memory_order_relaxed);
    atomic_store_explicit(&shared->count, to, memory_order_relaxed);
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
    } while (!step(shared, &count, count + 1));
    return ACRE_OK;
}

/** The end: the handle first, the callback last, for it may free the struct. */
static size_t end(struct acre_shared *shared)
{
    struct acre_shared_pool pool = shared->pool;
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
    } while (!step(shared, &count, count - 1));
    return (struct acre_drop){ ACRE_OK, count - 1, count == 1 ? end(shared) : 0 };
}

size_t acre_shared_count(const struct acre_shared *shared)
{
    return atomic_load_explicit(&shared->count, memory_order_relaxed);
}

struct acre_bytes acre_shared_bytes(struct acre_shared *shared)
{
    bool locks = shared->locked.locker.lock != NULL;
    return (struct acre_bytes){ locks ? &acre_locked_ops : &acre_shared_plain_ops, shared };
}
