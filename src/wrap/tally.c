/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Tally: each verb calls the inner allocator, then updates the rows.
 *
 *     inner block: | usable ... | requested | owner   | check   |
 *                                 a word      16 bits   16 bits
 *
 * requested is there while requests are counted, the rest while requests or owners are. The check
 * is the complement of the owner XOR all 16-bit parts of requested.
 *
 * TALLY-1: the tag of every live block is whole; it names an owner, or none.
 * TALLY-2: the classes add up to the live blocks and their usable bytes.
 * TALLY-3: the owners add up to the live blocks that name one and to those lost.
 * TALLY-4: `requested` is the sum over the live blocks, while none is lost.
 */
#include <acre/wrap/pass.h>
#include <acre/wrap/tally.h>

#include "base/bits.h"
#include "base/memory.h"

/* The owner of a block whose tag was found damaged. */
enum { NO_OWNER = ACRE_TALLY_OWNERS };

/* A live block, as its user sees it. */
struct counted {
    unsigned char *ptr;
    size_t usable;
    size_t requested; /* 0 while requests are not counted */
    unsigned owner;
    bool damaged; /* the tag was overwritten; requested and owner are unknown */
};

/* ---- the tag ---- */

static size_t tally_request_size(const struct acre_tally *tally)
{
    return tally->counts_requests ? ACRE_TALLY_REQUEST : 0;
}

static size_t tally_tag_size(const struct acre_tally *tally)
{
    bool has_tag = tally->counts_requests || tally->owner_count != 0;
    return tally_request_size(tally) + (has_tag ? ACRE_TALLY_TAG : 0);
}

static uint16_t tally_check_of(unsigned owner, size_t requested)
{
    for (; requested != 0; requested >>= 16)
        owner ^= (unsigned)(requested & UINT16_MAX);
    return (uint16_t)~owner;
}

/* The size to request from the inner allocator. SIZE_MAX, which is refused, when the sum
 * overflows. */
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
    uint16_t owner[2] = { (uint16_t)block->owner, tally_check_of(block->owner, block->requested) };
    unsigned char *tag = block->ptr + block->usable;
    memcpy(tag, &block->requested, tally_request_size(tally));
    if (tally_tag_size(tally) != 0)
        memcpy(tag + tally_request_size(tally), owner, sizeof owner);
}

/* Reads the tag of a block whose place and usable bytes are known. */
static void tally_read_tag(const struct acre_tally *tally, struct counted *block)
{
    uint16_t owner[2];
    const unsigned char *tag = block->ptr + block->usable;
    block->requested = 0;
    block->owner = NO_OWNER;
    block->damaged = false;
    if (tally_tag_size(tally) == 0)
        return;
    memcpy(&block->requested, tag, tally_request_size(tally));
    memcpy(owner, tag + tally_request_size(tally), sizeof owner);
    block->owner = owner[0];
    block->damaged = owner[1] != tally_check_of(owner[0], block->requested) ||
                     block->requested > block->usable ||
                     (owner[0] != NO_OWNER && owner[0] >= tally->owner_count);
    if (block->damaged) {
        block->requested = 0;
        block->owner = NO_OWNER;
    }
}

/* False: no live block starts there. */
static bool tally_find(const struct acre_tally *tally, void *ptr, struct counted *block)
{
    struct acre_num size = acre_usable_size(tally->inner, ptr);
    if (size.status != ACRE_OK)
        return false;
    block->ptr = ptr;
    block->usable = tally_without_tag(tally, size.num);
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

static void row_add(struct acre_tally_row *row, const struct counted *block)
{
    if (row == NULL)
        return;
    row->live_blocks++;
    row->live_bytes += block->usable;
    row->live_requested += block->requested;
    row->total_blocks++;
    row->total_bytes += block->usable;
    row_update_peaks(row);
}

static void row_remove(struct acre_tally_row *row, const struct counted *block)
{
    if (row == NULL)
        return;
    ACRE_ASSERT(row->live_blocks != 0 && row->live_bytes >= block->usable); /* TALLY-2, TALLY-3 */
    row->live_blocks--;
    row->live_bytes -= block->usable;
    row->live_requested -= block->requested;
}

/* A block changes its size within its row. */
static void row_resize(
    struct acre_tally_row *row, const struct counted *was, const struct counted *now)
{
    if (row == NULL)
        return;
    row->live_bytes += now->usable - was->usable;
    row->live_requested += now->requested - was->requested;
    row->total_bytes += now->usable > was->usable ? now->usable - was->usable : 0;
    row_update_peaks(row);
}

static void tally_count_alloc(struct acre_tally *tally, const struct counted *block)
{
    tally_write_tag(tally, block);
    tally->requested += block->requested;
    row_add(tally_class_row(tally, block->usable), block);
    row_add(tally_owner_row(tally, block->owner), block);
}

static void tally_count_dealloc(struct acre_tally *tally, const struct counted *block)
{
    tally->lost += block->damaged;
    tally->requested -= block->requested;
    row_remove(tally_class_row(tally, block->usable), block);
    row_remove(tally_owner_row(tally, block->owner), block);
}

/* The block `was` is now at ptr, and has another size. */
static void tally_count_resize(
    struct acre_tally *tally, const struct counted *was, void *ptr, size_t size)
{
    struct counted now = *was;
    struct acre_tally_row *row = tally_class_row(tally, was->usable);
    now.ptr = ptr;
    now.usable = tally_without_tag(tally, acre_usable_size(tally->inner, ptr).num);
    now.requested = tally->counts_requests ? size : 0;
    tally->lost += was->damaged;
    tally->requested += now.requested - was->requested;
    tally_write_tag(tally, &now);
    if (tally_class_row(tally, now.usable) == row) {
        row_resize(row, was, &now);
    } else {
        row_remove(row, was);
        row_add(tally_class_row(tally, now.usable), &now);
    }
    row_resize(tally_owner_row(tally, now.owner), was, &now);
}

static void tally_clear(struct acre_tally *tally)
{
    tally->lost = 0;
    tally->requested = 0;
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
    size_t requested = tally->counts_requests ? layout.size : 0;
    layout.size = tally_with_tag(tally, layout.size);
    struct acre_ptr got = acre_alloc(tally->inner, layout);
    if (got.status != ACRE_OK)
        return got;
    size_t usable = tally_without_tag(tally, acre_usable_size(tally->inner, got.ptr).num);
    unsigned owner = tally->owner_count != 0 ? tally->owner : NO_OWNER;
    struct counted block = { got.ptr, usable, requested, owner, false };
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
        tally_count_resize(tally, &block, ptr, size);
    return status;
}

static struct acre_ptr tally_realloc(void *self, void *ptr, struct acre_layout layout)
{
    struct acre_tally *tally = self;
    struct counted block;
    if (!tally_find(tally, ptr, &block))
        return (struct acre_ptr){ NULL, ACRE_NOT_ALLOCATED };
    size_t size = layout.size;
    layout.size = tally_with_tag(tally, size);
    struct acre_ptr got = acre_realloc(tally->inner, ptr, layout);
    if (got.status == ACRE_OK)
        tally_count_resize(tally, &block, got.ptr, size);
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
    size_t requested;                 /* of all live blocks */
    const void *damaged;              /* the first block with a broken tag */
};

static bool tally_add_block(void *arg, void *start, size_t size, bool live)
{
    struct sums *sums = arg;
    struct counted block = { .ptr = start, .usable = tally_without_tag(sums->tally, size) };
    if (!live)
        return true;
    tally_read_tag(sums->tally, &block);
    sums->blocks++;
    sums->bytes += block.usable;
    sums->requested += block.requested;
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
    struct sums sums = { .tally = tally };
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
    if (tally->lost == 0 && sums.requested != tally->requested)
        return (struct acre_check_result){ "TALLY-4: requested equals the sum", tally };
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
    tally->counts_requests = false;
    tally_clear(tally);
}

void acre_tally_count_requests(struct acre_tally *tally, bool on)
{
    tally->counts_requests = on;
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
