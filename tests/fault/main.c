/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * usage: fault.client [BACKEND [TEST-CASE]]
 */
#include "fault/fault.h"

#include "conformance/run.h"

static const struct test_case *const lists[] = { fault_cases };

int main(int argc, char **argv)
{
    return run_cases("fault client", lists, 1, argc, argv);
}
