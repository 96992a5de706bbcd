/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The heap of mem_acre.c, for memp_acre.c; under SYS_ARCH_PROTECT. */
#ifndef ACRE_PORTS_LWIP_MEM_ACRE_H
#define ACRE_PORTS_LWIP_MEM_ACRE_H

#include <acre/tlsf.h>

extern struct acre_tlsf mem_acre_heap;

#endif
