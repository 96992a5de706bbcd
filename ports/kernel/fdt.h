/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Reads a flattened device tree (Devicetree Specification 0.4, chapter 5) in place: what memory
 * there is, what of it is reserved, and the command line. Trusts nothing it reads: every offset is
 * held against the size that the caller vouches for.
 */
#ifndef ACRE_PORTS_KERNEL_FDT_H
#define ACRE_PORTS_KERNEL_FDT_H

#include "kernel/ranges.h"

#include <stdbool.h>

struct fdt {
    const unsigned char *bytes;
    size_t size; /* of the blob */
    size_t structure, structure_size;
    size_t strings, strings_size;
    size_t reserved;
};

/* Looks at the header. False when there is no device tree, or one of more than `most` bytes, or one
 * that no reader of version 17 may read. */
bool fdt_open(struct fdt *fdt, const void *blob, size_t most);

/* Writes the ranges of the memory nodes, without what is reserved. Returns their number; 0 also
 * when the tree is damaged. */
size_t fdt_memory(const struct fdt *fdt, struct range *ranges, size_t room);

/* The kernel's command line, /chosen/bootargs; empty when there is none. */
const char *fdt_bootargs(const struct fdt *fdt);

#endif
