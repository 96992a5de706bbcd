/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Test cases as a cmocka program. */
#ifndef ACRE_TESTS_CONFORMANCE_RUN_H
#define ACRE_TESTS_CONFORMANCE_RUN_H

#include "conformance/suite.h"

/* Over all backends, each has every so-manyth case, the next backend the cases after those; 1:
 * all. */
extern size_t run_every;

/* Runs the cases of several lists over every backend, or over the one that the program was told, as
 * one group of tests; for main to return. */
int run_cases(const char *group, const struct test_case *const *lists, size_t list_count, int argc,
    char **argv);

#endif
