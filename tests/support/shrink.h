/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Makes a failing run short: delta debugging (Zeller, Hildebrandt 2002) over the operations, then
 * simpler numbers in those that remain.
 */
#ifndef ACRE_TESTS_SUPPORT_SHRINK_H
#define ACRE_TESTS_SUPPORT_SHRINK_H

#include "support/ops.h"

/* True when the operations still fail. Must give the same answer for the same operations. */
typedef bool shrink_fails_fn(void *arg, const struct op *ops, size_t count);

/* Shrinks a failing run in place and returns its new length. */
size_t shrink(struct op *ops, size_t count, shrink_fails_fn *fails, void *arg);

#endif
