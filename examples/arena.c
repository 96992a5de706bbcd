/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A private heap in a static buffer. */
#include <acre/tlsf.h>

static _Alignas(max_align_t) char memory[64 * 1024];
static struct acre_tlsf tlsf;

int main(void)
{
    if (acre_tlsf_init(&tlsf, memory, sizeof memory) != ACRE_OK)
        return 1;
    struct acre_bytes heap = acre_tlsf_bytes(&tlsf); /* or acre_tlsf_alloc(&tlsf, ...) directly */

    double *numbers = ACRE_NEW_ARRAY(heap, double, 100);
    struct acre_ptr page = acre_alloc(heap, acre_layout(4096, 4096));
    if (numbers == NULL || page.status != ACRE_OK)
        return 1;

    acre_dealloc(heap, numbers);
    acre_dealloc(heap, page.ptr);
    /* A double free always fails. */
    return acre_dealloc(heap, page.ptr) == ACRE_NOT_ALLOCATED ? 0 : 1;
}
