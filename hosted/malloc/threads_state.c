/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The state of the drop-in malloc that has a heap per thread.
 */
#include "malloc/threads.h"

#include "malloc/misuse.h"

/* Zero, as are the 64 KiB of the page map's root in it: a page that nobody touches takes no
 * memory. */
struct acre_threads acre_threads;

struct acre_lock acre_threads_spare_lock = { .on_reentry = acre_misuse_reentered };
