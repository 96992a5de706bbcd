/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Tally: the inner call, and its outcome entered into the rows.
 *
 *     inner block: | usable ...                  | tag     | ~tag    |
 *                                                  16 bits   16 bits     (only with owners)
 *
 * TALLY-1: the tag of every live block is whole and names an owner, or none.
 * TALLY-2: the classes add up to the live blocks and their usable bytes.
 * TALLY-3: the owners add up to the live blocks that name one and to those lost.
 */
#include <acre/wrap/pass.h>
#include <acre/wrap/tally.h>

#include "base/bits.h"
#include "base/memory.h"

/* The owner of a block whose tag was found damaged. */
enum { NO_OWNER = ACRE_TALLY_OWNERS };

/* A live block, and the usable bytes that are its user's. */
struct counted {
    unsigned char *ptr;
    size_t usable;
    unsigned owner;
    bool damaged;
};

/* ---- the tag ---- */

static size_t tally_tag_size(const struct acre_tally *tally)
{
    return tally->owner_count != 0 ? ACRE_TALLY_TAG : 0;
}

/* What is asked of the inner allocator; a sum past the top is as large as can be, and refused. */
static size_t tally_with_tag(const struct acre_tally *tally, size_t size)
{
    size_t tag = tally_tag_size(tally);
    if (tag == 0)
        return size;
    size = size == 0 ? 1 : size;
    return size > SIZE_MAX - tag ? SIZE_MAX : size + tag;
}

static size_t tally_without_tag(const struct acre_tally *tally, size_t size)
{
    size_t tag = tally_tag_size(tally);
    return size > tag ? size - tag : 0;
}

static void tally_write_tag(const struct acre_tally *tally, const struct counted *block)
{
    uint16_t tag[2] = { (uint16_t)block->owner, (uint16_t)~block->owner };
    if (tally->owner_count != 0)
        memcpy(block->ptr + block->usable, tag, sizeof tag);
}

static void tally_read_tag(const struct acre_tally *tally, struct counted *block)
{
    uint16_t tag[2];
    memcpy(tag, block->ptr + block->usable, sizeof tag);
    block->owner = tag[0];
    block->damaged =
        (tag[0] ^ tag[1]) != UINT16_MAX || (tag[0] != NO_OWNER && tag[0] >= tally->owner_count);
    if (block->damaged)
        block->owner = NO_OWNER;
}

/* False: no live block starts there. */
static bool tally_find(const struct acre_tally *tally, void *ptr, struct counted *block)
{
    struct acre_num size = acre_usable_size(tally->inner, ptr);
    if (size.status != ACRE_OK)
        return false;
    block->ptr = ptr;
    block->usable = tally_without_tag(tally, size.num);
    block->damaged = false;
    block->owner = NO_OWNER;
    if (tally->owner_count != 0)
        tally_read_tag(tally, block);
    return true;
}

/* ---- the rows ---- */

static struct acre_tally_row *tally_class_row(const struct acre_tally *tally, size_t bytes)
{
    size_t class = acre_tally_class(bytes);
    if (tally->class_count == 0)
        return NULL;
    return &tally->classes[class < tally->class_count ? class : tally->class_count - 1];
}

static struct acre_tally_row *tally_owner_row(const struct acre_tally *tally, unsigned owner)
{
    return owner < tally->owner_count ? &tally->owners[owner] : NULL;
}

static void row_update_peaks(struct acre_tally_row *row)
{
    row->peak_blocks = row->peak_blocks > row->live_blocks ? row->peak_blocks : row->live_blocks;
    row->peak_bytes = row->peak_bytes > row->live_bytes ? row->peak_bytes : row->live_bytes;
}

static void row_add(struct acre_tally_row *row, size_t bytes)
{
    if (row == NULL)
        return;
    row->live_blocks++;
    row->live_bytes += bytes;
    row->total_blocks++;
    row->total_bytes += bytes;
    row_update_peaks(row);
}

static void row_remove(struct acre_tally_row *row, size_t bytes)
{
    if (row == NULL)
        return;
    row->live_blocks--;
    row->live_bytes -= bytes;
}

/* A block that stays in its row has another size. */
static void row_resize(struct acre_tally_row *row, size_t from, size_t to)
{
    if (row == NULL)
        return;
    row->live_bytes += to - from;
    row->total_bytes += to > from ? to - from : 0;
    row_update_peaks(row);
}

static void tally_count_alloc(struct acre_tally *tally, const struct counted *block)
{
    tally_write_tag(tally, block);
    row_add(tally_class_row(tally, block->usable), block->usable);
    row_add(tally_owner_row(tally, block->owner), block->usable);
}

static void tally_count_dealloc(struct acre_tally *tally, const struct counted *block)
{
    tally->lost += block->damaged;
    row_remove(tally_class_row(tally, block->usable), block->usable);
    row_remove(tally_owner_row(tally, block->owner), block->usable);
}

/* The block is now at ptr, with another size perhaps. */
static void tally_count_resize(struct acre_tally *tally, struct counted block, void *ptr)
{
    struct acre_tally_row *was = tally_class_row(tally, block.usable);
    size_t from = block.usable;
    block.ptr = ptr;
    block.usable = tally_without_tag(tally, acre_usable_size(tally->inner, ptr).num);
    tally->lost += block.damaged;
    tally_write_tag(tally, &block);
    if (tally_class_row(tally, block.usable) == was) {
        row_resize(was, from, block.usable);
    } else {
        row_remove(was, from);
        row_add(tally_class_row(tally, block.usable), block.usable);
    }
    row_resize(tally_owner_row(tally, block.owner), from, block.usable);
}

static void tally_clear(struct acre_tally *tally)
{
    tally->lost = 0;
    if (tally->class_count != 0)
        memset(tally->classes, 0, tally->class_count * sizeof *tally->classes);
    if (tally->owner_count != 0)
        memset(tally->owners, 0, tally->owner_count * sizeof *tally->owners);
}

/* ---- the verbs ---- */

static enum acre_status tally_init(void *self, void *start, size_t size)
{
    tally_clear(self);
    return acre_pass_init(self, start, size);
}

static struct acre_stats tally_stats(const void *self)
{
    struct acre_stats stats = acre_pass_stats(self);
    stats.largest_free = tally_without_tag(self, stats.largest_free);
    return stats;
}

static void tally_reset(void *self)
{
    tally_clear(self);
    acre_pass_reset(self);
}

static struct acre_ptr tally_alloc(void *self, struct acre_layout layout)
{
    struct acre_tally *tally = self;
    layout.size = tally_with_tag(tally, layout.size);
    struct acre_ptr got = acre_alloc(tally->inner, layout);
    if (got.status != ACRE_OK)
        return got;
    size_t usable = tally_without_tag(tally, acre_usable_size(tally->inner, got.ptr).num);
    struct counted block = { got.ptr, usable, tally->owner, false };
    tally_count_alloc(tally, &block);
    return got;
}

static enum acre_status tally_dealloc(void *self, void *ptr)
{
    struct acre_tally *tally = self;
    struct counted block;
    if (!tally_find(tally, ptr, &block))
        return ACRE_NOT_ALLOCATED;
    enum acre_status status = acre_dealloc(tally->inner, ptr);
    if (status == ACRE_OK)
        tally_count_dealloc(tally, &block);
    return status;
}

static enum acre_status tally_dealloc_sized(void *self, void *ptr, struct acre_layout layout)
{
    struct acre_tally *tally = self;
    struct counted block;
    if (!tally_find(tally, ptr, &block))
        return ACRE_NOT_ALLOCATED;
    layout.size = tally_with_tag(tally, layout.size);
    enum acre_status status = acre_dealloc_sized(tally->inner, ptr, layout);
    if (status == ACRE_OK)
        tally_count_dealloc(tally, &block);
    return status;
}

static enum acre_status tally_resize(void *self, void *ptr, size_t size)
{
    struct acre_tally *tally = self;
    struct counted block;
    if (!tally_find(tally, ptr, &block))
        return ACRE_NOT_ALLOCATED;
    enum acre_status status = acre_resize(tally->inner, ptr, tally_with_tag(tally, size));
    if (status == ACRE_OK)
        tally_count_resize(tally, block, ptr);
    return status;
}

static struct acre_ptr tally_realloc(void *self, void *ptr, struct acre_layout layout)
{
    struct acre_tally *tally = self;
    struct counted block;
    if (!tally_find(tally, ptr, &block))
        return (struct acre_ptr){ NULL, ACRE_NOT_ALLOCATED };
    layout.size = tally_with_tag(tally, layout.size);
    struct acre_ptr got = acre_realloc(tally->inner, ptr, layout);
    if (got.status == ACRE_OK)
        tally_count_resize(tally, block, got.ptr);
    return got;
}

static struct acre_num tally_usable_size(const void *self, const void *ptr)
{
    struct acre_num size = acre_pass_usable_size(self, ptr);
    size.num = tally_without_tag(self, size.num);
    return size;
}

static struct acre_block tally_find_block(const void *self, const void *ptr)
{
    struct acre_block block = acre_pass_find(self, ptr);
    block.size = tally_without_tag(self, block.size);
    if (block.status == ACRE_OK && (uintptr_t)ptr - (uintptr_t)block.start >= block.size)
        return (struct acre_block){ NULL, 0, ACRE_NOT_ALLOCATED };
    return block;
}

/* ---- walk and check ---- */

struct tally_walk_state {
    const struct acre_tally *tally;
    acre_walk_fn *visit;
    void *arg;
};

static bool tally_visit_block(void *arg, void *start, size_t size, bool live)
{
    struct tally_walk_state *state = arg;
    return state->visit(state->arg, start, tally_without_tag(state->tally, size), live);
}

static void tally_walk(const void *self, acre_walk_fn *visit, void *arg)
{
    struct tally_walk_state state = { self, visit, arg };
    acre_pass_walk(self, tally_visit_block, &state);
}

struct sums {
    const struct acre_tally *tally;
    size_t blocks, bytes;             /* of all live blocks */
    size_t owned_blocks, owned_bytes; /* of those that name an owner */
    const void *damaged;              /* the first block with a broken tag */
};

static bool tally_add_block(void *arg, void *start, size_t size, bool live)
{
    struct sums *sums = arg;
    struct counted block = { start, tally_without_tag(sums->tally, size), NO_OWNER, false };
    if (!live)
        return true;
    if (sums->tally->owner_count != 0)
        tally_read_tag(sums->tally, &block);
    sums->blocks++;
    sums->bytes += block.usable;
    if (block.owner != NO_OWNER) {
        sums->owned_blocks++;
        sums->owned_bytes += block.usable;
    }
    sums->damaged = block.damaged ? start : NULL;
    return !block.damaged;
}

static bool tally_rows_match(
    const struct acre_tally_row *rows, size_t count, size_t blocks, size_t bytes, bool bytes_known)
{
    for (size_t i = 0; i < count; i++) {
        blocks -= rows[i].live_blocks;
        bytes -= rows[i].live_bytes;
    }
    return count == 0 || (blocks == 0 && (bytes == 0 || !bytes_known));
}

static struct acre_check_result tally_check(const void *self)
{
    const struct acre_tally *tally = self;
    struct sums sums = { tally, 0, 0, 0, 0, NULL };
    struct acre_check_result found = acre_pass_check(self);
    if (found.invariant != NULL)
        return found;
    acre_walk(tally->inner, tally_add_block, &sums);
    if (sums.damaged != NULL)
        return (struct acre_check_result){ "TALLY-1: a block's tag is whole", sums.damaged };
    if (!tally_rows_match(tally->classes, tally->class_count, sums.blocks, sums.bytes, true))
        return (struct acre_check_result){ "TALLY-2: the classes equal the sums", tally->classes };
    if (!tally_rows_match(tally->owners, tally->owner_count, sums.owned_blocks + tally->lost,
            sums.owned_bytes, tally->lost == 0))
        return (struct acre_check_result){ "TALLY-3: the owners equal the sums", tally->owners };
    return found;
}

ACRE_PASS_OPS(tally_ops, .base.init = tally_init, .base.stats = tally_stats,
    .base.check = tally_check, .base.reset = tally_reset, .alloc = tally_alloc,
    .dealloc = tally_dealloc, .dealloc_sized = tally_dealloc_sized, .resize = tally_resize,
    .realloc = tally_realloc, .usable_size = tally_usable_size, .find = tally_find_block,
    .walk = tally_walk);

/* ---- the wrapper ---- */

void acre_tally_wrap(struct acre_tally *tally, struct acre_bytes inner,
    struct acre_tally_row *classes, size_t class_count, struct acre_tally_row *owners,
    size_t owner_count)
{
    tally->inner = inner;
    tally->classes = classes;
    tally->class_count = class_count < ACRE_TALLY_CLASSES ? class_count : ACRE_TALLY_CLASSES;
    tally->owners = owners;
    tally->owner_count = owner_count < ACRE_TALLY_OWNERS ? owner_count : ACRE_TALLY_OWNERS;
    tally->owner = 0;
    tally_clear(tally);
}

unsigned acre_tally_set_owner(struct acre_tally *tally, unsigned owner)
{
    unsigned before = tally->owner;
    if (owner >= tally->owner_count)
        owner = tally->owner_count == 0 ? 0 : (unsigned)(tally->owner_count - 1);
    tally->owner = owner;
    return before;
}

size_t acre_tally_class(size_t bytes)
{
    return bytes <= 1 ? 0 : (size_t)acre_bits_highest(bytes - 1) + 1;
}

struct acre_bytes acre_tally_bytes(struct acre_tally *tally)
{
    struct acre_bytes bytes = { &tally_ops, tally };
    return bytes;
}
