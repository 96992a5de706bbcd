/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The compiler and machine for lwIP's own headers; every user of lwIP writes such a file. The test
 * provides the functions. */
#ifndef ACRE_TESTS_PORTS_LWIP_CC_H
#define ACRE_TESTS_PORTS_LWIP_CC_H

#include <stdbool.h>

#define LWIP_NO_INTTYPES_H 1
#define LWIP_NO_LIMITS_H 1
#define LWIP_NO_CTYPE_H 1
#define LWIP_NO_UNISTD_H 1
#ifdef __unix__
#include <limits.h>
#include <sys/types.h>
#else
#define INT_MAX 2147483647
#define SSIZE_MAX INT_MAX
typedef int ssize_t;
#endif
#define X8_F "02x"
#define U16_F "u"
#define S16_F "d"
#define X16_F "x"
#define U32_F "u"
#define S32_F "d"
#define X32_F "x"
#define SZT_F "zu"

typedef unsigned sys_prot_t;

void stand_in_assert(const char *message);

#define LWIP_PLATFORM_ASSERT(message) stand_in_assert(message)
#define LWIP_PLATFORM_DIAG(arguments) ((void)0)

#endif
