/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Process ids with wrap-around: an id just given back is the last to be given out again. */
#include <acre/bitmap.h>

#include <stdio.h>

enum { FIRST_PID = 2, PIDS = 1000 };

ACRE_BITMAP_STATIC(metadata, PIDS);
static struct acre_bitmap bitmap;

int main(void)
{
    acre_bitmap_setup_ids(&bitmap);
    acre_bitmap_set_next_fit(&bitmap, true);
    if (acre_bitmap_add_ids(&bitmap, FIRST_PID, PIDS, metadata, sizeof metadata) != ACRE_OK)
        return 1;
    struct acre_ids pids = acre_bitmap_ids(&bitmap);

    uintptr_t shell = acre_alloc_id(pids, 1, 1).num;
    uintptr_t editor = acre_alloc_id(pids, 1, 1).num;
    acre_dealloc_id(pids, shell, 1);
    uintptr_t next = acre_alloc_id(pids, 1, 1).num;
    printf(
        "shell %ju, editor %ju, next %ju\n", (uintmax_t)shell, (uintmax_t)editor, (uintmax_t)next);
    if (next == shell || acre_alloc_fixed_id(pids, next) != ACRE_NO_MEMORY)
        return 1;

    while (acre_alloc_id(pids, 1, 1).status == ACRE_OK) {
    }
    return acre_is_allocated(pids, shell) && acre_available_ids(pids) == 0 ? 0 : 1;
}
