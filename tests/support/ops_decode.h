/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Bytes to operations: any bytes decode to something, and a change in one byte changes mostly one
 * operation, which is what a fuzzer needs.
 */
#ifndef ACRE_TESTS_SUPPORT_OPS_DECODE_H
#define ACRE_TESTS_SUPPORT_OPS_DECODE_H

#include "support/ops.h"

struct ops_reader {
    const uint8_t *bytes;
    size_t left;
};

/* Decodes the next operation; false when the bytes are used up. */
bool op_decode(struct ops_reader *reader, struct op *op);

/* Decodes at most `room` operations and returns their number. */
size_t ops_decode(const uint8_t *bytes, size_t size, struct op *ops, size_t room);

#endif
