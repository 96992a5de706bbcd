/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "malloc/pool.h"

#include "base/arith.h"
#include "os/os.h"

/* The first piece of memory: what a small program needs, at 8 KiB of metadata. */
enum { first_piece = 1 << 20 };

static size_t round_to_page(size_t size)
{
    return acre_align_up(size, acre_os_page_size());
}

/* Bytes of metadata for a piece of `size` bytes. Where the backend looks adjacent regions up
 * together, the piece gets metadata for all pieces before it too, if that is at most a sixteenth of
 * the piece. Grows with the size. */
static size_t metadata_size(const struct acre_pool *pool, size_t size)
{
    const struct acre_backing *backing = pool->backend->backing;
    const void *self = pool->bytes.self;
    if (backing->metadata_size == NULL)
        return 0;
    size_t before = backing->shares_map && pool->regions != NULL ? pool->regions->size : 0;
    size_t whole = backing->metadata_size(self, before + size);
    return whole <= size / 16 ? whole : backing->metadata_size(self, size);
}

bool acre_pool_open(struct acre_pool *pool, const struct acre_backend *backend, size_t limit)
{
    /* Metadata lies below the blocks, with room to grow. */
    struct acre_range metadata = { .distance = ACRE_RANGE_DISTANCE + ACRE_RANGE_DISTANCE / 8 };
    pool->blocks.distance = ACRE_RANGE_DISTANCE;
    pool->backend = backend;
    pool->limit = limit;
    size_t size = round_to_page(backend->backing->size + backend->backing->align);
    void *start = acre_range_take(&metadata, size);
    if (start == NULL)
        return false;
    uintptr_t self = acre_align_up((uintptr_t)start, backend->backing->align);
    pool->bytes = backend->handle((void *)self);
    /* A failed init leaves the allocator valid and empty. */
    enum acre_status refused = acre_bytes_init(pool->bytes, NULL, 0);
    (void)refused;
    return true;
}

/* Bytes of fresh memory that serve a request; SIZE_MAX when no memory is enough. */
static size_t bytes_needed(const struct acre_pool *pool, struct acre_layout layout)
{
    size_t need = pool->backend->backing->region_size(pool->bytes.self, layout);
    return need != 0 ? need : SIZE_MAX;
}

size_t acre_pool_left(const struct acre_pool *pool)
{
    return pool->limit - pool->given - pool->large.bytes;
}

/* The largest piece of at most `size` bytes that fits the limit together with its metadata. */
static size_t within_limit(const struct acre_pool *pool, size_t size)
{
    size_t page = acre_os_page_size();
    size_t room = acre_pool_left(pool);
    if (size < room && metadata_size(pool, size) <= room - size)
        return size;
    size_t metadata = metadata_size(pool, room);
    return metadata < room ? acre_align_down(room - metadata, page) : 0;
}

/* Adds a piece to the list of regions: extends the last region, or else fills in `record`. */
static void note_region(
    struct acre_pool *pool, struct acre_pool_region *record, uintptr_t start, size_t size)
{
    struct acre_pool_region *last = pool->regions;
    if (last != NULL && last->start + last->size == start) {
        last->size += size;
        return;
    }
    *record = (struct acre_pool_region){ .next = last, .start = start, .size = size };
    pool->regions = record;
}

static enum acre_status add_to_backend(
    struct acre_pool *pool, void *start, size_t size, void *metadata)
{
    if (pool->backend->backing->add_apart == NULL)
        return acre_bytes_add_memory(pool->bytes, start, size);
    return pool->backend->backing->add_apart(
        pool->bytes.self, start, size, metadata, metadata_size(pool, size));
}

/* Adds a piece of `size` bytes, a multiple of the page size. On failure nothing has changed. */
static bool add_pool_piece(struct acre_pool *pool, size_t size)
{
    size_t apart = metadata_size(pool, size);
    size_t beside = round_to_page(apart + sizeof(struct acre_pool_region));
    char *metadata = acre_range_take(&pool->metadata, beside);
    if (metadata == NULL)
        return false;
    void *start = acre_range_take(&pool->blocks, size);
    if (start != NULL && add_to_backend(pool, start, size, metadata) == ACRE_OK) {
        void *record = metadata + beside - sizeof(struct acre_pool_region);
        note_region(pool, record, (uintptr_t)start, size);
        pool->given += size + apart;
        return true;
    }
    if (start != NULL)
        acre_range_undo(&pool->blocks, size);
    acre_range_undo(&pool->metadata, beside);
    return false;
}

/* Whether the backend cannot serve this layout however much memory it has. An aligned block may be
 * cut from a free block that is larger by the alignment. */
static bool can_never_fit(const struct acre_pool *pool, struct acre_layout layout)
{
    size_t most = pool->backend->backing->largest_block;
    return layout.size > most || layout.align > most - layout.size;
}

bool acre_pool_grow(struct acre_pool *pool, struct acre_layout layout)
{
    size_t need = bytes_needed(pool, layout);
    if (need > PTRDIFF_MAX || can_never_fit(pool, layout))
        return false;
    size_t preferred = need;
    if (preferred < first_piece)
        preferred = first_piece;
    if (preferred < pool->given)
        preferred = pool->given;
    preferred = within_limit(pool, round_to_page(preferred));
    need = within_limit(pool, round_to_page(need));
    for (size_t size = preferred; size > need; size = round_to_page(size / 2))
        if (add_pool_piece(pool, size))
            return true;
    return need != 0 && add_pool_piece(pool, need);
}

void *acre_pool_alloc_large(struct acre_pool *pool, size_t size)
{
    if (size > PTRDIFF_MAX - acre_os_page_size() || round_to_page(size) > acre_pool_left(pool))
        return NULL;
    return acre_large_alloc(&pool->large, size);
}

void *acre_pool_resize_large(struct acre_pool *pool, void *ptr, size_t size)
{
    size_t before = acre_large_find(&pool->large, (uintptr_t)ptr)->size;
    if (size > PTRDIFF_MAX - acre_os_page_size() ||
        (round_to_page(size) > before && round_to_page(size) - before > acre_pool_left(pool)))
        return NULL;
    return acre_large_resize(&pool->large, ptr, size);
}

bool acre_pool_is_large(const struct acre_pool *pool, struct acre_layout layout)
{
    return layout.size >= ACRE_LARGE_LEAST && layout.align <= acre_os_page_size() &&
           layout.size >= acre_large_from(&pool->large);
}

enum acre_status acre_pool_free_large_sized(
    struct acre_pool *pool, void *ptr, struct acre_layout layout)
{
    size_t page = acre_os_page_size();
    size_t size = acre_large_find(&pool->large, (uintptr_t)ptr)->size;
    if (layout.size > size || size - layout.size >= page || layout.align > page)
        return ACRE_INVALID_PARAM;
    acre_large_free(&pool->large, ptr);
    return ACRE_OK;
}

void acre_pool_add_large_stats(const struct acre_pool *pool, struct acre_stats *stats)
{
    stats->total += pool->large.bytes;
    stats->used += pool->large.bytes;
    stats->peak += pool->large.peak;
    stats->live_blocks += pool->large.count;
}

const struct acre_pool_region *acre_pool_find(const struct acre_pool *pool, uintptr_t address)
{
    const struct acre_pool_region *region = pool->regions;
    while (region != NULL && address - region->start >= region->size)
        region = region->next;
    return region;
}
