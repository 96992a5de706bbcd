/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <acre.h>

static char memory[64 * 1024];
static struct acre_slab slab;

int main(void)
{
    if (acre_slab_init(&slab, memory, sizeof memory) != ACRE_OK)
        return 1;
    void *block = acre_slab_alloc(&slab, acre_layout(100, 8)).ptr;
    if (acre_slab_dealloc(&slab, block) != ACRE_OK)
        return 1;
    return acre_slab_dealloc(&slab, block) == ACRE_NOT_ALLOCATED ? 0 : 1;
}
