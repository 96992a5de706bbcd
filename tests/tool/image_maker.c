/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * usage: image_maker FILE [overflow]
 * A machine to dump: fills a TLSF heap, writes the memory that holds it into FILE, and prints the address
 * of its first byte. The heap is the symbol `firmware` + 64. With `overflow`, a
 * block is written 16 bytes past its end, as a bug in the field does.
 */
#include <acre/tlsf.h>
#include <stdio.h>
#include <string.h>

struct {
    char other[64];
    struct acre_tlsf tlsf;
    _Alignas(64) unsigned char pool[16384];
} firmware;

int main(int argc, char **argv)
{
    void *blocks[40];
    FILE *out = argc >= 2 ? fopen(argv[1], "wb") : NULL;
    if (out == NULL ||
        acre_tlsf_init(&firmware.tlsf, firmware.pool, sizeof firmware.pool) != ACRE_OK)
        return 1;
    for (size_t i = 0; i < 40; i++) {
        blocks[i] = acre_tlsf_alloc(&firmware.tlsf, acre_layout(20 + 7 * i, 1)).ptr;
        memset(blocks[i], 0xab, 20 + 7 * i);
    }
    for (size_t i = 0; i < 40; i += 4)
        acre_tlsf_dealloc(&firmware.tlsf, blocks[i]);
    if (argc > 2)
        memset(blocks[5], 0xff, acre_tlsf_usable_size(&firmware.tlsf, blocks[5]).num + 16);
    fwrite(&firmware, sizeof firmware, 1, out);
    printf("%p\n", (void *)&firmware);
    return fclose(out) != 0;
}
