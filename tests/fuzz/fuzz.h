/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef ACRE_TESTS_FUZZ_FUZZ_H
#define ACRE_TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* What fuzzing engines call. Ends the program when an input shows a fault. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the program when what must hold does not. */
static inline void fuzz_require(bool truth)
{
    if (!truth)
        abort();
}

/* The memory callback of a trace reader that counts the bytes held in the size_t at `user`. */
static inline void *fuzz_resize(void *user, void *old, size_t old_size, size_t new_size)
{
    size_t *held = user;

    *held += new_size - old_size;
    if (new_size)
        return realloc(old, new_size);
    free(old);
    return NULL;
}

#endif
