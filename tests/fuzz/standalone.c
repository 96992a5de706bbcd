/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * usage: bytes-standalone [FILE...]
 * Runs the fuzz target over files, or over standard input, without a fuzzing engine.
 */
#include "fuzz/fuzz.h"

#include <stdio.h>

static int run(FILE *file)
{
    static uint8_t bytes[1 << 16];
    size_t size = fread(bytes, 1, sizeof bytes, file);
    return LLVMFuzzerTestOneInput(bytes, size);
}

int main(int argc, char **argv)
{
    if (argc == 1)
        return run(stdin);
    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        if (file == NULL) {
            perror(argv[i]);
            return 2;
        }
        run(file);
        fclose(file);
    }
    return 0;
}
