/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What a failed internal assertion does in builds with ACRE_ASSERTS on an operating system: one
 * line on standard error, then abort. A program that defines the function itself replaces this one.
 */
#include "base/compiler.h"

#include <stdio.h>
#include <stdlib.h>

__attribute__((weak)) void acre_assert_fail(const char *text, const char *file, int line)
{
    fprintf(stderr, "acre: %s:%d: assertion failed: %s\n", file, line, text);
    abort();
}
