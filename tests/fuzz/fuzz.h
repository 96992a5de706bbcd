/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef ACRE_TESTS_FUZZ_FUZZ_H
#define ACRE_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* What fuzzing engines call. Ends the program when an input shows a fault. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
