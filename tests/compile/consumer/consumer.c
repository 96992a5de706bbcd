/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A program that uses an installed acre: prints the gates its headers show and calls the library.
 */
#include <acre/acre.h>

#include <stdio.h>
#include <string.h>

#if ACRE_TLSF
static _Alignas(max_align_t) char memory[16384];
static struct acre_tlsf tlsf;
static struct acre_tlsf_quick quick;

static int serve(void)
{
    if (acre_tlsf_init(&tlsf, memory, sizeof memory) != ACRE_OK)
        return 1;
    void *block = acre_tlsf_alloc(&tlsf, acre_layout(100, 64)).ptr;
    if (block == NULL || acre_dealloc(acre_tlsf_bytes(&tlsf), block) != ACRE_OK)
        return 1;
    if (ACRE_CHECK_POINTERS && acre_tlsf_dealloc(&tlsf, block) != ACRE_NOT_ALLOCATED)
        return 1;
    return acre_tlsf_quick_init(&quick, memory, sizeof memory) != ACRE_OK;
}
#else
static int serve(void)
{
    return strlen(acre_status_text(ACRE_NO_MEMORY)) == 0;
}
#endif

int main(void)
{
    printf("TLSF=%d BUDDY=%d SLAB=%d BITMAP=%d WRAP=%d SHARED=%d HOSTED=%d CHECK_POINTERS=%d\n",
        ACRE_TLSF, ACRE_BUDDY, ACRE_SLAB, ACRE_BITMAP, ACRE_WRAP, ACRE_SHARED, ACRE_HOSTED,
        ACRE_CHECK_POINTERS);
    return serve();
}
