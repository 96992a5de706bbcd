/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Allocations from an arena, in line, whose machine code scripts/wcet reads: what eight more of
 * them take is what they take where they stand among other code. */
#include <acre/arena.h>

void arena_allocs_2(struct acre_arena *arena, void **restrict out);
void arena_allocs_10(struct acre_arena *arena, void **restrict out);

#define ALLOC(at) out[at] = acre_arena_alloc(arena, acre_layout(64, 1)).ptr

void arena_allocs_2(struct acre_arena *arena, void **restrict out)
{
    ALLOC(0);
    ALLOC(1);
}

void arena_allocs_10(struct acre_arena *arena, void **restrict out)
{
    ALLOC(0);
    ALLOC(1);
    ALLOC(2);
    ALLOC(3);
    ALLOC(4);
    ALLOC(5);
    ALLOC(6);
    ALLOC(7);
    ALLOC(8);
    ALLOC(9);
}
