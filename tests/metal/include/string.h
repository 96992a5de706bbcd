/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What the suites use of <string.h>. */
#ifndef ACRE_TESTS_METAL_STRING_H
#define ACRE_TESTS_METAL_STRING_H

#include "base/memory.h"

int strcmp(const char *left, const char *right);

#endif
