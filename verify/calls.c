/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Calls are noted before the allocator is entered, so that the last one of a crash is known. */
#include "verify/kit.h"

#include <string.h>

enum { INSTANCES = 8, SHOWN = 8 };

struct logged {
    struct acre_bytes inner;
    unsigned who;
};

static struct logged instances[INSTANCES];
static unsigned instance_count;
static struct kit_log *log_in_use;
static struct acre_subject subject_in_use;
static struct acre_bytes (*bind_in_use)(void *self);

static struct kit_call *note(
    const void *self, enum op_verb verb, const void *ptr, size_t size, size_t align)
{
    static struct kit_call dropped;
    const struct logged *logged = self;
    struct kit_log *log = log_in_use;
    struct kit_call *call = log->count < KIT_CALLS ? &log->calls[log->count] : &dropped;
    *call = (struct kit_call){
        .verb = verb, .who = logged->who, .ptr = (uintptr_t)ptr, .size = size, .align = align
    };
    log->count++;
    return call;
}

static enum acre_status answer(struct kit_call *call, enum acre_status status, const void *result)
{
    call->answered = true;
    call->status = status;
    call->result = (uintptr_t)result;
    return status;
}

static enum acre_status log_init(void *self, void *start, size_t size)
{
    struct acre_base inner = acre_bytes_base(((struct logged *)self)->inner);
    struct kit_call *call = note(self, OP_INIT, start, size, 1);
    enum acre_status status = inner.ops->init(inner.self, start, size);
    if (status == ACRE_OK && log_in_use->arena == 0)
        log_in_use->arena = (uintptr_t)start & ~(uintptr_t)(log_in_use->arena_size - 1);
    return answer(call, status, NULL);
}

static enum acre_status log_add(void *self, void *start, size_t size)
{
    struct acre_base inner = acre_bytes_base(((struct logged *)self)->inner);
    struct kit_call *call = note(self, OP_ADD, start, size, 1);
    return answer(call, inner.ops->add_memory(inner.self, start, size), NULL);
}

static enum acre_status log_remove(void *self, void *start)
{
    struct acre_base inner = acre_bytes_base(((struct logged *)self)->inner);
    struct kit_call *call = note(self, OP_REMOVE, start, 0, 1);
    return answer(call, inner.ops->remove_memory(inner.self, start), NULL);
}

static void log_reset(void *self)
{
    struct acre_base inner = acre_bytes_base(((struct logged *)self)->inner);
    struct kit_call *call = note(self, OP_RESET, NULL, 0, 1);
    inner.ops->reset(inner.self);
    answer(call, ACRE_OK, NULL);
}

static struct acre_stats log_stats(const void *self)
{
    return acre_bytes_stats(((const struct logged *)self)->inner);
}

static struct acre_check_result log_check(const void *self)
{
    return acre_bytes_check(((const struct logged *)self)->inner);
}

static void log_reset_peak(void *self)
{
    acre_bytes_reset_peak(((struct logged *)self)->inner);
}

static struct acre_ptr log_alloc(void *self, struct acre_layout layout)
{
    struct acre_bytes inner = ((struct logged *)self)->inner;
    struct kit_call *call = note(self, OP_ALLOC, NULL, layout.size, layout.align);
    struct acre_ptr got = inner.ops->alloc(inner.self, layout);
    answer(call, got.status, got.ptr);
    return got;
}

static enum acre_status log_dealloc(void *self, void *ptr)
{
    struct acre_bytes inner = ((struct logged *)self)->inner;
    struct kit_call *call = note(self, OP_FREE, ptr, 0, 1);
    return answer(call, inner.ops->dealloc(inner.self, ptr), NULL);
}

static enum acre_status log_dealloc_sized(void *self, void *ptr, struct acre_layout layout)
{
    struct acre_bytes inner = ((struct logged *)self)->inner;
    struct kit_call *call = note(self, OP_FREE_SIZED, ptr, layout.size, layout.align);
    return answer(call, inner.ops->dealloc_sized(inner.self, ptr, layout), NULL);
}

static enum acre_status log_resize(void *self, void *ptr, size_t size)
{
    struct acre_bytes inner = ((struct logged *)self)->inner;
    struct kit_call *call = note(self, OP_RESIZE, ptr, size, 1);
    return answer(call, inner.ops->resize(inner.self, ptr, size), NULL);
}

static struct acre_ptr log_realloc(void *self, void *ptr, struct acre_layout layout)
{
    struct acre_bytes inner = ((struct logged *)self)->inner;
    struct kit_call *call = note(self, OP_REALLOC, ptr, layout.size, layout.align);
    struct acre_ptr got = inner.ops->realloc(inner.self, ptr, layout);
    answer(call, got.status, got.ptr);
    return got;
}

static struct acre_num log_usable_size(const void *self, const void *ptr)
{
    struct acre_bytes inner = ((const struct logged *)self)->inner;
    return inner.ops->usable_size(inner.self, ptr);
}

static struct acre_block log_find(const void *self, const void *ptr)
{
    struct acre_bytes inner = ((const struct logged *)self)->inner;
    return inner.ops->find(inner.self, ptr);
}

static void log_walk(const void *self, acre_walk_fn *visit, void *arg)
{
    acre_walk(((const struct logged *)self)->inner, visit, arg);
}

static const struct acre_bytes_ops log_ops = {
    .base = { .init = log_init,
        .add_memory = log_add,
        .remove_memory = log_remove,
        .stats = log_stats,
        .check = log_check,
        .reset = log_reset,
        .reset_peak = log_reset_peak },
    .alloc = log_alloc,
    .dealloc = log_dealloc,
    .dealloc_sized = log_dealloc_sized,
    .resize = log_resize,
    .realloc = log_realloc,
    .usable_size = log_usable_size,
    .find = log_find,
    .walk = log_walk,
};

static struct acre_bytes log_bind(void *self)
{
    if (instance_count == INSTANCES)
        return bind_in_use(self);
    struct logged *logged = &instances[instance_count];
    *logged = (struct logged){ bind_in_use(self), instance_count++ };
    return (struct acre_bytes){ &log_ops, logged };
}

const struct acre_subject *kit_logged(
    const struct acre_subject *subject, struct kit_log *log, size_t arena_size)
{
    subject_in_use = *subject;
    bind_in_use = subject->bind;
    subject_in_use.bind = log_bind;
    log_in_use = log;
    instance_count = 0;
    log->count = 0;
    log->arena = 0;
    log->arena_size = arena_size;
    return &subject_in_use;
}

/* ---- as operations of the model ---- */

struct slots {
    uintptr_t start[OP_SLOTS];
    size_t size[OP_SLOTS];
    bool live[OP_SLOTS];
};

static void say_size(struct op *op, size_t size)
{
    bool plain = size <= INT64_MAX;
    op->base = plain ? BASE_ZERO : BASE_MAX;
    op->size = plain ? (int64_t)size : -(int64_t)(SIZE_MAX - size);
}

/* The slot that held a pointer last; else the one whose block it lies in; else a distance from the
 * arena's start, which is nobody's memory when it lies outside. */
static void say_ptr(
    struct op *op, const struct slots *slots, const struct kit_log *log, uintptr_t ptr)
{
    op->place = PLACE_ARENA;
    op->offset = (int64_t)(ptr - log->arena);
    for (unsigned i = 0; i < OP_SLOTS; i++) {
        uintptr_t into = ptr - slots->start[i];
        if (slots->start[i] == 0 || into >= slots->size[i] ||
            (op->place == PLACE_SLOT && into != 0))
            continue;
        op->place = PLACE_SLOT;
        op->index = i;
        op->offset = (int64_t)into;
    }
    if (ptr == 0)
        *op = (struct op){ .verb = op->verb, .place = PLACE_WILD, .align = op->align };
}

static bool take_slot(struct slots *slots, const struct kit_call *call, unsigned *index)
{
    for (unsigned i = 0; i < OP_SLOTS; i++) {
        if (slots->live[i])
            continue;
        bool held = call->status == ACRE_OK && call->result != 0;
        slots->start[i] = held ? call->result : slots->start[i];
        slots->size[i] = held ? call->size + (call->size == 0) : slots->size[i];
        slots->live[i] = held;
        *index = i;
        return true;
    }
    return false;
}

static void follow(struct slots *slots, const struct kit_call *call)
{
    bool freed = call->verb == OP_FREE || call->verb == OP_FREE_SIZED;
    for (unsigned i = 0; i < OP_SLOTS && call->status == ACRE_OK; i++) {
        if (slots->start[i] != call->ptr || call->ptr == 0)
            continue;
        if (freed)
            slots->live[i] = false;
        else
            slots->size[i] = call->size + (call->size == 0);
        if (call->verb == OP_REALLOC)
            slots->start[i] = call->result;
    }
}

static bool say_call(
    struct op *op, struct slots *slots, const struct kit_log *log, const struct kit_call *call)
{
    *op = (struct op){ .verb = call->verb, .align = call->align };
    if (op_has_size(call->verb))
        say_size(op, call->size);
    if (call->verb == OP_ALLOC)
        return take_slot(slots, call, &op->index);
    if (call->verb == OP_INIT || call->verb == OP_RESET)
        memset(slots->live, 0, sizeof slots->live);
    if (op_has_ptr(call->verb))
        say_ptr(op, slots, log, call->ptr);
    if (op_has_size(call->verb))
        say_size(op, call->size);
    follow(slots, call);
    return true;
}

size_t kit_calls_to_ops(const struct kit_log *log, struct op *ops, size_t room)
{
    struct slots slots = { .start = { 0 } };
    if (log->count > room || log->count > KIT_CALLS)
        return 0;
    for (size_t i = 0; i < log->count; i++) {
        if (log->calls[i].who != 0 || !say_call(&ops[i], &slots, log, &log->calls[i]))
            return 0;
    }
    return log->count;
}

/* ---- as they are ---- */

static int print_call(
    char *text, size_t room, const struct kit_log *log, const struct kit_call *call)
{
    static const char *const answers[] = { "ok", "invalid", "overlap", "no memory",
        "not allocated" };
    struct slots none = { .start = { 0 } };
    char line[OP_TEXT];
    struct op op = { .verb = call->verb, .align = call->align };
    if (op_has_ptr(op.verb) && op.verb != OP_ALLOC)
        say_ptr(&op, &none, log, call->ptr);
    if (op_has_size(op.verb))
        say_size(&op, call->size);
    op_print(line, &op);
    if (op.verb == OP_ALLOC) /* which slot is nobody's business here */
        memmove(line + strlen("alloc"), line + strlen("alloc s0"),
            strlen(line + strlen("alloc s0")) + 1);
    const char *said = !call->answered ? "does not return"
                       : (size_t)call->status < sizeof answers / sizeof *answers
                           ? answers[call->status]
                           : "?";
    if (call->result != 0)
        return snprintf(text, room, "%s -> a+%jd\n", line, (intmax_t)(call->result - log->arena));
    return snprintf(text, room, "%s -> %s\n", line, said);
}

void kit_calls_print(char *text, size_t room, const struct kit_log *log)
{
    size_t last = log->count <= KIT_CALLS ? log->count : 0;
    size_t from = last > SHOWN ? last - SHOWN : 0;
    size_t used = 0;
    text[0] = '\0';
    if (from > 0 || last == 0)
        used = (size_t)snprintf(text, room, "# after %zu calls\n", last > 0 ? from : log->count);
    for (size_t i = from; i < last && used < room; i++)
        used += (size_t)print_call(text + used, room - used, log, &log->calls[i]);
}
