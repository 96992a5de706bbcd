/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Wrappers: byte allocators that stand in front of another byte allocator and have the same table.
 * They stack in any order.
 *
 * | header            | adds                                                      |
 * | ----------------- | --------------------------------------------------------- |
 * | wrap/fault.h      | chosen requests fail                                      |
 * | wrap/locked.h     | a lock of the caller around every call                    |
 * | wrap/tally.h      | counts of blocks and bytes, by size class and by owner    |
 * | wrap/guard.h      | red zones and fill patterns; damage is reported           |
 * | wrap/fallback.h   | a second allocator for requests that the first refuses    |
 * | wrap/tracer.h     | a trace of all calls, as text                             |
 * | wrap/pass.h       | nothing: the starting point for a wrapper of your own     |
 *
 * A wrapper is a plain struct that the caller owns. It uses no other memory, except for the bytes
 * that its header says it adds to each block. Put it in front of an allocator that has no live
 * blocks; from then on, all calls go through the outermost handle. init through that handle is
 * allowed and reaches the innermost allocator. Errors are those of the inner allocator: a wrapper
 * reads nothing through a pointer before the inner allocator has confirmed that it is a live block.
 */
#ifndef ACRE_WRAP_H
#define ACRE_WRAP_H

#include <acre/wrap/fallback.h>
#include <acre/wrap/fault.h>
#include <acre/wrap/guard.h>
#include <acre/wrap/locked.h>
#include <acre/wrap/pass.h>
#include <acre/wrap/tally.h>
#include <acre/wrap/tracer.h>

#endif
