/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/** What the two forms of a trace have in common once a record or a line has been taken apart. */
#ifndef ACRE_TRACE_STATE_H
#define ACRE_TRACE_STATE_H

#include "trace.h"

/** Ends reading with this status; the detail is a constant. Returns the status. */
enum acre_trace_status acre_trace_fail(
    struct acre_trace_reader *reader, enum acre_trace_status status, const char *detail);

/** acre_trace_fail() with CORRUPT. */
enum acre_trace_status acre_trace_corrupt(struct acre_trace_reader *reader, const char *detail);

/** Reads up to `count` bytes from the source; stores how many there were before its end. */
enum acre_trace_status acre_trace_pull(
    struct acre_trace_reader *reader, unsigned char *into, size_t count, size_t *got);

/** Clears the event and fills in what every one has. */
void acre_trace_fill(
    const struct acre_trace_reader *reader, struct acre_trace_event *event, enum acre_trace_op op);

/** An allocation whose block is named `name` (an ordinal, or any other number not in use). */
enum acre_trace_status acre_trace_on_alloc(struct acre_trace_reader *reader,
    struct acre_trace_event *event, uint64_t name, enum acre_trace_call call, uint64_t size,
    uint64_t align);

/** The live block in `slot` is freed. */
enum acre_trace_status acre_trace_on_free(
    struct acre_trace_reader *reader, struct acre_trace_event *event, uint32_t slot);

/** The live block in `slot` is resized and named anew, or with op FAILED stays as it was. */
enum acre_trace_status acre_trace_on_resize(struct acre_trace_reader *reader,
    struct acre_trace_event *event, enum acre_trace_op op, uint32_t slot, uint64_t name,
    uint64_t size);

/** A call without a block failed. */
enum acre_trace_status acre_trace_on_failed(struct acre_trace_reader *reader,
    struct acre_trace_event *event, enum acre_trace_call call, uint64_t size, uint64_t align);

/** The section that reader->process describes begins. */
enum acre_trace_status acre_trace_on_process(
    struct acre_trace_reader *reader, struct acre_trace_event *event);

/** The section ends; reader->section has its totals. */
enum acre_trace_status acre_trace_on_process_end(
    struct acre_trace_reader *reader, struct acre_trace_event *event);

/** The section ends where the stream does; reader->section counts what there was of it. */
void acre_trace_on_cut(struct acre_trace_reader *reader, struct acre_trace_event *event);

/** Makes a reader that came to the end of its stream ready for more chunks. */
void acre_trace_resume(struct acre_trace_reader *reader);

#endif
