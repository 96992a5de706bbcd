/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <acre/buddy.h>

#include "base/lift.h"

ACRE_LIFT_BASE(acre_buddy)
ACRE_LIFT_BYTES(acre_buddy)

const struct acre_bytes_ops acre_buddy_ops = ACRE_BYTES_TABLE(acre_buddy);
