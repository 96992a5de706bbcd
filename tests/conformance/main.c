/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * usage: conformance.bytes [BACKEND [TEST-CASE]]
 * Runs every test case over every backend, or over the one named, which may be a broken one;
 * the case named, when there is one.
 */
#include "conformance/run.h"

static const struct test_case *const lists[] = { alloc_cases, free_cases, resize_cases,
    region_cases, account_cases, walk_cases };

int main(int argc, char **argv)
{
    return run_cases("conformance", lists, sizeof lists / sizeof lists[0], argc, argv);
}
