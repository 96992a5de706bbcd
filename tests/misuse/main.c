/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * usage: misuse.bytes [BACKEND [TEST-CASE]]
 */
#include "misuse/misuse.h"

#include "conformance/run.h"

#include <stdio.h>
#include <stdlib.h>

static const struct test_case *const lists[] = { size_misuses, pointer_misuses, region_misuses };

int main(int argc, char **argv)
{
    return run_cases("misuse", lists, sizeof lists / sizeof lists[0], argc, argv);
}
