/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Slab's checker: proves invariants SLAB-1 to SLAB-10 of slab_private.h. It changes nothing, and
 * follows a link only after the records have been shown to tile their regions.
 */
#include "slab/slab_private.h"

/* What is counted on the way. */
struct audit {
    const struct acre_slab *slab;
    const struct acre_slab_region *region; /* worked on */
    uintptr_t at;                          /* address of the page worked on */
    size_t live;
    size_t used; /* bytes */
    size_t total;
    size_t capacity;
    size_t free_runs;
    size_t partial[ACRE_SLAB_CLASSES];
};

static const char tile_text[] = "SLAB-2: slabs, live runs and free runs tile a region";
static const char run_text[] =
    "SLAB-3: free runs do not adjoin and are in the list of their length";
static const char list_text[] = "SLAB-4: a list's bit is set just when it has runs";
static const char bits_text[] = "SLAB-5: a slab's bits are those of its objects";
static const char magic_text[] = "SLAB-6: a slab's constants are its class's";
static const char place_text[] = "SLAB-7: a slab is at hand, full, or among the partial ones";
static const char window_text[] =
    "SLAB-10: the regions of a window have their records in its host's table";
static const char class_text[] = "SLAB-9: the constants of page and classes agree";

static struct acre_check_result sound(void)
{
    return (struct acre_check_result){ NULL, NULL };
}

static struct acre_check_result broken(const char *invariant, const void *where)
{
    return (struct acre_check_result){ invariant, where };
}

/* ---- SLAB-9: the control structure ---- */

static bool has_sane_page(const struct acre_slab *slab)
{
    return slab->page_log2 < SLAB_WORD_BITS && slab_page_size(slab) >= ACRE_SLAB_MIN_PAGE &&
           slab_page_size(slab) <= ACRE_SLAB_MAX_PAGE &&
           slab_largest(slab) == ACRE_SLAB_LARGEST_PAGES * slab_page_size(slab);
}

static bool has_sane_class(const struct acre_slab *slab, unsigned size_class)
{
    size_t size = slab_class_size(size_class);
    size_t pages = slab->slab_pages[size_class];
    return slab->size[size_class] == size &&
           slab->magic[size_class] == UINT32_MAX / (uint32_t)size + 1 &&
           (pages << slab->page_log2) / size <= SLAB_WORD_BITS &&
           (pages == 0 || pages << slab->page_log2 >= size);
}

static bool has_sane_size(const struct acre_slab *slab, size_t unit)
{
    unsigned size_class = slab->class_of[unit];
    return size_class < ACRE_SLAB_CLASSES && slab->slab_pages[size_class] != 0 &&
           slab_class_size(size_class) >= (unit + 1) * ACRE_SLAB_UNIT;
}

static struct acre_check_result check_control(const struct acre_slab *slab)
{
    if (!has_sane_page(slab))
        return broken(class_text, &slab->page_log2);
    for (unsigned size_class = 0; size_class < ACRE_SLAB_CLASSES; size_class++)
        if (!has_sane_class(slab, size_class))
            return broken(class_text, &slab->size[size_class]);
    for (size_t unit = 0; unit < slab->sizes; unit++)
        if (!has_sane_size(slab, unit))
            return broken(class_text, &slab->class_of[unit]);
    if (slab->plenty != slab_plenty_list(slab))
        return broken(class_text, &slab->plenty);
    if (slab->none.magic != 0 || slab->none.free != SIZE_MAX || slab_is_slab(&slab->none))
        return broken(class_text, &slab->none);
    return sound();
}

/* ---- SLAB-1: regions ---- */

static bool has_sane_place(const struct acre_slab *slab, const struct acre_slab_region *region)
{
    size_t mask = slab_page_size(slab) - 1;
    uintptr_t end = region->start + (region->size - 1);
    if (region->table_base > region->base || ((region->table_base | region->base) & mask) != 0)
        return false;
    uintptr_t table_end = slab_table_end(slab, region);
    return region->start <= (uintptr_t)region && (uintptr_t)region < table_end &&
           table_end <= region->base && region->pages != 0 && region->base < end &&
           (region->pages << slab->page_log2) - 1 <= end - region->base &&
           (region->next == NULL || region->next->start > end);
}

/* ---- SLAB-10: windows ---- */

/* Whether a region ends a window or is in that of the next one; no host is followed. */
static bool has_sane_host(const struct acre_slab_region *region)
{
    return region->host == region || (region->next != NULL && region->next->host == region->host);
}

/* Whether all records between a region and the next one of its window are guards, and pages there
 * lead to no slab. */
static bool has_sane_gap(const struct acre_slab *slab, const struct acre_slab_region *region)
{
    const struct acre_slab_page *page = region->records + 1;
    size_t next = (region->next->base - region->base) >> slab->page_log2;
    for (size_t i = region->pages; i < next; i++)
        if (page[i].state != SLAB_GUARD || page[i].magic != 0 || region->heads[i] != &slab->none)
            return false;
    return true;
}

static bool has_sane_records(const struct acre_slab *slab, const struct acre_slab_region *region)
{
    struct acre_slab_region *host = region->host;
    return host->table_base <= region->base &&
           region->records ==
               host->table + ((region->base - host->table_base) >> slab->page_log2) &&
           region->heads - slab_table_heads(slab, host) == region->records - host->table &&
           (host == region || has_sane_gap(slab, region));
}

static struct acre_check_result check_places(const struct acre_slab *slab)
{
    for (const struct acre_slab_region *region = slab->regions; region; region = region->next) {
        if (!has_sane_place(slab, region))
            return broken("SLAB-1: regions are in ascending order and apart", region);
        if (!has_sane_host(region))
            return broken(window_text, region);
    }
    for (const struct acre_slab_region *region = slab->regions; region; region = region->next)
        if (!has_sane_records(slab, region))
            return broken(window_text, region);
    return sound();
}

/* Whether one of the windows is looked at. */
static bool has_sane_look(const struct acre_slab *slab)
{
    const struct acre_slab_region *first = slab->regions;
    if (first == NULL)
        return slab->pages == 0;
    for (const struct acre_slab_region *region = first; region != NULL; region = region->next) {
        if (region->host != region)
            continue;
        if (slab->base == first->base)
            return slab->records == first->records + 1 && slab->heads == first->heads &&
                   slab->pages == slab_window_pages(slab, first, region);
        first = region->next;
    }
    return false;
}

/* Whether what is remembered at an entry is nothing, or one of the regions. */
static bool has_sane_memory(const struct acre_slab *slab, size_t entry)
{
    const struct acre_slab_region *region = slab->regions;
    while (region != NULL && region != slab->near[entry])
        region = region->next;
    return slab->near[entry] == region;
}

/* ---- SLAB-2, 3, 5, 6: what tiles a region ---- */

static bool is_at_hand(const struct acre_slab *slab, const struct acre_slab_page *page)
{
    return slab->hand[page->size_class] == page;
}

static struct acre_slab_page **head_of(const struct audit *audit, const struct acre_slab_page *page)
{
    return audit->region->heads + (page - audit->region->records - 1);
}

/* Whether the pages of a slab lead to it, and others that once did do not. */
static bool has_sane_heads(const struct audit *audit, const struct acre_slab_page *page)
{
    struct acre_slab_page **heads = head_of(audit, page);
    for (size_t i = 0; i < page->pages; i++)
        if (heads[i] != page)
            return false;
    return page->reach == page->pages && page[page->pages - 1].back == page->pages - 1;
}

static const char *fault_of_slab(struct audit *audit, const struct acre_slab_page *page)
{
    const struct acre_slab *slab = audit->slab;
    if (page->size_class >= ACRE_SLAB_CLASSES || page->size != slab_class_size(page->size_class) ||
        page->start != (uint32_t)audit->at)
        return magic_text;
    uint32_t count = slab_count(slab, page->size_class, page->pages);
    if (page->count != count)
        return bits_text;
    bool full = !slab_has_free(page, count);
    if (count == 0 || page->free >> count != SIZE_MAX >> count)
        return bits_text;
    if (page->magic != (full && !is_at_hand(slab, page) ? 0 : slab->magic[page->size_class]))
        return magic_text;
    if (slab_is_empty(page) && !is_at_hand(slab, page))
        return place_text;
    if (!has_sane_heads(audit, page))
        return tile_text;
    audit->live += slab_live(page);
    audit->used += slab_live(page) * (size_t)page->size;
    audit->partial[page->size_class] += !full && !is_at_hand(slab, page);
    return NULL;
}

/* Whether the pages of a run lead to no slab. */
static bool has_no_heads(const struct audit *audit, const struct acre_slab_page *page)
{
    const struct acre_slab_region *region = audit->region;
    struct acre_slab_page **heads = head_of(audit, page);
    for (size_t i = 0; i < page->length; i++) {
        uintptr_t offset = (uintptr_t)heads[i] - (uintptr_t)region->records;
        bool owned = offset % sizeof(*page) == 0 && offset / sizeof(*page) <= region->pages;
        if (heads[i] != &audit->slab->none && (!owned || slab_is_slab(heads[i])))
            return false;
    }
    return true;
}

static const char *fault_of_run(struct audit *audit, const struct acre_slab_page *page)
{
    if (page->magic != 0)
        return magic_text;
    if (!has_no_heads(audit, page))
        return tile_text;
    if (page->state == SLAB_RUN) {
        if (page->start != (uint32_t)audit->at || *head_of(audit, page) != page)
            return tile_text;
        audit->live++;
        audit->used += page->length << audit->slab->page_log2;
        return NULL;
    }
    audit->free_runs++;
    if (page[page->length - 1].state != SLAB_FREE || page[page->length - 1].length != page->length)
        return tile_text;
    return page[page->length].state == SLAB_FREE ? run_text : NULL;
}

/* Whether the inner records of a slab or run are blank. */
static bool has_sane_rest(const struct acre_slab_page *page, size_t pages)
{
    size_t ends = page->state == SLAB_FREE ? 1 : 0;
    for (size_t i = 1; i < pages; i++)
        if ((i < pages - ends && page[i].state != SLAB_BLANK) || page[i].magic != 0)
            return false;
    return true;
}

/* Pages of a tile; 0 when it does not fit what is left of the region. */
static size_t tile_size(const struct acre_slab_page *page, size_t left)
{
    bool known = page->state == SLAB_FREE || page->state == SLAB_RUN || slab_is_slab(page);
    size_t pages = slab_is_slab(page) ? page->pages : page->length;
    return known && pages <= left ? pages : 0;
}

static struct acre_check_result check_tiles(struct audit *audit)
{
    const struct acre_slab_region *region = audit->region;
    const struct acre_slab_page *page = region->records + 1;
    const struct acre_slab_page *end = page + region->pages;
    audit->at = region->base;
    if (region->records[0].state != SLAB_GUARD)
        return broken(tile_text, &region->records[0]);
    while (page < end) {
        size_t pages = tile_size(page, (size_t)(end - page));
        if (pages == 0 || !has_sane_rest(page, pages))
            return broken(tile_text, page);
        const char *fault =
            slab_is_slab(page) ? fault_of_slab(audit, page) : fault_of_run(audit, page);
        if (fault != NULL)
            return broken(fault, page);
        page += pages;
        audit->at += pages << audit->slab->page_log2;
    }
    return end->state == SLAB_GUARD ? sound() : broken(tile_text, end);
}

static struct acre_check_result check_regions(struct audit *audit)
{
    const struct acre_slab *slab = audit->slab;
    for (const struct acre_slab_region *region = slab->regions; region; region = region->next) {
        audit->region = region;
        struct acre_check_result result = check_tiles(audit);
        if (result.invariant != NULL)
            return result;
        audit->total += region->size;
        audit->capacity += region->pages;
    }
    if (!has_sane_look(slab))
        return broken("SLAB-10: a window is looked at", &slab->base);
    for (size_t entry = 0; entry < ACRE_SLAB_NEAR; entry++)
        if (!has_sane_memory(slab, entry))
            return broken("SLAB-1: regions remembered are owned", &slab->near[entry]);
    return sound();
}

/* ---- SLAB-3, 4, 7: the lists ---- */

/* Whether a link leads to a record of this allocator. */
static bool is_record(const struct acre_slab *slab, const struct acre_slab_page *page)
{
    const struct acre_slab_region *region = slab->regions;
    while (region != NULL) {
        uintptr_t offset = (uintptr_t)page - (uintptr_t)(region->records + 1);
        if (offset % sizeof(*page) == 0 && offset / sizeof(*page) < region->pages)
            return true;
        region = region->next;
    }
    return false;
}

/* Length of a list all of whose records are as `wanted` says; SIZE_MAX when one is not. */
static size_t list_length(const struct acre_slab *slab, const struct acre_slab_page *page,
    size_t most, bool (*wanted)(const struct acre_slab *, const struct acre_slab_page *, size_t),
    size_t which)
{
    const struct acre_slab_page *first = page;
    size_t count = 0;
    while (page != NULL) {
        if (count++ == most || !is_record(slab, page) || !wanted(slab, page, which) ||
            !is_record(slab, page->next) || page->next->prev != page)
            return SIZE_MAX;
        page = page->next != first ? page->next : NULL;
    }
    return count;
}

static bool is_free_run(
    const struct acre_slab *slab, const struct acre_slab_page *page, size_t list)
{
    (void)slab;
    return page->state == SLAB_FREE && slab_run_list(page->length) == list && page->list == list;
}

static bool is_partial(
    const struct acre_slab *slab, const struct acre_slab_page *page, size_t size_class)
{
    return slab_is_slab(page) && page->size_class == size_class && page->magic != 0 &&
           !is_at_hand(slab, page);
}

static struct acre_check_result check_runs(const struct audit *audit)
{
    const struct acre_slab *slab = audit->slab;
    size_t found = 0;
    for (size_t list = 0; list < ACRE_SLAB_RUN_LISTS; list++) {
        bool bit = (slab->nonempty[list >> SLAB_WORD_LOG2] >> (list % SLAB_WORD_BITS) & 1) != 0;
        size_t length = list_length(slab, slab->runs[list], audit->free_runs, is_free_run, list);
        if (length == SIZE_MAX)
            return broken(run_text, &slab->runs[list]);
        if (bit != (length != 0))
            return broken(list_text, &slab->nonempty[list >> SLAB_WORD_LOG2]);
        found += length;
    }
    return found == audit->free_runs ? sound() : broken(run_text, slab->runs);
}

static bool has_sane_hand(const struct acre_slab *slab, unsigned size_class)
{
    const struct acre_slab_page *hand = slab->hand[size_class];
    if (hand == &slab->none)
        return slab->count[size_class] == 0;
    return is_record(slab, hand) && slab_is_slab(hand) && hand->size_class == size_class &&
           slab->start[size_class] == acre_slab_spot(slab, hand).at &&
           slab->count[size_class] == slab_count(slab, size_class, hand->pages);
}

static struct acre_check_result check_slabs(const struct audit *audit)
{
    const struct acre_slab *slab = audit->slab;
    for (unsigned size_class = 0; size_class < ACRE_SLAB_CLASSES; size_class++) {
        size_t most = audit->partial[size_class];
        if (!has_sane_hand(slab, size_class) ||
            list_length(slab, slab->partial[size_class], most, is_partial, size_class) != most)
            return broken(place_text, &slab->hand[size_class]);
    }
    return sound();
}

/* ---- SLAB-8: the counts ---- */

static struct acre_check_result check_counts(const struct audit *audit)
{
    static const char text[] = "SLAB-8: the counts are the sums over all blocks";
    const struct acre_slab *slab = audit->slab;
    if (audit->live != slab->live_blocks)
        return broken(text, &slab->live_blocks);
    if (slab->room < 0 || audit->used != slab->peak - (size_t)slab->room)
        return broken(text, &slab->room);
    if (audit->total != slab->total)
        return broken(text, &slab->total);
    return audit->capacity == slab->capacity ? sound() : broken(text, &slab->capacity);
}

struct acre_check_result acre_slab_check(const struct acre_slab *slab)
{
    struct audit audit = { .slab = slab };
    struct acre_check_result result = check_control(slab);
    if (result.invariant == NULL)
        result = check_places(slab);
    if (result.invariant == NULL)
        result = check_regions(&audit);
    if (result.invariant == NULL)
        result = check_runs(&audit);
    if (result.invariant == NULL)
        result = check_slabs(&audit);
    return result.invariant == NULL ? check_counts(&audit) : result;
}
