/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Bad inputs that allocators in the field have failed over, one test each, over every backend: the
 * exact status, nothing changed, and not a byte read through a bad pointer.
 */
#ifndef ACRE_TESTS_MISUSE_MISUSE_H
#define ACRE_TESTS_MISUSE_MISUSE_H

#include "conformance/suite.h"

/* Each list ends with a test case without a name. */
extern const struct test_case size_misuses[];
extern const struct test_case pointer_misuses[];
extern const struct test_case region_misuses[];

#endif
