/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * Fuzz target of `acre map --image`: a sound heap with bytes changed, three bytes of input a change
 * (place, value), read as any machine; and the input as an ELF file. Asserted: nothing outside the
 * image is read, and the check ends.
 */
#include "fuzz/fuzz.h"
#include "tool/image/image.h"

#include <acre/tlsf.h>
#include <stdint.h>
#include <string.h>

static struct {
    struct acre_tlsf tlsf;
    _Alignas(64) unsigned char pool[16384];
} machine;

static uint8_t copy[sizeof machine];

/* The last two bits of the first byte choose: the memory is TLSF's, and damage to the others. */
static const char *const kinds[] = { "tlsf", "buddy", "slab", "bitmap" };

static void make_machine(void)
{
    fuzz_require(acre_tlsf_init(&machine.tlsf, machine.pool, sizeof machine.pool) == ACRE_OK);
    void *blocks[40];
    for (size_t i = 0; i < 40; i++)
        blocks[i] = acre_tlsf_alloc(&machine.tlsf, acre_layout(20 + 7 * i, 1)).ptr;
    for (size_t i = 0; i < 40; i += 4)
        (void)acre_tlsf_dealloc(&machine.tlsf, blocks[i]);
}

static void check_machine(const uint8_t *data, size_t size)
{
    struct image_heap heap;
    struct image image = { .bytes = copy,
        .size = sizeof copy,
        .base = (uintptr_t)&machine,
        .facts = { .word = data[0] & 1 ? 4 : sizeof(void *),
            .big = (data[0] & 2) != 0,
            .granule = data[0] & 4 ? 16 : 0,
            .wide = (data[0] & 8) != 0 } };
    memcpy(copy, &machine, sizeof copy);
    for (size_t at = 1; at + 3 <= size; at += 3)
        copy[(data[at] | (size_t)data[at + 1] << 8) % sizeof copy] = data[at + 2];
    if (data[0] & 16)
        image.size = sizeof copy / 2;
    image_kind_named(kinds[data[0] >> 6])->check(&heap, &image, image.base);
    fuzz_require(!heap.no_memory && heap.block_count <= 8 * sizeof copy);
    image_heap_free(&heap);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct image_elf elf;
    uint64_t value;
    if (machine.tlsf.capacity == 0)
        make_machine();
    if (size > 0)
        check_machine(data, size);
    if (image_elf_open(&elf, data, size) && image_elf_symbol(&elf, "heap", &value))
        fuzz_require(size > 64);
    return 0;
}
