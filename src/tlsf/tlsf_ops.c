/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <acre/tlsf.h>

#include "base/lift.h"

ACRE_LIFT_BASE(acre_tlsf)
ACRE_LIFT_BYTES(acre_tlsf)

const struct acre_bytes_ops acre_tlsf_ops = ACRE_BYTES_TABLE(acre_tlsf);
