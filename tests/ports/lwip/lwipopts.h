/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The options with which the tests compile lwIP's own headers; every user of lwIP writes such a
 * file. */
#ifndef ACRE_TESTS_PORTS_LWIPOPTS_H
#define ACRE_TESTS_PORTS_LWIPOPTS_H

#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 1
#define LWIP_SOCKET 0
#define LWIP_NETCONN 0
#define LWIP_IPV6 1
#define LWIP_RAW 1
#define MEM_ALIGNMENT 8
#define MEM_SIZE 16384
#define MEM_STATS 1
#define MEMP_MEM_MALLOC 1
#define MEMP_NUM_UDP_PCB 3

#endif
