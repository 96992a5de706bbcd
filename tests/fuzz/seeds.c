/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * usage: fuzz.seeds FOLDER
 * The fuzz target over the seeds in a folder, over inputs of every short length, and over random
 * ones, without a fuzzing engine.
 */
#include "fuzz/fuzz.h"
#include "support/rng.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char pattern[4096];

static void committed_seeds(void **state)
{
    static uint8_t bytes[1 << 16];
    glob_t found;
    (void)state;
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        FILE *file = fopen(found.gl_pathv[i], "rb");
        assert_non_null(file);
        size_t size = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
        assert_int_equal(LLVMFuzzerTestOneInput(bytes, size), 0);
    }
    print_message("%zu seeds\n", found.gl_pathc);
    globfree(&found);
}

static void random_inputs(void **state)
{
    struct rng rng = { 7 };
    (void)state;
    for (size_t round = 0; round < 400; round++) {
        uint8_t bytes[700];
        size_t size = round < 100 ? round : rng_below(&rng, sizeof bytes);
        for (size_t i = 0; i < size; i++)
            bytes[i] = (uint8_t)rng_next(&rng);
        assert_int_equal(LLVMFuzzerTestOneInput(bytes, size), 0);
    }
}

static void constant_inputs(void **state)
{
    (void)state;
    for (int value = 0; value < 256; value++) {
        uint8_t bytes[64];
        memset(bytes, value, sizeof bytes);
        assert_int_equal(LLVMFuzzerTestOneInput(bytes, sizeof bytes), 0);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(committed_seeds),
        cmocka_unit_test(random_inputs),
        cmocka_unit_test(constant_inputs),
    };
    if (argc != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    snprintf(pattern, sizeof pattern, "%s/*", argv[1]);
    return cmocka_run_group_tests_name("seeds", tests, NULL, NULL);
}
