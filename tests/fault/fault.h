/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Requests that fail in turn, under a client that goes on. */
#ifndef ACRE_TESTS_FAULT_FAULT_H
#define ACRE_TESTS_FAULT_FAULT_H

#include "conformance/suite.h"

/* Ends with a test case without a name. */
extern const struct test_case fault_cases[];

#endif
