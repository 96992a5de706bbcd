/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "registry/registry.h"

#include "registry/nearest.h"

#include <acre/bitmap.h>
#include <acre/buddy.h>
#include <acre/heap.h>
#include <acre/slab.h>
#include <acre/tlsf_quick.h>
#include <string.h>

/* ---- what each backend needs of memory: a struct per id of the list ---- */

#if ACRE_TLSF
#define TLSF_MOST                                                                                  \
    ((((size_t)1 << ACRE_TLSF_MAX_LOG2) - 1) * ACRE_TLSF_GRANULE - sizeof(acre_tlsf_field))

static size_t tlsf_apart_size(size_t size, size_t number)
{
    (void)number;
    return acre_tlsf_metadata_size(size);
}

static enum acre_status tlsf_add_apart(
    void *self, void *start, size_t size, void *apart, size_t apart_size)
{
    return acre_tlsf_add_memory_apart(self, start, size, apart, apart_size);
}

static enum acre_status tlsf_quick_add_apart(
    void *self, void *start, size_t size, void *apart, size_t apart_size)
{
    return acre_tlsf_quick_add_memory_apart(self, start, size, apart, apart_size);
}

static void tlsf_quick_flush(void *self)
{
    acre_tlsf_quick_flush(self);
}

static const struct acre_backend_memory tlsf_memory = {
    .most = TLSF_MOST,
    .apart_size = tlsf_apart_size,
    .add_apart = tlsf_add_apart,
    .shares_map = true,
};

static const struct acre_backend_memory tlsf_quick_memory = {
    .most = TLSF_MOST,
    .apart_size = tlsf_apart_size,
    .add_apart = tlsf_quick_add_apart,
    .flush = tlsf_quick_flush,
    .shares_map = true,
};
#endif

#if ACRE_BUDDY
static size_t buddy_apart_size(size_t size, size_t number)
{
    return acre_buddy_metadata_size(size, number != 0 ? number : ACRE_BUDDY_SMALLEST);
}

static enum acre_status add_buddy_apart(
    void *self, void *start, size_t size, void *apart, size_t apart_size)
{
    return acre_buddy_add_memory_apart(self, start, size, apart, apart_size);
}

static const struct acre_backend_memory buddy_memory = {
    .rounds = true,
    .apart_size = buddy_apart_size,
    .add_apart = add_buddy_apart,
};
#endif

#if ACRE_SLAB
static const struct acre_backend_memory slab_memory = { .most = 0 };
#endif

#if ACRE_HEAP && ACRE_BITMAP
/* Shows the largest free runs of pages, which are allocated meanwhile so that each is found once. */
static void visit_free_pages(struct acre_bitmap *pages, acre_walk_fn *visit, void *arg)
{
    struct acre_pages handle = acre_bitmap_pages(pages);
    struct acre_num starts[256];
    size_t counts[256];
    size_t taken = 0;
    size_t page = acre_page_size(handle);
    while (taken < 256) {
        size_t count = acre_pages_stats(handle).largest_free / page;
        if (count < 2)
            break;
        starts[taken] = acre_alloc_pages(handle, count, 1);
        if (starts[taken].status != ACRE_OK)
            break;
        counts[taken] = count;
        (void)visit(arg, (void *)(uintptr_t)starts[taken++].num, count * page, false);
    }
    while (taken-- != 0)
        (void)acre_dealloc_pages(handle, starts[taken].num, counts[taken]);
}

#define HEAP_MEMORY(id)                                                                            \
    static void heap_##id##_flush(void *self)                                                      \
    {                                                                                              \
        acre_heap_release_empty(self);                                                             \
    }                                                                                              \
    static void heap_##id##_visit_free(void *self, acre_walk_fn *visit, void *arg)                 \
    {                                                                                              \
        struct acre_heap_##id *heap = self;                                                        \
        visit_free_pages(&heap->pages, visit, arg);                                                \
    }

#if ACRE_TLSF
HEAP_MEMORY(tlsf)
static const struct acre_backend_memory heap_tlsf_memory = {
    .most = (((size_t)1 << ACRE_TLSF_MAX_LOG2) - 16) * ACRE_TLSF_GRANULE,
    .flush = heap_tlsf_flush,
    .visit_free = heap_tlsf_visit_free,
};
#endif

#if ACRE_SLAB
HEAP_MEMORY(slab)
static const struct acre_backend_memory heap_slab_memory = {
    .flush = heap_slab_flush,
    .visit_free = heap_slab_visit_free,
};
#endif

#if ACRE_BUDDY
HEAP_MEMORY(buddy)
static const struct acre_backend_memory heap_buddy_memory = {
    .rounds = true,
    .flush = heap_buddy_flush,
    .visit_free = heap_buddy_visit_free,
};
#endif
#endif

/* ---- handles ---- */

#define ACRE_BACKEND(id, name, header, type, verbs, part, compared, setup, text)                   \
    typedef type id##_type;                                                                        \
    static struct acre_bytes id##_bytes(id##_type *self)                                           \
    {                                                                                              \
        return verbs##_bytes(part);                                                                \
    }                                                                                              \
    static struct acre_bytes id##_handle(void *control)                                            \
    {                                                                                              \
        id##_type *self = control;                                                                 \
        *self = (id##_type){ 0 };                                                                  \
        setup;                                                                                     \
        return id##_bytes(self);                                                                   \
    }
#define ACRE_SETTING(id, suffix, name, number, compared, setup, text)                              \
    static struct acre_bytes id##_##suffix##_handle(void *control)                                 \
    {                                                                                              \
        id##_type *self = control;                                                                 \
        *self = (id##_type){ 0 };                                                                  \
        setup;                                                                                     \
        return id##_bytes(self);                                                                   \
    }
#include "registry/allocators.def"

/* ---- the backends ---- */

/* What the settings of a backend share with it. */
#define ACRE_BACKEND(id, name, header, type, verbs, part, compared, setup, text)                   \
    static const char id##_name[] = name;                                                          \
    static const struct acre_backend_code id##_code = { header, #type, #verbs "_bytes(" #part ")" };
#include "registry/allocators.def"

#define ACRE_BACKEND(id, name_, header_, type_, verbs, part, compared_, setup_, text_)             \
    {                                                                                              \
        .name = id##_name,                                                                         \
        .family = id##_name,                                                                       \
        .setting = "",                                                                             \
        .text = text_,                                                                             \
        .compared = compared_,                                                                     \
        .size = sizeof(id##_type),                                                                 \
        .align = _Alignof(id##_type),                                                              \
        .handle = id##_handle,                                                                     \
        .memory = &id##_memory,                                                                    \
        .code = &id##_code,                                                                        \
        .setup = #setup_,                                                                          \
    },
#define ACRE_SETTING(id, suffix, name_, number_, compared_, setup_, text_)                         \
    {                                                                                              \
        .name = name_,                                                                             \
        .family = id##_name,                                                                       \
        .setting = #suffix,                                                                        \
        .text = text_,                                                                             \
        .number = number_,                                                                         \
        .compared = compared_,                                                                     \
        .size = sizeof(id##_type),                                                                 \
        .align = _Alignof(id##_type),                                                              \
        .handle = id##_##suffix##_handle,                                                          \
        .memory = &id##_memory,                                                                    \
        .code = &id##_code,                                                                        \
        .setup = #setup_,                                                                          \
    },
const struct acre_backend acre_backends[] = {
#include "registry/allocators.def"
    { .name = NULL },
};

const struct acre_backend *acre_backend_find(const char *name)
{
    for (const struct acre_backend *backend = acre_backends; backend->name != NULL; backend++)
        if (strcmp(backend->name, name) == 0)
            return backend;
    return NULL;
}

const struct acre_backend *acre_backend_default(void)
{
    const struct acre_backend *backend = acre_backend_find("tlsf-quick");
    if (backend == NULL)
        backend = acre_backends;
    return backend->name != NULL ? backend : NULL;
}

const char *acre_backend_nearest(const char *name)
{
    const char *names[sizeof acre_backends / sizeof acre_backends[0]];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        names[i] = acre_backends[i].name;
    return acre_nearest(name, names);
}

static size_t append_name(char *line, size_t size, size_t used, const char *text)
{
    while (*text != '\0' && used + 1 < size)
        line[used++] = *text++;
    line[used] = '\0';
    return used;
}

/* What stands between the name of a backend and that of the entry before it. */
static const char *separator(const struct acre_backend *backend)
{
    bool is_setting = backend->setting[0] != '\0';
    if (backend == acre_backends)
        return "";
    bool after_setting = backend[-1].setting[0] != '\0';
    if (is_setting)
        return after_setting ? ", " : " (";
    return after_setting ? "), " : ", ";
}

void acre_backend_list(char *line, size_t size)
{
    const struct acre_backend *backend = acre_backends;
    size_t used = append_name(line, size, 0, backend->name != NULL ? "" : "none");
    for (; backend->name != NULL; backend++) {
        used = append_name(line, size, used, separator(backend));
        used = append_name(line, size, used, backend->name);
    }
    if (backend != acre_backends && backend[-1].setting[0] != '\0')
        append_name(line, size, used, ")");
}
