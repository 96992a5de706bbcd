/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * All of acre's freestanding interface. Each header also stands alone.
 */
#ifndef ACRE_ACRE_H
#define ACRE_ACRE_H

#include <acre/arena.h>
#include <acre/base.h>
#include <acre/bitmap.h>
#include <acre/bitmap_frames.h>
#include <acre/buddy.h>
#include <acre/bytes.h>
#include <acre/cache.h>
#include <acre/config.h>
#include <acre/heap.h>
#include <acre/ids.h>
#include <acre/lock.h>
#include <acre/pages.h>
#include <acre/regions.h>
#include <acre/shared.h>
#include <acre/slab.h>
#include <acre/threaded.h>
#include <acre/threaded_pool.h>
#include <acre/tlsf.h>
#include <acre/tlsf_quick.h>
#include <acre/types.h>
#include <acre/wrap.h>

#endif
