/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Locked: the table is the base's, for shared handles have it too.
 */
#include <acre/wrap/locked.h>

#include "base/locked.h"

void acre_locked_wrap(
    struct acre_locked *locked, struct acre_bytes inner, struct acre_locker locker)
{
    locked->inner = inner;
    locked->locker = locker;
}

struct acre_bytes acre_locked_bytes(struct acre_locked *locked)
{
    struct acre_bytes bytes = { &acre_locked_ops, locked };
    return bytes;
}
