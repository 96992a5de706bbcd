/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What must hold after every operation, whatever it was. */
#include "support/model.h"

#include "support/rng.h"

#include <string.h>

/* Every block's bytes are a stretch of one table, begun where its stamp says. */
enum { STAMPS = 509, TABLE = 1 << 16 };

static unsigned char table[TABLE + STAMPS];

static void fill_table(void)
{
    struct rng rng = { 1 };
    if (table[0] != 0)
        return;
    for (size_t i = 0; i < sizeof table; i++)
        table[i] = (unsigned char)(1 + rng_below(&rng, 255));
}

void model_stamp(struct model *model, struct model_block *block)
{
    fill_table();
    block->stamp = model->stamps++;
    for (size_t at = 0; at < block->usable; at += TABLE) {
        size_t size = block->usable - at < TABLE ? block->usable - at : TABLE;
        memcpy(block->start + at, table + block->stamp % STAMPS, size);
    }
}

bool model_holds(const unsigned char *place, size_t size, unsigned stamp)
{
    for (size_t at = 0; at < size; at += TABLE) {
        size_t piece = size - at < TABLE ? size - at : TABLE;
        if (memcmp(place + at, table + stamp % STAMPS, piece) != 0)
            return false;
    }
    return true;
}

static bool audit_contents(struct model *model)
{
    for (size_t i = 0; i < model->block_count; i++) {
        const struct model_block *block = &model->blocks[i];
        if (!model_holds(block->start, block->usable, block->stamp))
            return model_fail(
                model, "contents: the block at %p was written to", (void *)block->start);
    }
    return true;
}

static bool audit_check(struct model *model)
{
    struct acre_check_result found = acre_check(model->fixture->base);
    if (found.invariant != NULL)
        return model_fail(model, "check: \"%s\" at %p", found.invariant, found.where);
    return found.where == NULL || model_fail(model, "check: sound, yet a place is named");
}

struct tour {
    struct model *model;
    size_t live;
    size_t live_bytes;
    size_t free_bytes;
    size_t free;
    size_t largest;
    size_t region;      /* index of the region in which the last block was, or region_count */
    unsigned char *end; /* end of the last block */
};

static size_t region_of(const struct model *model, const unsigned char *start, size_t size)
{
    size_t i = 0;
    for (; i < model->region_count; i++) {
        const struct model_region *region = &model->regions[i];
        bool seam = (model->fixture->backend->caps & ACRE_SUBJECT_SEAM) != 0;
        if (start >= region->start && (size_t)(start - region->start) < region->size &&
            (seam || size <= region->size - (size_t)(start - region->start)))
            return i;
    }
    return i;
}

/* `find` gives a live block for its first, middle and last byte, and not for the byte after it; for
 * the bytes of a free block it gives none. */
static void audit_find(struct model *model, unsigned char *start, size_t size, bool live)
{
    const size_t at[] = { 0, size / 2, size - 1 };
    for (size_t i = 0; i < sizeof at / sizeof at[0] && size != 0; i++) {
        struct acre_block found = acre_find(model->fixture->bytes, start + at[i]);
        if (found.start != (live ? start : NULL) || found.size != (live ? size : 0))
            model_fail(model, "find: %zu bytes at %p for byte %zu of %zu bytes at %p", found.size,
                found.start, at[i], size, (void *)start);
    }
    if (acre_find(model->fixture->bytes, start + size).start == start)
        model_fail(model, "find: the byte after the block at %p is part of it", (void *)start);
}

static void visit_live(struct tour *tour, unsigned char *start, size_t size)
{
    const struct model_block *block = model_find(tour->model, start);
    if (block == NULL)
        model_fail(tour->model, "walk: a block at %p is said to be live", (void *)start);
    else if (block->usable != size)
        model_fail(tour->model, "walk: %zu bytes at %p, usable size %zu", size, (void *)start,
            block->usable);
    audit_find(tour->model, start, size, true);
    tour->live++;
    tour->live_bytes += size;
}

static void visit_free(struct tour *tour, unsigned char *start, size_t size)
{
    size_t next = model_above(tour->model, start);
    if (next < tour->model->block_count &&
        tour->model->blocks[next].start - start < (ptrdiff_t)size)
        model_fail(tour->model, "walk: the free block at %p covers a live one", (void *)start);
    audit_find(tour->model, start, size, false);
    tour->free++;
    tour->free_bytes += size;
    tour->largest = size > tour->largest ? size : tour->largest;
}

static bool visit(void *arg, void *start, size_t size, bool live)
{
    struct tour *tour = arg;
    size_t region = region_of(tour->model, start, size);
    if (region == tour->model->region_count)
        model_fail(tour->model, "walk: the block at %p lies outside the regions", start);
    if (region == tour->region && (unsigned char *)start < tour->end)
        model_fail(tour->model, "walk: the block at %p is out of order", start);
    tour->region = region;
    tour->end = (unsigned char *)start + size;
    if (live)
        visit_live(tour, start, size);
    else
        visit_free(tour, start, size);
    return tour->model->failure[0] == '\0';
}

/* True when the visited bytes and the accounts are the same. */
static bool tour_adds_up(const struct tour *tour, const struct acre_stats *stats)
{
    const struct acre_subject *backend = tour->model->fixture->backend;
    size_t free = tour->free_bytes + tour->free * backend->header;
    if ((backend->caps & ACRE_SUBJECT_HEADERS) == 0)
        return tour->live_bytes <= stats->used && tour->free_bytes <= stats->available;
    return tour->live_bytes + tour->live * backend->header == stats->used &&
           free <= stats->available &&
           (free == stats->available || (backend->caps & ACRE_SUBJECT_COVERS) == 0);
}

static bool audit_walk(struct model *model, const struct acre_stats *stats)
{
    struct tour tour = { .model = model, .region = model->region_count };
    acre_walk(model->fixture->bytes, visit, &tour);
    if (model->failure[0] != '\0')
        return false;
    if (tour.live != model->block_count)
        return model_fail(model, "walk: %zu live blocks of %zu", tour.live, model->block_count);
    bool all = (model->fixture->backend->caps & ACRE_SUBJECT_COVERS) != 0;
    bool some =
        all || (model->fixture->backend->caps & (ACRE_SUBJECT_HEADERS | ACRE_SUBJECT_HIDES)) == 0;
    if ((all && stats->largest_free > tour.largest) ||
        (some && (stats->largest_free == 0) != (tour.largest == 0)))
        return model_fail(model, "walk: largest free block %zu, accounts say %zu", tour.largest,
            stats->largest_free);
    return tour_adds_up(&tour, stats) ||
           model_fail(model, "walk: live %zu, free %zu bytes; accounts: used %zu, available %zu",
               tour.live_bytes, tour.free_bytes, stats->used, stats->available);
}

static size_t given(const struct model *model)
{
    size_t sum = 0;
    for (size_t i = 0; i < model->region_count; i++)
        sum += model->regions[i].size;
    return sum;
}

static bool audit_total(struct model *model, const struct acre_stats *now)
{
    bool apart = (model->fixture->backend->caps & ACRE_SUBJECT_APART) != 0;
    if (now->total != given(model) && !(apart && now->total > given(model)))
        return model_fail(model, "stats: total %zu, given %zu", now->total, given(model));
    if (now->total != now->metadata + now->used + now->available)
        return model_fail(model, "stats: total %zu != %zu + %zu + %zu", now->total, now->metadata,
            now->used, now->available);
    return true;
}

static bool audit_live(struct model *model, const struct acre_stats *now)
{
    size_t usable = 0;
    for (size_t i = 0; i < model->block_count; i++)
        usable += model->blocks[i].usable;
    if (now->live_blocks != model->block_count)
        return model_fail(
            model, "stats: %zu live blocks of %zu", now->live_blocks, model->block_count);
    if (now->used < usable || (model->block_count == 0) != (now->used == 0))
        return model_fail(model, "stats: used %zu, blocks hold %zu", now->used, usable);
    return now->largest_free <= now->available ||
           model_fail(model, "stats: largest free %zu of %zu", now->largest_free, now->available);
}

/* The peak is the highest `used` seen. A realloc that moves holds two blocks for a moment. */
static bool audit_peak(struct model *model, enum op_verb verb, const struct acre_stats *now)
{
    const struct acre_stats *was = &model->stats;
    size_t low = was->peak > now->used ? was->peak : now->used;
    size_t high = low;
    if (verb == OP_REALLOC && was->used + now->used > high)
        high = was->used + now->used;
    return (now->peak >= low && now->peak <= high) ||
           model_fail(model, "stats: peak %zu, was %zu, used %zu", now->peak, was->peak, now->used);
}

static bool audit_failed(struct model *model, enum acre_status status, const struct acre_stats *now)
{
    size_t want = model->stats.failed + (status == ACRE_NO_MEMORY ? 1 : 0);
    return now->failed == want ||
           model_fail(model, "stats: %zu failed requests instead of %zu", now->failed, want);
}

/* No byte has changed but for the counts of requests, so that only those can be wrong. */
static bool audit_refused(struct model *model, enum acre_status status)
{
    struct acre_stats now = acre_stats(model->fixture->base);
    struct acre_stats want = model->stats;
    want.failed += status == ACRE_NO_MEMORY ? 1 : 0;
    model->stats = now;
    return memcmp(&now, &want, sizeof now) == 0 ||
           model_fail(model, "stats: changed by a refused call; failed %zu, expected %zu",
               now.failed, want.failed);
}

bool model_audit(struct model *model, enum op_verb verb, enum acre_status status)
{
    if (!model->changed)
        return audit_refused(model, status);
    struct acre_stats now = acre_stats(model->fixture->base);
    bool good = audit_check(model) && audit_total(model, &now) && audit_live(model, &now) &&
                audit_peak(model, verb, &now) && audit_failed(model, status, &now) &&
                audit_walk(model, &now) && audit_contents(model);
    model->stats = now;
    return good;
}
