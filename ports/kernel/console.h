/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Text over the serial line. */
#ifndef ACRE_PORTS_KERNEL_CONSOLE_H
#define ACRE_PORTS_KERNEL_CONSOLE_H

#include <stdarg.h>

/* Where formatted text goes, byte by byte. */
typedef void console_sink(void *arg, char byte);

/* A printf for what a kernel has to say: %s %c %d %u %x %p %%; u and x also
 * with l, z or j, d with l. */
__attribute__((format(printf, 1, 2))) void console_print(const char *format, ...);

__attribute__((format(printf, 3, 0))) void console_format(
    console_sink *sink, void *arg, const char *format, va_list given);

#endif
