/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "trace_slices.h"

#include <stdlib.h>

/** Makes room for one more slice; false when out of memory. */
static bool make_slice_room(struct trace_slices *index)
{
    const size_t wider = index->room ? index->room * 2 : 16;
    void *moved;

    if (index->count < index->room)
        return true;
    moved = realloc(index->slices, wider * sizeof *index->slices);
    if (!moved)
        return false;
    index->slices = moved;
    index->room = wider;
    return true;
}

bool acre_trace_slices_add(struct trace_slices *index, struct trace_slice slice)
{
    if (slice.length == 0)
        return true;
    if (!make_slice_room(index))
        return false;
    index->slices[index->count++] = slice;
    return true;
}

static int compare_slices(const void *left, const void *right)
{
    const struct trace_slice *a = left, *b = right;

    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    return (a->offset > b->offset) - (a->offset < b->offset);
}

/** Where the slices of the next section begin. */
static size_t next_section_at(const struct trace_slices *index)
{
    size_t at = index->at;

    if (!index->sorted)
        return 0;
    while (at < index->count && index->slices[at].number == index->slices[index->at].number)
        at++;
    return at;
}

bool acre_trace_slices_follow(const struct trace_slices *index)
{
    return next_section_at(index) < index->count;
}

bool acre_trace_slices_next_section(struct trace_slices *index)
{
    const size_t at = next_section_at(index);

    if (at == index->count)
        return false;
    if (!index->sorted)
        qsort(index->slices, index->count, sizeof *index->slices, compare_slices);
    index->sorted = true;
    index->at = at;
    index->done = 0;
    return true;
}

/** Goes to the section's next slice; false: this is the last. */
static bool go_to_next_slice(struct trace_slices *index)
{
    const struct trace_slice *slice = &index->slices[index->at];

    if (index->at + 1 == index->count || slice[1].number != slice->number)
        return false;
    index->at++;
    index->done = 0;
    return true;
}

uint64_t acre_trace_slices_place(struct trace_slices *index, size_t *length)
{
    const struct trace_slice *slice;
    uint64_t offset;

    if (index->at == index->count) {
        *length = 0;
        return 0;
    }
    if (index->done == index->slices[index->at].length)
        (void)go_to_next_slice(index);
    slice = &index->slices[index->at];
    offset = slice->offset + index->done;
    if (*length > slice->length - index->done)
        *length = slice->length - index->done;
    index->done += (uint32_t)*length;
    return offset;
}

void acre_trace_slices_release(struct trace_slices *index)
{
    free(index->slices);
    *index = (struct trace_slices){ 0 };
}
