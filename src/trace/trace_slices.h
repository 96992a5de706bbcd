/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/** Where in a file the slices of its sections lie, and the order in which they are read. */
#ifndef ACRE_TRACE_SLICES_H
#define ACRE_TRACE_SLICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trace_slice {
    uint32_t number; /* of its section */
    uint32_t length;
    uint64_t offset; /* of its bytes in the file */
};

/** An index, and a place in it. Zeroed: empty. */
struct trace_slices {
    struct trace_slice *slices;
    size_t count, room;
    bool sorted;
    size_t at;     /* the slice being read */
    uint32_t done; /* bytes of it that were read */
};

/** Adds a slice that lies behind all others. False: there is no memory. */
bool acre_trace_slices_add(struct trace_slices *index, struct trace_slice slice);

/** Whether acre_trace_slices_next_section() would be true. */
bool acre_trace_slices_follow(const struct trace_slices *index);

/** Goes to the first slice of the next section, by number. False: there is none. */
bool acre_trace_slices_next_section(struct trace_slices *index);

/** Where the next bytes of the section lie, and `*length` of them at most; 0: it has no more. */
uint64_t acre_trace_slices_place(struct trace_slices *index, size_t *length);

/** Forgets all. */
void acre_trace_slices_release(struct trace_slices *index);

#endif
