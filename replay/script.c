/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "replay/script.h"

#include "replay/pack.h"
#include "replay/pool.h"
#include "replay/runs.h"
#include "replay/split.h"

#include <acre/types.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Bytes that one operation may cost in all: 8 here, 4 for its time, the rest for pools. */
#define BYTES_PER_OP 16
#define NATURAL_LOG2 ((unsigned)__builtin_ctzl(ACRE_NATURAL_ALIGN))
/* More live bytes than a 64-bit machine can address, and half of what a 32-bit one can. */
#define MOST_LIVE (SIZE_MAX > UINT32_MAX ? UINT64_C(1) << 46 : UINT64_C(1) << 31)

#define WINDOW_BYTES (REPLAY_WINDOW_OPS * sizeof(struct replay_op))

/* The place of each wide size met lately, by a hash of it. */
#define INTERNED_LOG2 16
#define INTERNED (1u << INTERNED_LOG2)

struct replay_interned {
    uint32_t places[INTERNED]; /* in the array of wide sizes, plus one; 0: none */
};

#define INTERNED_BYTES sizeof(struct replay_interned)

static void *map_private(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

bool replay_script_open(struct replay_script *script, size_t hold)
{
    *script = (struct replay_script){ .op_array.file = -1,
        .wide_array.file = -1,
        .run_array.file = -1,
        .sequence_array.file = -1,
        .part_array.file = -1,
        .spill = replay_nameless_file(),
        .hold = hold / sizeof(struct replay_op) };
    replay_script_clear(script);
    if (replay_array_open(&script->op_array) && replay_array_open(&script->wide_array) &&
        replay_array_open(&script->run_array) && replay_array_open(&script->sequence_array) &&
        replay_array_open(&script->part_array))
        return true;
    int error = errno;
    replay_script_close(script);
    errno = error;
    return false;
}

void replay_script_clear(struct replay_script *script)
{
    script->facts = (struct replay_facts){ .align_log2 = NATURAL_LOG2 };
    script->limit = script->spill < 0 ? replay_machine_memory() / 2 / BYTES_PER_OP : UINT64_MAX;
    script->live_bytes = 0;
    script->live_blocks = 0;
    script->spilled = 0;
    script->run_thread = 0;
    script->run_length = 0;
}

void replay_script_close(struct replay_script *script)
{
    replay_array_close(&script->op_array);
    replay_array_close(&script->wide_array);
    replay_array_close(&script->run_array);
    replay_array_close(&script->sequence_array);
    replay_array_close(&script->part_array);
    if (script->spill >= 0)
        close(script->spill);
    if (script->window_ops)
        munmap(script->window_ops, WINDOW_BYTES);
    if (script->packed)
        munmap(script->packed, REPLAY_PACKED_WINDOW);
    if (script->interned)
        munmap(script->interned, INTERNED_BYTES);
    script->spill = -1;
    script->window_ops = NULL;
    script->packed = NULL;
    script->interned = NULL;
}

void replay_script_disown(struct replay_script *script)
{
    struct replay_array *const arrays[] = { &script->op_array, &script->wide_array,
        &script->run_array, &script->sequence_array, &script->part_array };
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        *arrays[i] = (struct replay_array){ arrays[i]->file, NULL, 0 };
    script->window_ops = NULL;
    script->packed = NULL;
    script->interned = NULL;
}

static bool window_open(struct replay_script *script)
{
    if (!script->window_ops)
        script->window_ops = map_private(WINDOW_BYTES);
    if (!script->packed)
        script->packed = map_private(REPLAY_PACKED_WINDOW);
    return script->window_ops && script->packed;
}

/* An array with gaps is not read in advance: its gaps would come to be. */
static bool array_map(struct replay_array *array, uint64_t count, size_t item_size, bool gaps)
{
    size_t room = (size_t)count * item_size;
    if (room == 0)
        return true;
    int flags = MAP_SHARED | (gaps ? MAP_NORESERVE : MAP_POPULATE);
    void *items = mmap(NULL, room, PROT_READ, flags, array->file, 0);
    if (items == MAP_FAILED)
        return false;
    array->items = items;
    array->room = room;
    return true;
}

bool replay_script_map(struct replay_script *script)
{
    const struct replay_facts *facts = &script->facts;
    return (facts->streamed
                   ? window_open(script)
                   : array_map(&script->op_array, facts->ops, sizeof(struct replay_op), false)) &&
           array_map(&script->wide_array, facts->wides, sizeof(struct replay_wide), false) &&
           array_map(
               &script->sequence_array, facts->sequence_items, sizeof(struct replay_op), true) &&
           array_map(&script->part_array, facts->parts, sizeof(struct replay_part), false);
}

/* Where the place of such a size is kept, if it is; null when there is no memory to keep any. */
static uint32_t *interned_at(struct replay_script *script, struct replay_wide wide)
{
    uint64_t mixed = (wide.size * 31 + wide.align * 2 + wide.zeroed) * UINT64_C(0x9E3779B97F4A7C15);
    if (!script->interned)
        script->interned = map_private(INTERNED_BYTES);
    return script->interned ? &script->interned->places[mixed >> (64 - INTERNED_LOG2)] : NULL;
}

/* Stores a size or alignment that is not plain, and its place in `*what`. */
static const char *add_wide(struct replay_script *script, struct replay_wide wide, uint32_t *what)
{
    struct replay_facts *facts = &script->facts;
    uint32_t *place = interned_at(script, wide);
    if (place && *place && *place <= facts->wides) {
        const struct replay_wide *known = &replay_wides(script)[*place - 1];
        if (known->size == wide.size && known->align == wide.align &&
            known->zeroed == wide.zeroed) {
            *what |= REPLAY_WIDE | (*place - 1);
            return NULL;
        }
    }
    if (facts->wides == REPLAY_SIZE_MASK)
        return "too many large sizes and alignments";
    struct replay_wide *stored = replay_array_at(&script->wide_array, facts->wides, sizeof *stored);
    if (!stored)
        return "not enough memory to hold the operations";
    *stored = wide;
    *what |= REPLAY_WIDE | (uint32_t)facts->wides++;
    if (place)
        *place = (uint32_t)facts->wides;
    return NULL;
}

/* Puts a window behind what is on disk. @return false: there is no room. */
static bool write_window(struct replay_script *script, const struct replay_op *ops, size_t count)
{
    struct replay_window_header head;
    uint8_t *packed = script->packed + sizeof head;
    head.bytes = (uint32_t)replay_pack_ops(packed, ops, count);
    memcpy(script->packed, &head, sizeof head);
    size_t size = sizeof head + head.bytes;
    if (!replay_write_at(script->spill, script->packed, size, script->spilled))
        return false;
    script->spilled += size;
    return true;
}

bool replay_script_finish(struct replay_script *script)
{
    size_t count = (size_t)(script->facts.ops % REPLAY_WINDOW_OPS);
    return !script->facts.streamed || !count || write_window(script, script->window_ops, count);
}

/* From now on the operations go to disk; those so far are moved there. */
static bool start_streaming(struct replay_script *script)
{
    uint64_t left = script->facts.ops;
    struct replay_array *array = &script->op_array;
    const struct replay_op *items = array->items;
    if (script->spill < 0 || !window_open(script) || ftruncate(script->spill, 0) != 0)
        return false;
    for (; left >= REPLAY_WINDOW_OPS; left -= REPLAY_WINDOW_OPS, items += REPLAY_WINDOW_OPS)
        if (!write_window(script, items, REPLAY_WINDOW_OPS))
            return false;
    if (left)
        memcpy(script->window_ops, items, (size_t)left * sizeof *items);
    if (array->items)
        munmap(array->items, array->room);
    *array = (struct replay_array){ array->file, NULL, 0 };
    script->facts.streamed = true;
    script->facts.run_bytes = 0;
    return ftruncate(array->file, 0) == 0;
}

/* The place of the next operation; null when there is none left. */
static struct replay_op *next_op(struct replay_script *script)
{
    struct replay_facts *facts = &script->facts;
    if (!facts->streamed && facts->ops >= script->hold && !start_streaming(script))
        return NULL;
    if (!facts->streamed)
        return replay_array_at(&script->op_array, facts->ops, sizeof(struct replay_op));
    return &script->window_ops[facts->ops % REPLAY_WINDOW_OPS];
}

/* Adds one operation; an alignment below that of plain operations stands for it. */
static const char *add_op(
    struct replay_script *script, enum replay_verb verb, uint32_t slot, struct replay_wide request)
{
    struct replay_facts *facts = &script->facts;
    uint32_t what = (uint32_t)verb << REPLAY_VERB_SHIFT;
    const char *problem = NULL;
    if (facts->ops == script->limit)
        return "more operations than this machine's memory has room for";
    if (!request.size && verb != REPLAY_DEALLOC)
        request.size = 1;
    if (request.align >> facts->align_log2 == 0)
        request.align = UINT64_C(1) << facts->align_log2;
    if (request.align >> facts->align_log2 == 1 && request.size <= REPLAY_SIZE_MASK &&
        !request.zeroed)
        what |= (uint32_t)request.size;
    else
        problem = add_wide(script, request, &what);
    if (problem)
        return problem;
    struct replay_op *op = next_op(script);
    if (!op)
        return errno == EFBIG ? "the operations do not fit into a file: File too large"
                              : "not enough memory, or disk in TMPDIR, to hold the operations";
    *op = (struct replay_op){ slot, what };
    facts->ops++;
    if (facts->streamed && facts->ops % REPLAY_WINDOW_OPS == 0 &&
        !write_window(script, script->window_ops, REPLAY_WINDOW_OPS))
        return "not enough room in TMPDIR to hold the operations";
    return NULL;
}

static const char *count_live(struct replay_script *script, uint64_t less, uint64_t more)
{
    struct replay_facts *facts = &script->facts;
    if (more > MOST_LIVE || script->live_bytes - less > MOST_LIVE - more)
        return "more bytes live at once than a machine can address";
    script->live_bytes += more - less;
    facts->volume += more > less ? more - less : 0;
    if (script->live_bytes > facts->peak_live) {
        facts->peak_live = script->live_bytes;
        facts->peak_op = facts->ops;
    }
    if (script->live_blocks > facts->peak_blocks)
        facts->peak_blocks = script->live_blocks;
    facts->left_live = script->live_blocks;
    facts->left_bytes = script->live_bytes;
    return NULL;
}

static const char *add_alloc(
    struct replay_script *script, uint32_t slot, struct replay_wide request)
{
    struct replay_facts *facts = &script->facts;
    if (slot >= facts->slots)
        facts->slots = (uint64_t)slot + 1;
    if (request.align > MOST_LIVE)
        return "an alignment that no machine can satisfy";
    if (request.align > facts->max_align)
        facts->max_align = request.align;
    facts->allocs++;
    script->live_blocks++;
    const char *problem = count_live(script, 0, request.size);
    return problem ? problem : add_op(script, REPLAY_ALLOC, slot, request);
}

const char *replay_script_alloc(
    struct replay_script *script, uint32_t slot, uint64_t size, uint64_t align)
{
    return add_alloc(script, slot, (struct replay_wide){ .size = size, .align = align });
}

const char *replay_script_alloc_zeroed(
    struct replay_script *script, uint32_t slot, uint64_t size, uint64_t align)
{
    return add_alloc(
        script, slot, (struct replay_wide){ .size = size, .align = align, .zeroed = 1 });
}

const char *replay_script_dealloc(struct replay_script *script, uint32_t slot, uint64_t old_size)
{
    script->facts.deallocs++;
    script->live_blocks--;
    const char *problem = count_live(script, old_size, 0);
    const struct replay_wide nothing = { .size = 0 };
    return problem ? problem : add_op(script, REPLAY_DEALLOC, slot, nothing);
}

const char *replay_script_realloc(
    struct replay_script *script, uint32_t slot, uint64_t old_size, uint64_t size, uint64_t align)
{
    script->facts.reallocs++;
    const char *problem = count_live(script, old_size, size);
    const struct replay_wide request = { .size = size, .align = align };
    return problem ? problem : add_op(script, REPLAY_REALLOC, slot, request);
}

/* Takes over what is known of the process. Its name may hold any bytes: what is not printable
 * ASCII becomes '?'. */
static void describe_process(struct replay_script *script, const struct acre_trace_event *event)
{
    struct replay_facts *facts = &script->facts;
    const char *name = event->about->name;
    size_t i = 0;
    facts->process = event->process;
    facts->pid = event->about->pid;
    facts->forked = event->about->origin == ACRE_TRACE_FORKED;
    for (; i < ACRE_TRACE_NAME_MAX && name[i]; i++) {
        facts->name[i] = name[i];
        if (name[i] < ' ' || name[i] > '~')
            facts->name[i] = '?';
    }
    facts->name[i] = '\0';
}

static const char *add_script_event(
    struct replay_script *script, const struct acre_trace_event *event)
{
    struct replay_facts *facts = &script->facts;
    if (event->thread >= facts->threads)
        facts->threads = event->thread + 1;
    if (event->time_ns > facts->duration_ns)
        facts->duration_ns = event->time_ns;
    switch (event->op) {
    case ACRE_TRACE_PROCESS:
        describe_process(script, event);
        return NULL;
    case ACRE_TRACE_ALLOC:
        facts->inherited += event->inherited;
        return (event->call == ACRE_TRACE_CALLOC
                    ? replay_script_alloc_zeroed
                    : replay_script_alloc)(script, event->slot, event->size, event->align);
    case ACRE_TRACE_FREE:
        return replay_script_dealloc(script, event->slot, event->size);
    case ACRE_TRACE_RESIZE:
        return replay_script_realloc(script, event->slot, event->old_size, event->size, 0);
    case ACRE_TRACE_FAILED:
        facts->refused++;
        return NULL;
    case ACRE_TRACE_PROCESS_END:
        facts->lost = event->totals.lost;
        facts->unmatched = event->totals.unmatched;
        replay_runs_end(script);
        return replay_script_finish(script) ? NULL
                                            : "not enough room in TMPDIR to hold the operations";
    case ACRE_TRACE_END:
        break;
    }
    return NULL;
}

const char *replay_script_add(struct replay_script *script, const struct acre_trace_event *event)
{
    uint64_t before = script->facts.ops;
    const char *problem = add_script_event(script, event);
    if (!problem && script->facts.ops != before)
        replay_runs_add(script, event->thread);
    return problem;
}
