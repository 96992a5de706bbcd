/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A private heap in a static buffer; README.md shows this program. */
#include <acre/tlsf.h>

static _Alignas(max_align_t) char memory[64 * 1024];
static struct acre_tlsf tlsf;

int main(void)
{
    if (acre_tlsf_init(&tlsf, memory, sizeof memory) != ACRE_OK)
        return 1;
    struct acre_bytes heap = acre_tlsf_bytes(&tlsf); /* or acre_tlsf_alloc(&tlsf, ...) directly */
    double *numbers = ACRE_NEW_ARRAY(heap, double, 100);
    if (numbers == NULL)
        return 1;
    acre_dealloc(heap, numbers);
    return acre_dealloc(heap, numbers) == ACRE_NOT_ALLOCATED ? 0 : 1; /* double free: refused */
}
