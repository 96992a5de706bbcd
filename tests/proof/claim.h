/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claims: functions that scripts/prove shows to return true for every value of their parameters, by
 * asking a solver (z3) about the bit vectors that the compiled function computes. A claim has no
 * loop that the compiler cannot unroll, and parameters of integer type only.
 */
#ifndef ACRE_TESTS_PROOF_CLAIM_H
#define ACRE_TESTS_PROOF_CLAIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Starts a claim. */
#define CLAIM(name, ...)                                                                           \
    bool claim_##name(__VA_ARGS__);                                                                \
    bool claim_##name(__VA_ARGS__)

/* Restricts a claim to the values for which a condition holds: the callers' duty. */
#define GIVEN(cond)                                                                                \
    do {                                                                                           \
        if (!(cond))                                                                               \
            return true;                                                                           \
    } while (0)

#endif
