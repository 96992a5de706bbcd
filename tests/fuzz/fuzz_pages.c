/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * The bitmap allocator beside its oracle, led by the fuzzer's bytes.
 */
#include "pages/pages_model.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void pages_model_fail(const char *text, int line)
{
    fprintf(stderr, "pages_model.c:%d: %s\n", line, text);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pages_model model;
    struct choices choices = { { 0 }, data, size };

    if (size == 0)
        return 0;
    pages_model_start(&model, &choices);
    while (choices.left != 0)
        pages_model_step(&model, &choices);
    pages_model_end(&model);
    return 0;
}
