/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* CMSIS-RTOS2: the control block of a memory pool, for pools whose memory the application gives. */
#ifndef ACRE_PORTS_CMSIS_RTOS2_MEMPOOL_ACRE_H
#define ACRE_PORTS_CMSIS_RTOS2_MEMPOOL_ACRE_H

#include "cmsis_os2.h"

#include <acre/bitmap.h>
#include <acre/bytes.h>

/* The map that follows it in cb_mem has a bit per block. */
struct mempool_acre {
    const char *name;
    unsigned char *blocks;
    uint32_t count;
    uint32_t block_size;
    osSemaphoreId_t unused; /* as many as blocks are free */
    bool owns_control, owns_blocks;
    const struct mempool_acre *valid; /* itself while the pool exists */
    struct acre_bitmap used;
    _Alignas(8) unsigned char map[];
};

/* Bytes that osMemoryPoolAttr_t.cb_mem, at a multiple of 8, needs for a pool of `count` blocks; a
 * constant expression. mp_mem needs block_count times block_size, rounded up to a multiple of 4. */
#define MEMPOOL_ACRE_CB_SIZE(count)                                                                \
    (sizeof(struct mempool_acre) + ACRE_BITMAP_METADATA_BYTES(count))

/* Where pools without cb_mem or mp_mem take it from, once set; calls of it are made in threads. */
void mempool_acre_set_heap(struct acre_bytes given);

#endif
