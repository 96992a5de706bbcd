/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The misuse hook of the ports as scripts/check-libc compiles them. */
#ifndef ACRE_TESTS_PORTS_MISUSE_H
#define ACRE_TESTS_PORTS_MISUSE_H

void board_misuse(const char *call, const void *ptr);
#define ACRE_PORT_MISUSE(call, ptr) board_misuse(call, ptr)

#endif
