/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <acre/arena.h>

#include "base/lift.h"

ACRE_LIFT_BASE(acre_arena)
ACRE_LIFT_BYTES(acre_arena)

const struct acre_bytes_ops acre_arena_ops = ACRE_BYTES_TABLE(acre_arena);
