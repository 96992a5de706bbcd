/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef ACRE_PORTS_CORTEX_M_MACHINE_H
#define ACRE_PORTS_CORTEX_M_MACHINE_H

#include <stdbool.h>

/* While `probing`, an access that faults is passed over and sets `faulted`. */
extern volatile bool machine_probing;
extern volatile bool machine_faulted;

#endif
