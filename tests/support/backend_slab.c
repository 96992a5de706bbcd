/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "slab/slab_tables.h"
#include "support/backends.h"

#include <string.h>

extern const struct acre_subject backend_slab;
extern const struct acre_subject backend_slab_page;

/* Pages so small that the suites' small regions have some. */
static struct acre_bytes bind(void *self)
{
    memset(self, 0, sizeof(struct acre_slab));
    acre_slab_setup(self, ACRE_SLAB_MIN_PAGE);
    return acre_slab_bytes(self);
}

/* Clears what has no meaning in a record. */
static void normalize_record(const struct acre_slab *slab, struct acre_slab_page *page)
{
    struct acre_slab_page was = *page;
    if (slab_is_slab(page)) {
        bool at_hand = slab_is_current(slab, page);
        bool full =
            !slab_has_free(page, slab_object_count(slab, page->size_class, (size_t)page->pages));
        bool listed = !at_hand && !(full && page->reciprocal == 0);
        page->next = listed ? was.next : NULL;
        page->prev = listed ? was.prev : NULL;
        page->to_first = page->pages == 1 ? page->to_first : 0;
        return;
    }
    memset(page, 0, sizeof *page);
    page->state = was.state;
    page->list = was.state == SLAB_FREE ? was.list : 0;
    page->start = was.state == SLAB_RUN ? was.start : 0;
    page->to_first = was.to_first;
    page->pages = was.pages;
    page->size_steps = was.size_steps;
    page->length = was.state == SLAB_BLANK ? 0 : was.length;
    page->next = was.state == SLAB_FREE ? was.next : NULL;
    page->prev = was.state == SLAB_FREE ? was.prev : NULL;
}

#if ACRE_MAX_POOL == 0
static void normalize_classes(struct acre_slab *slab)
{
    for (unsigned i = 0; i < ACRE_SLAB_CLASSES; i++)
        slab->current_start[i] = slab->current_count[i] != 0 ? slab->current_start[i] : 0;
}
#else
static void normalize_classes(struct acre_slab *slab)
{
    (void)slab;
}
#endif

static void normalize(void *self)
{
    struct acre_slab *slab = self;
    slab->peak -= (size_t)slab->headroom;
    slab->headroom = 0;
    slab->failed = 0;
    normalize_classes(slab);
    for (struct acre_slab_region *region = slab_first_region(slab); region != NULL;
         region = slab_next_region(region))
        for (size_t i = 1; i <= region->pages; i++)
            normalize_record(slab, &region->records[i]);
}

/* Whole pages, or steps of 16 bytes to 256 and of an eighth of the power of two above that. */
static size_t slack(size_t usable)
{
    if (usable % ACRE_SLAB_MIN_PAGE == 0)
        return ACRE_SLAB_MIN_PAGE - 1;
    return usable <= 256 ? ACRE_SLAB_UNIT - 1 : 31;
}

/* A class that is seldom asked for has its objects from a slab of mixed ones, where each is larger
 * than the size needs: see ACRE_SUBJECT_LARGER. */
static size_t slack_page(size_t usable)
{
    return usable - 1;
}

static struct acre_bytes bind_page(void *self)
{
    memset(self, 0, sizeof(struct acre_slab));
    return acre_slab_bytes(self);
}

const struct acre_subject backend_slab_page = {
    .abi = ACRE_SUBJECT_ABI,
    .name = "slab(pages of 2048)",
    .caps = ACRE_SUBJECT_CONTENTS | ACRE_SUBJECT_SCRUB | ACRE_SUBJECT_EXACT | ACRE_SUBJECT_LARGER,
    .self_size = sizeof(struct acre_slab),
    .counters = { 1 + offsetof(struct acre_slab, failed) },
    .region_enough = 8192,
    .arena_most = ACRE_MAX_POOL != 0 ? ACRE_MAX_POOL : SIZE_MAX,
    .arena_scale = 8,
    .bind = bind_page,
    .normalize = normalize,
    .slack = slack_page,
};

const struct acre_subject backend_slab = {
    .abi = ACRE_SUBJECT_ABI,
    .name = "slab",
    .caps = ACRE_SUBJECT_CONTENTS | ACRE_SUBJECT_SCRUB | ACRE_SUBJECT_EXACT | ACRE_SUBJECT_LARGER,
    .self_size = sizeof(struct acre_slab),
    .counters = { 1 + offsetof(struct acre_slab, failed) },
    .region_enough = 768,
    .arena_most = ACRE_MAX_POOL != 0 ? ACRE_MAX_POOL : SIZE_MAX,
    .bind = bind,
    .normalize = normalize,
    .slack = slack,
};
