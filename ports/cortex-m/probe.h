/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Finds out how far RAM goes by trying, for a machine that has no one to ask. */
#ifndef ACRE_PORTS_CORTEX_M_PROBE_H
#define ACRE_PORTS_CORTEX_M_PROBE_H

#include "kernel/ranges.h"

/* The piece of RAM that begins at `window.start`, a multiple of 4. Its first `known` bytes are in
 * use, so they are RAM and are left alone; the rest is tried in steps of PROBE_STEP: RAM ends at
 * the first step that faults, does not keep what is written, or shows the window's first word once
 * more, as memory does that a bus decodes twice. What memory holds is left as it was. */
struct range probe(struct range window, size_t known);

enum { PROBE_STEP = 64 << 10 };

#endif
