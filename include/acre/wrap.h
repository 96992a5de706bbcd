/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Wrappers: byte allocators that stand in front of another one and have the same table. They stack
 * in any order.
 *
 * | header            | what it adds                                                    |
 * | ----------------- | --------------------------------------------------------------- |
 * | wrap/fault.h      | chosen requests fail                                            |
 * | wrap/locked.h     | every call under a lock that the caller brings                  |
 * | wrap/tally.h      | counts of blocks and bytes, by size class and by owner          |
 * | wrap/guard.h      | red zones and fill patterns, damage named                       |
 * | wrap/fallback.h   | a second allocator serves what the first cannot                 |
 * | wrap/tracer.h     | every call written down as a trace, in text                     |
 *
 * A wrapper is a plain struct that the caller owns; it has no memory but that struct, and what it
 * asks of the inner allocator beside the blocks where its header says so. It is put in front of an
 * allocator none of whose blocks are live, and from then on all calls go through the outermost
 * handle. Init through that handle is allowed and reaches the innermost allocator. Errors are those
 * of the inner allocator: a wrapper reads nothing through a pointer before that one has said that
 * it is a live block.
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
