/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "trace_state.h"

#include "trace_blocks.h"

#include <string.h>

enum acre_trace_status acre_trace_fail(
    struct acre_trace_reader *reader, enum acre_trace_status status, const char *detail)
{
    reader->state = status;
    reader->detail = detail;
    return status;
}

enum acre_trace_status acre_trace_corrupt(struct acre_trace_reader *reader, const char *detail)
{
    return acre_trace_fail(reader, ACRE_TRACE_CORRUPT, detail);
}

enum acre_trace_status acre_trace_pull(
    struct acre_trace_reader *reader, unsigned char *into, size_t count, size_t *got)
{
    *got = 0;
    while (*got < count) {
        size_t n = reader->source.read(reader->source.user, into + *got, count - *got);

        if (n == 0)
            break;
        if (n > count - *got)
            return acre_trace_fail(reader, ACRE_TRACE_READ_FAILED, "the source failed");
        *got += n;
    }
    return ACRE_TRACE_OK;
}

void acre_trace_fill(
    const struct acre_trace_reader *reader, struct acre_trace_event *event, enum acre_trace_op op)
{
    memset(event, 0, sizeof *event);
    event->op = op;
    event->thread = reader->thread;
    event->process = (uint32_t)reader->totals.processes;
    event->time_ns = reader->time_ns;
}

/** An ALLOC, FREE, RESIZE or FAILED event, counted. */
static void fill_counted(
    struct acre_trace_reader *reader, struct acre_trace_event *event, enum acre_trace_op op)
{
    acre_trace_fill(reader, event, op);
    reader->section.events++;
}

enum acre_trace_status acre_trace_on_alloc(struct acre_trace_reader *reader,
    struct acre_trace_event *event, uint64_t name, enum acre_trace_call call, uint64_t size,
    uint64_t align)
{
    const struct acre_trace_block block = { name, size, align, 0 };
    enum acre_trace_status status;

    fill_counted(reader, event, ACRE_TRACE_ALLOC);
    status = acre_trace_blocks_add(reader, &block, &event->slot);
    if (status != ACRE_TRACE_OK)
        return acre_trace_fail(reader, status, acre_trace_status_text(status));
    event->call = call;
    event->size = size;
    event->align = align;
    event->inherited = reader->inherited_left != 0;
    reader->inherited_left -= event->inherited;
    return ACRE_TRACE_OK;
}

enum acre_trace_status acre_trace_on_free(
    struct acre_trace_reader *reader, struct acre_trace_event *event, uint32_t slot)
{
    fill_counted(reader, event, ACRE_TRACE_FREE);
    event->slot = slot;
    event->size = reader->blocks[slot].size;
    event->align = reader->blocks[slot].align;
    acre_trace_blocks_remove(reader, slot);
    return ACRE_TRACE_OK;
}

enum acre_trace_status acre_trace_on_resize(struct acre_trace_reader *reader,
    struct acre_trace_event *event, enum acre_trace_op op, uint32_t slot, uint64_t name,
    uint64_t size)
{
    fill_counted(reader, event, op);
    event->call = ACRE_TRACE_REALLOC;
    event->slot = slot;
    event->size = size;
    event->old_size = reader->blocks[slot].size;
    event->align = reader->blocks[slot].align;
    event->has_slot = op == ACRE_TRACE_FAILED;
    if (op == ACRE_TRACE_FAILED)
        return ACRE_TRACE_OK;
    acre_trace_blocks_rename(reader, slot, name);
    reader->blocks[slot].size = size;
    return ACRE_TRACE_OK;
}

enum acre_trace_status acre_trace_on_failed(struct acre_trace_reader *reader,
    struct acre_trace_event *event, enum acre_trace_call call, uint64_t size, uint64_t align)
{
    fill_counted(reader, event, ACRE_TRACE_FAILED);
    event->call = call;
    event->size = size;
    event->align = align;
    return ACRE_TRACE_OK;
}

enum acre_trace_status acre_trace_on_process(
    struct acre_trace_reader *reader, struct acre_trace_event *event)
{
    if (reader->totals.processes > UINT32_MAX)
        return acre_trace_corrupt(reader, "more process sections than can be numbered");
    acre_trace_blocks_clear(reader);
    memset(&reader->section, 0, sizeof reader->section);
    reader->in_process = true;
    reader->next_ordinal = reader->time_ns = 0;
    reader->thread = 0;
    reader->inherited_left = reader->process.inherited;
    acre_trace_fill(reader, event, ACRE_TRACE_PROCESS);
    event->about = &reader->process;
    return ACRE_TRACE_OK;
}

enum acre_trace_status acre_trace_on_process_end(
    struct acre_trace_reader *reader, struct acre_trace_event *event)
{
    if (reader->inherited_left && !reader->section.lost)
        return acre_trace_corrupt(reader, "a section does not have the inherited blocks it names");
    acre_trace_fill(reader, event, ACRE_TRACE_PROCESS_END);
    reader->section.processes = 1;
    event->totals = reader->section;
    reader->totals.processes++;
    reader->totals.events += reader->section.events;
    reader->totals.lost += reader->section.lost;
    reader->totals.unmatched += reader->section.unmatched;
    reader->in_process = false;
    return ACRE_TRACE_OK;
}

void acre_trace_on_cut(struct acre_trace_reader *reader, struct acre_trace_event *event)
{
    reader->section.lost = reader->inherited_left;
    reader->section.unmatched = 0;
    (void)acre_trace_on_process_end(reader, event);
    event->cut = true;
}

void acre_trace_resume(struct acre_trace_reader *reader)
{
    reader->state = ACRE_TRACE_OK;
    reader->detail = "";
    reader->chunk_offset = reader->offset;
    reader->chunk_size = reader->at = 0;
}
