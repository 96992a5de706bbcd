/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * usage: image_maker FILE [overflow | buddy | slab | bitmap]
 * A machine to dump: fills an allocator (TLSF unless another is named), writes the memory that holds it into
 * FILE, and prints the address of its first byte. It is the symbol `firmware` + 64. With `overflow`, a
 * block is written 16 bytes past its end, as a bug in the field does.
 */
#include <acre/bitmap.h>
#include <acre/buddy.h>
#include <acre/slab.h>
#include <acre/tlsf.h>
#include <stdio.h>
#include <string.h>

enum { BLOCKS = 40 };

struct {
    char other[64];
    union {
        struct acre_tlsf tlsf;
        struct acre_buddy buddy;
        struct acre_slab slab;
        struct acre_bitmap bitmap;
    } own;
    _Alignas(64) unsigned char pool[16384];
} firmware;

/* Blocks of growing size, a quarter of them freed. */
static int fill(struct acre_bytes bytes, void **blocks)
{
    if (acre_bytes_init(bytes, firmware.pool, sizeof firmware.pool) != ACRE_OK)
        return 1;
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = acre_alloc(bytes, acre_layout(20 + 7 * i, 1)).ptr;
        if (blocks[i] != NULL)
            memset(blocks[i], 0xab, 20 + 7 * i);
    }
    for (size_t i = 0; i < BLOCKS; i += 4)
        acre_dealloc(bytes, blocks[i]);
    return 0;
}

/* Runs of pages that are not in the dump; what is kept of them is. */
static int fill_pages(void)
{
    struct acre_bitmap *bitmap = &firmware.own.bitmap;
    if (acre_bitmap_add_memory_apart(
            bitmap, 1 << 20, 5000 * 4096, firmware.pool, sizeof firmware.pool) != ACRE_OK)
        return 1;
    for (size_t i = 1; i < BLOCKS; i++)
        (void)acre_bitmap_alloc_pages(bitmap, i, 1).num;
    return acre_bitmap_dealloc_pages(bitmap, (1 << 20) + 30 * 4096, 3) != ACRE_OK;
}

int main(int argc, char **argv)
{
    void *blocks[BLOCKS];
    const char *what = argc > 2 ? argv[2] : "";
    FILE *out = argc >= 2 ? fopen(argv[1], "wb") : NULL;
    int failed = strcmp(what, "bitmap") == 0  ? fill_pages()
                 : strcmp(what, "buddy") == 0 ? fill(acre_buddy_bytes(&firmware.own.buddy), blocks)
                 : strcmp(what, "slab") == 0  ? fill(acre_slab_bytes(&firmware.own.slab), blocks)
                                              : fill(acre_tlsf_bytes(&firmware.own.tlsf), blocks);
    if (out == NULL || failed)
        return 1;
    if (strcmp(what, "overflow") == 0)
        memset(blocks[5], 0xff, acre_tlsf_usable_size(&firmware.own.tlsf, blocks[5]).num + 16);
    fwrite(&firmware, sizeof firmware, 1, out);
    printf("%p\n", (void *)&firmware);
    return fclose(out) != 0;
}
