/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The verifying replay: each block is stamped when it is handed out, and its contents are checked
 * when it is resized (all that was kept when it moved, both ends when it did not) and when it is
 * freed. Each address must be aligned and inside the pool; a built-in allocator must accept each
 * free, pass its own check sixteen times on the way, and be empty at the end.
 */
#include "replay/stamp.h"
#include "replay/worker.h"

#include <stdarg.h>
#include <stdio.h>

#define STRUCTURE_CHECKS 16
#define MOST_SAMPLES 512
#define SAMPLE_PART 128
#define ENDS 64

struct verifier {
    struct replay_worker *worker;
    struct replay_instance instance;
    size_t limit;   /* bytes of each block that are stamped */
    uint64_t begun; /* nanoseconds of processor time */
    uint64_t at;    /* index of the operation; that of the end when past it */
    uint64_t resident_before, resident_peak; /* of a backend without a pool: bytes, growth */
    uint64_t asked;                          /* for, since resident memory was last sampled */
};

static const char *verify_verb_text(enum replay_verb verb)
{
    return verb == REPLAY_ALLOC ? "allocate" : verb == REPLAY_DEALLOC ? "free" : "resize to";
}

/* Bytes that an operation asks for, or that the block it frees was last given. */
static uint64_t asked_for(const struct replay_worker *worker, struct replay_op op)
{
    if (replay_op_verb(op) == REPLAY_DEALLOC)
        return replay_slot_size(&worker->slots[op.slot]);
    return replay_op_size(op, replay_wides(worker->script));
}

/* Notes what is wrong, with the operation it came to light at. @return false. */
static bool __attribute__((format(printf, 2, 3)))
verify_fault(struct verifier *verifier, const char *format, ...)
{
    struct replay_worker *worker = verifier->worker;
    const struct replay_script *script = worker->script;
    char *text = worker->results->fault;
    int used = 0;
    if (verifier->at < script->facts.ops) {
        struct replay_op op = replay_op_at(script, verifier->at);
        uint64_t size = asked_for(worker, op);
        used = snprintf(text, REPLAY_FAULT_ROOM,
            "operation %llu (%s %llu bytes): ", (unsigned long long)verifier->at,
            verify_verb_text(replay_op_verb(op)), (unsigned long long)size);
    } else {
        used = snprintf(text, REPLAY_FAULT_ROOM, "at the end: ");
    }
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, REPLAY_FAULT_ROOM - (size_t)used, format, arguments);
    va_end(arguments);
    return false;
}

static size_t stamped(const struct verifier *verifier, size_t size)
{
    return size < verifier->limit ? size : verifier->limit;
}

static bool damaged(struct verifier *verifier, const struct replay_slot *slot, size_t offset)
{
    return verify_fault(verifier, "byte %zu of the block of %zu bytes was overwritten", offset,
        replay_slot_size(slot));
}

/* The first `size` bytes of a block, of which the last are its tail. */
static bool check_contents(
    struct verifier *verifier, const struct replay_slot *slot, size_t size, uint32_t index)
{
    size_t offset = replay_stamp_check(slot->ptr, 0, size, index);
    if (offset == SIZE_MAX)
        offset = replay_stamp_check_tail(slot->ptr, size, index);
    return offset == SIZE_MAX || damaged(verifier, slot, offset);
}

/* A block just handed out. The system's malloc aligns no better than the size has use for. */
static bool check_place(struct verifier *verifier, const struct replay_slot *slot)
{
    const struct replay_backend *backend = verifier->worker->backend;
    const struct replay_results *results = verifier->worker->results;
    size_t align = replay_slot_align(slot);
    size_t size = replay_slot_size(slot);
    while (backend->type == REPLAY_SYSTEM && align == ACRE_NATURAL_ALIGN && align > size)
        align /= 2;
    if (align && (uintptr_t)slot->ptr % align != 0)
        return verify_fault(verifier, "the block is not aligned to %zu bytes", align);
    uintptr_t offset = (uintptr_t)slot->ptr - (uintptr_t)verifier->worker->pool.start;
    if (replay_backend_has_pool(backend) &&
        (offset > results->pool || size > results->pool - offset))
        return verify_fault(verifier, "the block lies outside the pool");
    if (backend->type == REPLAY_BUILTIN &&
        acre_usable_size(verifier->instance.bytes, slot->ptr).num < size)
        return verify_fault(verifier, "its usable size is below what was asked for");
    return true;
}

static bool verify_alloc(struct verifier *verifier, struct replay_op op)
{
    struct replay_worker *worker = verifier->worker;
    struct replay_slot *slot = &worker->slots[op.slot];
    if (!replay_step(&verifier->instance, op, worker->script, worker->slots)) {
        worker->results->failed++;
        return true;
    }
    if (!check_place(verifier, slot))
        return false;
    replay_stamp(slot->ptr, 0, stamped(verifier, replay_slot_size(slot)), op.slot);
    return true;
}

static bool verify_dealloc(struct verifier *verifier, struct replay_op op)
{
    struct replay_worker *worker = verifier->worker;
    struct replay_slot *slot = &worker->slots[op.slot];
    size_t size = stamped(verifier, replay_slot_size(slot));
    if (!slot->ptr)
        return true;
    if (!check_contents(verifier, slot, size, op.slot))
        return false;
    enum acre_status status = replay_dealloc(&verifier->instance, slot);
    if (status != ACRE_OK)
        return verify_fault(verifier, "the free was refused: %s", acre_status_text(status));
    slot->ptr = NULL;
    return true;
}

/* What a resize had to keep: `before` is the block as it was, `slot` as it is. */
static bool check_kept(struct verifier *verifier, const struct replay_slot *before,
    const struct replay_slot *slot, uint32_t index)
{
    size_t old_size = stamped(verifier, replay_slot_size(before));
    size_t size = stamped(verifier, replay_slot_size(slot));
    size_t kept = old_size < size ? old_size : size;
    size_t checked = slot->ptr != before->ptr || kept < ENDS ? kept : ENDS;
    size_t offset = replay_stamp_check(slot->ptr, 0, checked, index);
    if (offset == SIZE_MAX && kept == old_size)
        offset = replay_stamp_check_tail(slot->ptr, old_size, index);
    return offset == SIZE_MAX || damaged(verifier, slot, offset);
}

static bool verify_realloc(struct verifier *verifier, struct replay_op op)
{
    struct replay_worker *worker = verifier->worker;
    struct replay_slot *slot = &worker->slots[op.slot];
    struct replay_slot before = *slot;
    if (!before.ptr)
        return verify_alloc(verifier, op);
    if (!replay_step(&verifier->instance, op, worker->script, worker->slots)) {
        worker->results->failed++;
        return check_kept(verifier, &before, slot, op.slot);
    }
    if (!check_place(verifier, slot) || !check_kept(verifier, &before, slot, op.slot))
        return false;
    size_t size = stamped(verifier, replay_slot_size(slot));
    size_t old_size = stamped(verifier, replay_slot_size(&before));
    replay_stamp(slot->ptr, old_size < size ? old_size : size, size, op.slot);
    return true;
}

static bool verify_op(struct verifier *verifier, struct replay_op op)
{
    switch (replay_op_verb(op)) {
    case REPLAY_ALLOC:
        return verify_alloc(verifier, op);
    case REPLAY_DEALLOC:
        return verify_dealloc(verifier, op);
    case REPLAY_REALLOC:
        return verify_realloc(verifier, op);
    }
    return true;
}

static bool check_structure(struct verifier *verifier)
{
    if (verifier->worker->backend->type != REPLAY_BUILTIN)
        return true;
    struct acre_check_result found = acre_bytes_check(verifier->instance.bytes);
    return !found.invariant || verify_fault(verifier, "its structure is broken: %s (at %p)",
                                   found.invariant, found.where);
}

static void note_resident(struct verifier *verifier, uint64_t now)
{
    uint64_t growth = now > verifier->resident_before ? now - verifier->resident_before : 0;
    if (growth > verifier->resident_peak)
        verifier->resident_peak = growth;
}

/* Whether to sample resident memory: where most is live, and whenever the requests since the last
 * sample might have made it grow by a small part of that, but some hundred times at most. */
static bool is_time_to_sample(struct verifier *verifier, struct replay_op op)
{
    const struct replay_facts *facts = &verifier->worker->script->facts;
    uint64_t step = facts->volume / MOST_SAMPLES;
    if (step < facts->peak_live / SAMPLE_PART)
        step = facts->peak_live / SAMPLE_PART;
    if (replay_op_verb(op) != REPLAY_DEALLOC)
        verifier->asked += asked_for(verifier->worker, op);
    if (verifier->asked <= step && verifier->at != facts->peak_op)
        return false;
    verifier->asked = 0;
    return true;
}

static bool out_of_patience(const struct verifier *verifier)
{
    struct replay_results *results = verifier->worker->results;
    if (!results->patience || acre_clock_own_ns() - verifier->begun < results->patience)
        return false;
    snprintf(results->cannot, sizeof results->cannot, "verifying it takes more than %llu s",
        (unsigned long long)(results->patience / 1000000000));
    return true;
}

/* The checks beside those of the operation. */
static bool verify_at_intervals(struct verifier *verifier, struct replay_op op, uint64_t span)
{
    if (!replay_backend_has_pool(verifier->worker->backend) && is_time_to_sample(verifier, op))
        note_resident(verifier, replay_resident());
    if (verifier->at % 1024 == 0 && out_of_patience(verifier))
        return false;
    return verifier->at % span != span - 1 || check_structure(verifier);
}

static bool verify_ops(struct verifier *verifier)
{
    uint64_t span = verifier->worker->script->facts.ops / STRUCTURE_CHECKS + 1;
    struct replay_window window = { 0 };
    verifier->at = 0;
    while (replay_worker_next(verifier->worker, &window)) {
        for (uint64_t i = 0; i < window.count; i++, verifier->at++)
            if (!verify_op(verifier, window.ops[i]) ||
                !verify_at_intervals(verifier, window.ops[i], span))
                return false;
    }
    return true;
}

/* Checks and frees what the script leaves live; nothing may be left in use then. */
static bool verify_end(struct verifier *verifier)
{
    const struct replay_worker *worker = verifier->worker;
    for (uint32_t i = 0; i < worker->script->facts.slots; i++)
        if (!verify_dealloc(verifier, (struct replay_op){ .slot = i }))
            return false;
    if (!check_structure(verifier))
        return false;
    if (worker->backend->type != REPLAY_BUILTIN)
        return true;
    size_t used = acre_bytes_stats(verifier->instance.bytes).used;
    return used == 0 || verify_fault(verifier, "%zu bytes in use though nothing is live", used);
}

void replay_verify(struct replay_worker *worker)
{
    struct replay_results *results = worker->results;
    struct verifier verifier = { .worker = worker, .limit = SIZE_MAX };
    bool roomy = worker->script->facts.peak_live < replay_machine_memory() / 2;
    results->failed = 0;
    if (!roomy)
        verifier.limit = ENDS;
    results->pool_refused = !replay_worker_open(worker, &verifier.instance, results->pool);
    if (results->pool_refused)
        return;
    replay_stamp_set_coarse(results->coarse);
    verifier.begun = acre_clock_own_ns();
    verifier.resident_before = replay_resident();
    bool sound = true;
    for (size_t i = 0; sound && (i == 0 || i < results->rounds); i++)
        sound = verify_ops(&verifier) && verify_end(&verifier);
    if (replay_backend_has_pool(worker->backend) || !roomy)
        verifier.resident_peak = 0;
    else
        note_resident(&verifier, replay_resident_most());
    results->resident = verifier.resident_peak;
    if (sound)
        replay_worker_close(worker, &verifier.instance);
}
