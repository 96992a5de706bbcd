/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <acre/slab.h>

#include "base/lift.h"

ACRE_LIFT_BASE(acre_slab)
ACRE_LIFT_BYTES(acre_slab)

const struct acre_bytes_ops acre_slab_ops = ACRE_BYTES_TABLE(acre_slab);
