/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Slab's windows: regions that lie one behind the other and have their records in one table.
 */
#include "base/memory.h"
#include "slab/slab_private.h"

/* ---- records that move ---- */

/* Makes the neighbours of a record in its ring, which were those of `was`, lead to it. */
static void relink(
    struct acre_slab_page **ring, const struct acre_slab_page *was, struct acre_slab_page *page)
{
    if (was->next == was) {
        page->next = page;
        page->prev = page;
    }
    page->next->prev = page;
    page->prev->next = page;
    if (*ring == was)
        *ring = page;
}

/* Moves the records of a slab or a run; all that leads to its first one leads to the new one. */
static void move_tile(struct acre_slab *slab, const struct acre_slab_page *was,
    struct acre_slab_page *page, struct acre_slab_page **heads, size_t pages)
{
    memcpy(page, was, pages * sizeof(*page));
    if (page->state == SLAB_FREE)
        relink(&slab->runs[page->list], was, page);
    if (!slab_is_slab(page)) {
        slab_behead(slab, heads, pages);
        if (page->state == SLAB_RUN)
            heads[0] = page;
        return;
    }
    for (size_t i = 0; i < pages; i++)
        heads[i] = page;
    unsigned size_class = page->size_class;
    if (slab->hand[size_class] == was)
        slab->hand[size_class] = page;
    else if (page->magic != 0)
        relink(&slab->partial[size_class], was, page);
}

/* ---- tables ---- */

static void make_guards(struct acre_slab_page *page, size_t count)
{
    for (size_t i = 0; i < count; i++)
        page[i] = (struct acre_slab_page){ .state = SLAB_GUARD };
}

/* Gives a region its place in a table. */
static void enter_table(
    const struct acre_slab *slab, struct acre_slab_region *region, struct acre_slab_region *host)
{
    region->host = host;
    size_t number = (region->base - host->table_base) >> slab->page_log2;
    region->records = host->table + number;
    region->heads = slab_table_heads(slab, host) + number;
}

static void move_region(
    struct acre_slab *slab, struct acre_slab_region *region, struct acre_slab_region *host)
{
    const struct acre_slab_page *was = region->records + 1;
    const struct acre_slab_page *end = was + region->pages;
    enter_table(slab, region, host);
    struct acre_slab_page *page = region->records + 1;
    struct acre_slab_page **heads = region->heads;
    while (was < end) {
        size_t pages = slab_is_slab(was) ? was->pages : was->length;
        move_tile(slab, was, page, heads, pages);
        was += pages;
        page += pages;
        heads += pages;
    }
}

/* Makes guards of all records in a table that are no region's. */
static void guard_gaps(struct acre_slab *slab, struct acre_slab_region *host)
{
    make_guards(host->table, 1);
    size_t number = 0; /* of the first page behind the last region */
    for (struct acre_slab_region *region = slab->regions; region != NULL; region = region->next) {
        if (region->host != host)
            continue;
        size_t next = (size_t)(region->records - host->table);
        make_guards(host->table + 1 + number, next - number);
        slab_behead(slab, slab_table_heads(slab, host) + number, next - number);
        number = next + region->pages;
    }
    make_guards(host->table + 1 + number, 1);
}

/* Moves the regions of a window into the table of `host`, as far down as that reaches. */
static void gather(
    struct acre_slab *slab, const struct acre_slab_region *from, struct acre_slab_region *host)
{
    for (struct acre_slab_region *region = slab->regions; region != NULL; region = region->next)
        if (region->host == from && region->base >= host->table_base)
            move_region(slab, region, host);
    guard_gaps(slab, host);
}

/* The topmost region of a window but for its host; null: there is none. */
static struct acre_slab_region *topmost(
    const struct acre_slab *slab, const struct acre_slab_region *host)
{
    struct acre_slab_region *top = NULL;
    for (struct acre_slab_region *region = slab->regions; region != NULL; region = region->next)
        if (region->host == host && region != host)
            top = region;
    return top;
}

/* ---- regions that come and go ---- */

void acre_slab_enter_window(struct acre_slab *slab, struct acre_slab_region *region)
{
    const struct acre_slab_region *below = acre_slab_region_below(slab, region->start);
    if (below != NULL && region->next != NULL && below->host == region->next->host)
        enter_table(slab, region, below->host);
    else
        enter_table(slab, region, region);
    guard_gaps(slab, region->host);
}

void acre_slab_leave_window(struct acre_slab *slab, struct acre_slab_region *region)
{
    struct acre_slab_region *host = NULL;
    make_guards(region->records + 1, region->pages);
    slab_behead(slab, region->heads, region->pages);
    while (region->host == region && (host = topmost(slab, region)) != NULL)
        gather(slab, region, host);
}

void acre_slab_look_at_largest(struct acre_slab *slab)
{
    const struct acre_slab_region *first = slab->regions;
    slab->base = 0;
    slab->pages = 0;
    slab->records = NULL;
    slab->heads = NULL;
    slab->widest = 0;
    for (const struct acre_slab_region *region = first; region != NULL; region = region->next) {
        slab->widest = region->pages > slab->widest ? region->pages : slab->widest;
        if (region->host != region)
            continue;
        size_t pages = slab_window_pages(slab, first, region);
        if (pages > slab->pages) {
            slab->base = first->base;
            slab->pages = pages;
            slab->records = first->records + 1;
            slab->heads = first->heads;
        }
        first = region->next;
    }
    slab->plenty = slab_plenty_list(slab);
}

/* ---- add_memory ---- */

/* Bytes of descriptor and table of a region whose window begins at an address; 0: too many for its
 * size. A twelfth has room for the records of regions that are twice as large before it. */
static size_t common_metadata(
    const struct acre_slab *slab, uintptr_t window, uintptr_t start, size_t size)
{
    size_t pages = ((start + (size - 1) - window) >> slab->page_log2) + 1;
    size_t bytes = sizeof(struct acre_slab_region) + 2 * sizeof(struct acre_slab_page) +
                   pages * ACRE_SLAB_PER_PAGE;
    return bytes <= size / 12 ? bytes : 0;
}

/* The first page of a window. */
static uintptr_t window_base(const struct acre_slab *slab, const struct acre_slab_region *host)
{
    const struct acre_slab_region *region = slab->regions;
    while (region->host != host)
        region = region->next;
    return region->base;
}

enum acre_status acre_slab_add_memory_adjacent(struct acre_slab *slab, void *start, size_t size)
{
    uintptr_t at = (uintptr_t)start;
    const struct acre_slab_region *low = acre_slab_region_below(slab, at);
    if (low == NULL || low->host != low || size == 0 || acre_range_wraps(at, size))
        return acre_slab_add_memory(slab, start, size);
    struct slab_place place = { .table_base = window_base(slab, low) };
    size_t metadata = common_metadata(slab, place.table_base, at, size);
    place.base = slab_base_behind(slab, at, metadata);
    if (metadata == 0 || place.base - at >= size)
        return acre_slab_add_memory(slab, start, size);
    place.pages = (size - (size_t)(place.base - at)) >> slab->page_log2;
    enum acre_status status = acre_slab_offer(slab, at, size, place.pages);
    if (status != ACRE_OK)
        return status;
    struct acre_slab_region *region = acre_slab_insert_region(slab, at, size, &place);
    enter_table(slab, region, region);
    gather(slab, low, region);
    acre_slab_lay_pages(slab, region);
    acre_slab_look_at_largest(slab);
    return ACRE_OK;
}
