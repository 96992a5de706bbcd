/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What the two files of this port share. */
#ifndef ACRE_PORTS_ESP_IDF_MULTI_HEAP_ACRE_H
#define ACRE_PORTS_ESP_IDF_MULTI_HEAP_ACRE_H

#include "multi_heap.h"
#include "multi_heap_internal.h"
#include "multi_heap_platform.h"

#include <acre/tlsf.h>
#include <stdio.h>

/* At the start of the memory of each heap. */
struct multi_heap_info {
    void *lock;
    size_t minimum_free; /* as restored; SIZE_MAX: it was not */
    struct acre_tlsf tlsf;
};

#endif
