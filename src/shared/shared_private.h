/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * What the files of this folder share. Which of the two tables a handle has is settled by whether
 * it was given a lock; how its count changes by its flavour.
 *
 * SHARED-1: while count > 0, inner is the allocator given and locker the lock given.
 * SHARED-2: once count is 0 it stays 0, inner refuses everything and there is no lock.
 */
#ifndef ACRE_SRC_SHARED_PRIVATE_H
#define ACRE_SRC_SHARED_PRIVATE_H

#include <acre/shared.h>

extern const struct acre_bytes_ops acre_shared_plain_ops;

#endif
