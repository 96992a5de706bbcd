/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Physical memory of a machine that is not this one: buddy hands out frames of 4 KiB and more over
 * plain integers, among them address 0, and touches none of it. Its metadata lies in an array.
 */
#include <acre/buddy.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { FRAME = 4096, MIB = 1 << 20 };

/* What firmware would report: memory below 640 KiB, and 31 MiB above the first one. */
static const struct {
    uintptr_t start;
    size_t size;
} map[] = { { 0, (size_t)640 << 10 }, { MIB, (size_t)31 * MIB } };

static struct acre_buddy frames;
static size_t metadata[2][2048];

static void require(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "physical: %s\n", what);
        exit(EXIT_FAILURE);
    }
}

static uintptr_t take(size_t size, size_t align)
{
    struct acre_num taken = acre_buddy_alloc_range(&frames, acre_layout(size, align));
    require(taken.status == ACRE_OK, acre_status_text(taken.status));
    printf("%8zu bytes at 0x%08" PRIxPTR "\n", size, taken.num);
    return taken.num;
}

int main(void)
{
    require(acre_buddy_setup(&frames, FRAME) == ACRE_OK, "setup");
    for (size_t i = 0; i < sizeof map / sizeof map[0]; i++)
        require(acre_buddy_add_range(
                    &frames, map[i].start, map[i].size, metadata[i], sizeof metadata[i]) == ACRE_OK,
            "the range was refused");
    struct acre_stats empty = acre_buddy_stats(&frames);
    uintptr_t zero = take((size_t)512 << 10, FRAME); /* the best fit is the block at 0 */
    uintptr_t table = take(16384, 16384);            /* aligned to its size */
    uintptr_t buffer = take((size_t)2 * MIB, FRAME); /* a large page */
    require(zero == 0 && table % 16384 == 0 && buffer % (2 * MIB) == 0, "misplaced");

    require(
        acre_buddy_dealloc_range(&frames, buffer + FRAME) == ACRE_NOT_ALLOCATED, "inside a block");
    require(acre_buddy_dealloc_range(&frames, table) == ACRE_OK, "a block is given back");
    require(acre_buddy_dealloc_range(&frames, table) == ACRE_NOT_ALLOCATED, "given back twice");
    require(acre_buddy_remove_memory(&frames, (void *)map[1].start) == ACRE_INVALID_PARAM,
        "removed while in use");

    require(acre_buddy_dealloc_range(&frames, zero) == ACRE_OK, "the block at 0 is given back");
    require(acre_buddy_dealloc_range(&frames, buffer) == ACRE_OK, "the large page is given back");
    require(acre_buddy_stats(&frames).largest_free == empty.largest_free, "not merged");
    require(acre_buddy_check(&frames).invariant == NULL, "unsound");
    printf("%8zu bytes free, %zu in one piece\n", empty.available, empty.largest_free);
    return 0;
}
