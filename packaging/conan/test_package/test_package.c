/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <acre/tlsf.h>

static _Alignas(max_align_t) char memory[64 * 1024];
static struct acre_tlsf tlsf;

int main(void)
{
    if (acre_tlsf_init(&tlsf, memory, sizeof memory) != ACRE_OK)
        return 1;
    void *block = acre_tlsf_alloc(&tlsf, acre_layout(100, 8)).ptr;
    return acre_tlsf_dealloc(&tlsf, block) == ACRE_OK ? 0 : 1;
}
