/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Any bytes as operations on a byte allocator beside the oracle: the first byte picks the backend,
 * the rest is decoded as in the model test. A fault is printed in the format of tests/regress.
 */
#include "fuzz/fuzz.h"
#include "support/ops_decode.h"
#include "support/trial.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST_OPS = 1024 };

static size_t number_of_kinds(void)
{
    size_t count = 0;
    while (backends[count] != NULL)
        count++;
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct op ops[MOST_OPS];
    static struct model model;
    struct fixture fixture;
    size_t done;
    if (size == 0)
        return 0;
    const struct acre_subject *backend = backends[data[0] % number_of_kinds()];
    size_t count = ops_decode(data + 1, size - 1, ops, MOST_OPS);
    fixture_open(&fixture, backend, TRIAL_ARENA, TRIAL_ARENA);
    if (!model_run(&model, &fixture, ops, count, &done)) {
        fprintf(stderr, "# %s: %s\n", backend->name, model.failure);
        ops_write(stderr, ops, done < count ? done + 1 : count);
        abort();
    }
    fixture_close(&fixture);
    return 0;
}
