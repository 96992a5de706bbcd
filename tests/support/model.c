/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "support/model.h"

#include "base/arith.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

bool model_fail(struct model *model, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (model->failure[0] == '\0')
        vsnprintf(model->failure, sizeof model->failure, format, args);
    va_end(args);
    return false;
}

size_t model_above(const struct model *model, const void *ptr)
{
    size_t low = 0;
    size_t high = model->block_count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if ((uintptr_t)model->blocks[mid].start < (uintptr_t)ptr)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

struct model_block *model_find(struct model *model, const void *ptr)
{
    size_t at = model_above(model, ptr);
    bool found = at < model->block_count && model->blocks[at].start == ptr;
    return found ? &model->blocks[at] : NULL;
}

static bool inside_regions(const struct model *model, const unsigned char *start, size_t size)
{
    for (size_t pass = 0; pass < model->region_count && size > 0; pass++) {
        const struct model_region *region = &model->regions[pass];
        if (start < region->start || (size_t)(start - region->start) >= region->size)
            continue;
        size_t room = region->size - (size_t)(start - region->start);
        size_t step = size < room ? size : room;
        start += step;
        size -= step;
    }
    return size == 0;
}

/* Verifies a new block and adds it to the model. */
static bool enter(struct model *model, void *ptr, size_t size, size_t align)
{
    struct acre_num usable = acre_usable_size(model->fixture->bytes, ptr);
    struct model_block block = { ptr, size, align, usable.num, 0 };
    align = align < ACRE_NATURAL_ALIGN ? ACRE_NATURAL_ALIGN : align;
    if (((uintptr_t)ptr & (align - 1)) != 0)
        return model_fail(model, "the block at %p is not aligned to %zu", ptr, align);
    if (usable.status != ACRE_OK || block.usable < size || block.usable == 0)
        return model_fail(model, "usable size %zu of %zu", block.usable, size);
    if (!inside_regions(model, block.start, block.usable))
        return model_fail(model, "the block at %p lies outside the regions", ptr);
    size_t at = model_above(model, ptr);
    bool low = at > 0 && block.start < model->blocks[at - 1].start + model->blocks[at - 1].usable;
    bool high = at < model->block_count && model->blocks[at].start < block.start + block.usable;
    if (low || high)
        return model_fail(model, "the block at %p overlaps a live one", ptr);
    memmove(&model->blocks[at + 1], &model->blocks[at],
        (model->block_count - at) * sizeof model->blocks[0]);
    model->blocks[at] = block;
    model->block_count++;
    model_stamp(model, &model->blocks[at]);
    return true;
}

/* Verifies that nobody wrote to a block that is freed, and removes it from the model. */
static bool strike(struct model *model, struct model_block *block)
{
    bool good = model_holds(block->start, block->usable, block->stamp);
    size_t at = (size_t)(block - model->blocks);
    model->block_count--;
    memmove(block, block + 1, (model->block_count - at) * sizeof *block);
    return good || model_fail(model, "contents: a block was written to");
}

static void enter_region(struct model *model, void *start, size_t size)
{
    size_t at = model->region_count++;
    for (; at > 0 && model->regions[at - 1].start > (unsigned char *)start; at--)
        model->regions[at] = model->regions[at - 1];
    model->regions[at] = (struct model_region){ start, size };
}

static void strike_region(struct model *model, const void *start)
{
    size_t at = 0;
    while (model->regions[at].start != start)
        at++;
    model->region_count--;
    memmove(&model->regions[at], &model->regions[at + 1],
        (model->region_count - at) * sizeof model->regions[0]);
}

/* ---- what an operation's words mean at this moment ---- */

static int some_global;

static uintptr_t wild_address(const struct model *model, unsigned index)
{
    int here;
    const void *forbidden = arena_forbidden(&model->fixture->arena);
    uintptr_t table[] = { 0, 1, 8, 16, (uintptr_t)&here, (uintptr_t)&some_global,
        (uintptr_t)&wild_address, (uintptr_t)forbidden, (uintptr_t)model->fixture->self,
        (uintptr_t)(UINT64_C(1) << 47), /* not canonical on x86-64 */
        ~(UINTPTR_MAX >> 1), UINTPTR_MAX, UINTPTR_MAX - 15, UINTPTR_MAX - 4095 };
    return table[index % (sizeof table / sizeof table[0])];
}

static void *resolve_ptr(const struct model *model, const struct op *op)
{
    uintptr_t place = 0;
    if (op->place == PLACE_SLOT)
        place = (uintptr_t)model->slots[op->index % OP_SLOTS];
    else if (op->place == PLACE_ARENA)
        place = (uintptr_t)model->fixture->arena.base;
    else if (op->place == PLACE_WILD)
        place = wild_address(model, op->index);
    else if (model->region_count != 0)
        place = (uintptr_t)model->regions[op->index % model->region_count].start;
    return (void *)(place + (uintptr_t)op->offset);
}

static size_t resolve_size(struct model *model, const struct op *op, const void *ptr)
{
    const struct model_block *block = model_find(model, ptr);
    size_t base = 0;
    if (op->base == BASE_MAX)
        base = SIZE_MAX;
    else if (op->base == BASE_LARGEST)
        base = model->stats.largest_free;
    else if (op->base == BASE_USABLE && block != NULL)
        base = block->usable;
    else if (op->base == BASE_ASKED && block != NULL)
        base = block->asked;
    return base + (size_t)op->size;
}

/* A range that could be offered to an allocator: memory outside the arena is nobody's to give, so
 * such a range is cut at the arena's end unless it wraps. */
static size_t cut_range(const struct model *model, const void *start, size_t size)
{
    uintptr_t base = (uintptr_t)model->fixture->arena.base;
    uintptr_t offset = (uintptr_t)start - base;
    if (start == NULL || acre_range_wraps((uintptr_t)start, size))
        return size;
    if (offset >= model->fixture->arena.size)
        return 0;
    return size < model->fixture->arena.size - offset ? size : model->fixture->arena.size - offset;
}

/* ---- the operations ---- */

/* Notes what was answered in place of what the contract allows. */
static bool fail_answer(struct model *model, unsigned allowed, enum acre_status status)
{
    char text[192] = "";
    for (unsigned want = 0; want < 8; want++) {
        size_t used = strlen(text);
        if ((allowed >> want & 1) != 0)
            snprintf(text + used, sizeof text - used, "%s\"%s\"", used > 0 ? " or " : "",
                acre_status_text((enum acre_status)want));
    }
    return model_fail(model, "answered \"%s\" in place of %s", acre_status_text(status), text);
}

/* Compares an answer with what the contract allows, and a refused call's traces with none. */
static bool answered(struct model *model, unsigned allowed, enum acre_status status)
{
    if ((allowed >> status & 1) == 0)
        return fail_answer(model, allowed, status);
    if (status != ACRE_OK && !fixture_same(model->fixture))
        return model_fail(
            model, "answered \"%s\", yet something changed", acre_status_text(status));
    return true;
}

static void forget_blocks(struct model *model)
{
    model->block_count = 0;
    model->stats.peak = 0;
    model->stats.used = 0;
    model->stats.failed = 0;
}

static enum acre_status do_init(struct model *model, void *start, size_t size)
{
    forget_blocks(model);
    model->region_count = 0;
    unsigned allowed = model_expect_range(model, start, size);
    enum acre_status status = acre_init(model->fixture->base, start, size);
    if ((allowed >> status & 1) == 0)
        model_fail(model, "init answered \"%s\"", acre_status_text(status));
    else if (status == ACRE_OK)
        enter_region(model, start, size);
    return status;
}

static enum acre_status do_add(struct model *model, void *start, size_t size)
{
    if (model->region_count == MODEL_REGIONS)
        return ACRE_OK;
    unsigned allowed = model_expect_range(model, start, size);
    enum acre_status status = acre_add_memory(model->fixture->base, start, size);
    if (answered(model, allowed, status) && status == ACRE_OK)
        enter_region(model, start, size);
    return status;
}

static enum acre_status do_remove(struct model *model, void *start)
{
    unsigned allowed = model_expect_remove(model, start);
    enum acre_status status = acre_remove_memory(model->fixture->base, start);
    if (answered(model, allowed, status) && status == ACRE_OK)
        strike_region(model, start);
    return status;
}

static enum acre_status do_reset(struct model *model)
{
    acre_reset(model->fixture->base);
    forget_blocks(model);
    return ACRE_OK;
}

static enum acre_status do_alloc(struct model *model, unsigned slot, size_t size, size_t align)
{
    unsigned allowed = model_expect_alloc(model, size, align);
    struct acre_ptr got = acre_alloc(model->fixture->bytes, acre_layout(size, align));
    if ((got.ptr != NULL) != (got.status == ACRE_OK))
        model_fail(model, "alloc: pointer %p with \"%s\"", got.ptr, acre_status_text(got.status));
    else if (answered(model, allowed, got.status) && got.status == ACRE_OK) {
        enter(model, got.ptr, size, align);
        model->slots[slot] = got.ptr;
    }
    return got.status;
}

static enum acre_status do_free(struct model *model, void *ptr)
{
    struct model_block *block = model_find(model, ptr);
    unsigned allowed = 1u << (block != NULL ? ACRE_OK : ACRE_NOT_ALLOCATED);
    if (block != NULL)
        strike(model, block);
    enum acre_status status = acre_dealloc(model->fixture->bytes, ptr);
    answered(model, allowed, status);
    return status;
}

static enum acre_status do_free_sized(struct model *model, void *ptr, size_t size, size_t align)
{
    unsigned allowed = model_expect_free_sized(model, ptr, size, align);
    enum acre_status status =
        acre_dealloc_sized(model->fixture->bytes, ptr, acre_layout(size, align));
    if (answered(model, allowed, status) && status == ACRE_OK) {
        struct model_block *block = model_find(model, ptr);
        size_t at = (size_t)(block - model->blocks);
        model->block_count--;
        memmove(block, block + 1, (model->block_count - at) * sizeof *block);
    }
    return status;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* A live block has a new size, in place: its first bytes are what they were. */
static bool refit(struct model *model, struct model_block *block, size_t size)
{
    size_t usable = acre_usable_size(model->fixture->bytes, block->start).num;
    if (!model_holds(block->start, smaller(smaller(size, usable), block->usable), block->stamp))
        return model_fail(model, "contents: lost in place");
    block->asked = size;
    block->usable = usable;
    size_t next = (size_t)(block - model->blocks) + 1;
    if (usable < size || usable == 0 || !inside_regions(model, block->start, usable))
        return model_fail(model, "usable size %zu of %zu", usable, size);
    if (next < model->block_count && model->blocks[next].start < block->start + usable)
        return model_fail(model, "the block at %p grew into a live one", (void *)block->start);
    model_stamp(model, block);
    return true;
}

static enum acre_status do_resize(struct model *model, void *ptr, size_t size)
{
    unsigned allowed = model_expect_resize(model, ptr, size);
    enum acre_status status = acre_resize(model->fixture->bytes, ptr, size);
    if (answered(model, allowed, status) && status == ACRE_OK)
        refit(model, model_find(model, ptr), size);
    return status;
}

/* A block has moved: the old one is gone, the new one holds its first bytes. */
static bool moved(struct model *model, void *from, void *to, size_t size, size_t align)
{
    struct model_block old = *model_find(model, from);
    struct model_block *gone = model_find(model, from);
    size_t at = (size_t)(gone - model->blocks);
    model->block_count--;
    memmove(gone, gone + 1, (model->block_count - at) * sizeof *gone);
    bool contents = (model->fixture->backend->caps & ACRE_SUBJECT_CONTENTS) != 0;
    if (contents && !model_holds(to, smaller(old.usable, size), old.stamp))
        return model_fail(model, "contents: lost on the way from %p to %p", from, to);
    for (size_t i = 0; i < OP_SLOTS; i++) {
        if (model->slots[i] == from)
            model->slots[i] = to;
    }
    return enter(model, to, size, align);
}

static enum acre_status do_realloc(struct model *model, void *ptr, size_t size, size_t align)
{
    unsigned allowed = model_expect_realloc(model, ptr, size, align);
    const struct model_block *block = model_find(model, ptr);
    bool stays = block != NULL && acre_is_pow2(align) && model_must_stay(model, block, size, align);
    struct acre_ptr got = acre_realloc(model->fixture->bytes, ptr, acre_layout(size, align));
    if ((got.ptr != NULL) != (got.status == ACRE_OK))
        model_fail(model, "realloc: pointer %p with \"%s\"", got.ptr, acre_status_text(got.status));
    else if (!answered(model, allowed, got.status) || got.status != ACRE_OK)
        return got.status;
    else if (stays && got.ptr != ptr)
        model_fail(model, "realloc moved a block that could stay");
    else if (got.ptr == ptr && ((uintptr_t)ptr & (align - 1)) != 0)
        model_fail(model, "realloc left a block that lacks the alignment");
    else if (got.ptr == ptr)
        refit(model, model_find(model, ptr), size);
    else
        moved(model, ptr, got.ptr, size, align);
    return got.status;
}

static enum acre_status do_usable(struct model *model, const void *ptr)
{
    const struct model_block *block = model_find(model, ptr);
    struct acre_num got = acre_usable_size(model->fixture->bytes, ptr);
    size_t want = block != NULL ? block->usable : 0;
    answered(model, 1u << (block != NULL ? ACRE_OK : ACRE_NOT_ALLOCATED), got.status);
    if (got.num != want)
        model_fail(model, "usable size %zu instead of %zu", (size_t)got.num, want);
    if (!fixture_same(model->fixture))
        model_fail(model, "usable_size changed something");
    return got.status;
}

static enum acre_status dispatch(struct model *model, const struct op *op)
{
    void *ptr = op_has_ptr(op->verb) ? resolve_ptr(model, op) : NULL;
    size_t size = op_has_size(op->verb) ? resolve_size(model, op, ptr) : 0;
    size_t align = (size_t)op->align;
    switch (op->verb) {
    case OP_INIT:
        return do_init(model, ptr, cut_range(model, ptr, size));
    case OP_ADD:
        return do_add(model, ptr, cut_range(model, ptr, size));
    case OP_REMOVE:
        return do_remove(model, ptr);
    case OP_RESET:
        return do_reset(model);
    case OP_ALLOC:
        return do_alloc(model, op->index % OP_SLOTS, size, align);
    case OP_FREE:
        return do_free(model, ptr);
    case OP_FREE_SIZED:
        return do_free_sized(model, ptr, size, align);
    case OP_RESIZE:
        return do_resize(model, ptr, size);
    case OP_REALLOC:
        return do_realloc(model, ptr, size, align);
    case OP_USABLE:
        return do_usable(model, ptr);
    case OP_VERBS:
        break;
    }
    return ACRE_OK;
}

static bool takes_block(enum op_verb verb)
{
    return verb == OP_FREE || verb == OP_FREE_SIZED || verb == OP_RESIZE || verb == OP_REALLOC ||
           verb == OP_USABLE;
}

/* Where pointers are not proven, a bad one is the caller's fault and not to be tried. */
static bool is_undefined(struct model *model, const struct op *op)
{
    return (model->fixture->backend->caps & ACRE_SUBJECT_EXACT) == 0 && takes_block(op->verb) &&
           model_find(model, resolve_ptr(model, op)) == NULL;
}

/* A plugin has one region, given when it was made. */
static bool is_unknown(const struct model *model, enum op_verb verb)
{
    return (model->fixture->backend->caps & ACRE_SUBJECT_PLAIN) != 0 && model->region_count > 0 &&
           (verb == OP_INIT || verb == OP_ADD || verb == OP_REMOVE);
}

static bool apply_one(struct model *model, const struct op *op)
{
    if (is_unknown(model, op->verb) || is_undefined(model, op)) {
        model->left_out++;
        model->changed = false;
        return true;
    }
    if (!model->kept)
        fixture_save(model->fixture);
    enum acre_status status = dispatch(model, op);
    model->changed = status == ACRE_OK ? op->verb != OP_USABLE : op->verb == OP_INIT;
    model->kept = !model->changed;
    return model->failure[0] == '\0' && model_audit(model, op->verb, status);
}

bool model_apply(struct model *model, const struct op *op)
{
    void *held = op->verb == OP_ALLOC ? model->slots[op->index % OP_SLOTS] : NULL;
    if (held != NULL && model_find(model, held) != NULL) {
        struct op first = { .verb = OP_FREE, .place = PLACE_SLOT, .index = op->index };
        if (!apply_one(model, &first))
            return false;
    }
    return apply_one(model, op);
}

void model_adopt(struct model *model, struct fixture *fixture)
{
    memset(model, 0, sizeof *model);
    model->fixture = fixture;
    model->stats = acre_stats(fixture->base);
}

void model_begin(struct model *model, struct fixture *fixture)
{
    memset(model, 0, sizeof *model);
    model->fixture = fixture;
    struct op op = {
        .verb = OP_INIT, .place = PLACE_ARENA, .size = (int64_t)fixture->arena.size / 2, .align = 1
    };
    model_apply(model, &op);
}

bool model_finish(struct model *model)
{
    while (model->block_count > 0) {
        uintptr_t base = (uintptr_t)model->fixture->arena.base;
        size_t pick = model->block_count / 2;
        struct op op = { .verb = OP_FREE, .place = PLACE_ARENA };
        op.offset = (int64_t)((uintptr_t)model->blocks[pick].start - base);
        if (!model_apply(model, &op))
            return false;
    }
    return true;
}

bool model_run(
    struct model *model, struct fixture *fixture, const struct op *ops, size_t count, size_t *done)
{
    model_begin(model, fixture);
    for (*done = 0; model->failure[0] == '\0' && *done < count; ++*done) {
        if (!model_apply(model, &ops[*done]))
            return false;
    }
    return model->failure[0] == '\0' && model_finish(model);
}
