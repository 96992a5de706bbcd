/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <acre/tlsf_quick.h>

#include "base/lift.h"

ACRE_LIFT_BASE(acre_tlsf_quick)
ACRE_LIFT_BYTES(acre_tlsf_quick)

const struct acre_bytes_ops acre_tlsf_quick_ops = ACRE_BYTES_TABLE(acre_tlsf_quick);
