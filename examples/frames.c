/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The page frames of a machine that is not this one: the bitmap hands out pages of its physical
 * memory, address 0 included, and touches none of it. Its metadata lies in arrays, as in a kernel
 * that has no memory yet.
 */
#include <acre/bitmap.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { PAGE = ACRE_BITMAP_PAGE_SIZE, KIB = 1024, MIB = 1024 * KIB };

/* What its firmware reports: 640 KiB at 0, and 63 MiB above the first one. */
static const uintptr_t low = 0, high = MIB;
static const size_t low_size = (size_t)640 * KIB, high_size = (size_t)63 * MIB;
ACRE_BITMAP_STATIC(low_map, 160);
ACRE_BITMAP_STATIC(high_map, 63 * 256);

static struct acre_bitmap bitmap;

static void require(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "frames: %s\n", what);
        exit(EXIT_FAILURE);
    }
}

static uintptr_t take(struct acre_pages frames, size_t count, size_t align, const char *what)
{
    struct acre_num taken = acre_alloc_pages(frames, count, align);
    require(taken.status == ACRE_OK, acre_status_text(taken.status));
    printf("%-13s %4zu pages at 0x%08" PRIxPTR "\n", what, count, taken.num);
    return taken.num;
}

int main(void)
{
    require(acre_bitmap_setup(&bitmap, PAGE) == ACRE_OK, "setup");
    require(
        acre_bitmap_add_memory_apart(&bitmap, low, low_size, low_map, sizeof low_map) == ACRE_OK,
        "the low range");
    require(acre_bitmap_add_memory_apart(&bitmap, high, high_size, high_map, sizeof high_map) ==
                ACRE_OK,
        "the high range");
    struct acre_pages frames = acre_bitmap_pages(&bitmap);
    const size_t all = acre_total_pages(frames);

    require(acre_alloc_pages_at(frames, high, 512, PAGE).status == ACRE_OK, "the kernel's image");
    require(take(frames, 1, PAGE, "page table") == 0, "the lowest page is not the first");
    uintptr_t ring = take(frames, 16, (size_t)64 * KIB, "DMA ring");
    uintptr_t large = take(frames, 512, (size_t)2 * MIB, "large page");
    require(ring % (64 * KIB) == 0 && large % (2 * MIB) == 0, "misaligned");

    /* Any run of pages in use can go back, not only a whole one; none can twice. */
    require(acre_dealloc_pages(frames, large, 256) == ACRE_OK, "half of the large page");
    require(acre_dealloc_pages(frames, large, 512) == ACRE_NOT_ALLOCATED, "given back twice");
    require(acre_bitmap_remove_memory(&bitmap, (void *)high) == ACRE_INVALID_PARAM, "in use");
    printf("%zu of %zu pages free\n", acre_available_pages(frames), all);
    return acre_used_pages(frames) == 512 + 1 + 16 + 256 ? 0 : 1;
}
