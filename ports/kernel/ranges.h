/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Ranges of addresses: what a machine says it has, less what is taken. */
#ifndef ACRE_PORTS_KERNEL_RANGES_H
#define ACRE_PORTS_KERNEL_RANGES_H

#include <stddef.h>
#include <stdint.h>

struct range {
    uintptr_t start;
    size_t size; /* bytes; the last one lies at UINTPTR_MAX at most */
};

/* Takes `hole` out of every range; one that it splits makes two, and when there is no room for
 * another the upper part is lost. Returns the new count. */
size_t ranges_remove(struct range *ranges, size_t count, size_t room, struct range hole);

#endif
