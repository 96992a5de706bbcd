/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Built-in allocators through their typed functions: one line each at the end. */
#include "contestants.h"
#include "loop.h"

#include <acre/acre.h>
#include <string.h>

/* The allocator's struct is at the start of the pool, its memory behind it. `whole` is that struct,
 * which begins with the one that the functions of `verbs` take; `title` is the registry's name. */
#define BENCH_DEFINE_TYPED(kind, whole, verbs, title)                                              \
    static void *kind##_create(void *pool, size_t size)                                            \
    {                                                                                              \
        struct whole *self = pool;                                                                 \
        if (size <= sizeof *self)                                                                  \
            return NULL;                                                                           \
        if (kind##_prepare(self) != ACRE_OK)                                                       \
            return NULL;                                                                           \
        if (verbs##_init(pool, self + 1, size - sizeof *self) != ACRE_OK)                          \
            return NULL;                                                                           \
        return self;                                                                               \
    }                                                                                              \
    static inline void *kind##_alloc(void *self, size_t size, size_t align)                        \
    {                                                                                              \
        return verbs##_alloc(self, acre_layout(size, align)).ptr;                                  \
    }                                                                                              \
    static inline void kind##_dealloc(void *self, void *ptr, size_t size, size_t align)            \
    {                                                                                              \
        (void)size;                                                                                \
        (void)align;                                                                               \
        verbs##_dealloc(self, ptr);                                                                \
    }                                                                                              \
    static inline void *kind##_realloc(                                                            \
        void *self, void *ptr, size_t old_size, size_t new_size, size_t align)                     \
    {                                                                                              \
        (void)old_size;                                                                            \
        return verbs##_realloc(self, ptr, acre_layout(new_size, align)).ptr;                       \
    }                                                                                              \
    BENCH_DEFINE_LOOPS(kind, kind##_alloc, kind##_dealloc, kind##_realloc);                        \
    static const struct acre_plugin kind##_table = {                                               \
        .abi = ACRE_PLUGIN_ABI,                                                                    \
        .name = title,                                                                             \
        .create = kind##_create,                                                                   \
        .alloc = kind##_alloc,                                                                     \
        .dealloc = kind##_dealloc,                                                                 \
        .realloc = kind##_realloc,                                                                 \
    }

#if ACRE_TLSF
static enum acre_status tlsf_prepare(struct acre_tlsf *self)
{
    (void)self;
    return ACRE_OK;
}
BENCH_DEFINE_TYPED(tlsf, acre_tlsf, acre_tlsf, "tlsf");
#endif

#if ACRE_BUDDY
static enum acre_status buddy_prepare(struct acre_buddy *self)
{
    return acre_buddy_setup(self, ACRE_BUDDY_SMALLEST);
}
BENCH_DEFINE_TYPED(buddy, acre_buddy, acre_buddy, "buddy");
#endif

#if ACRE_HEAP && ACRE_BITMAP && ACRE_TLSF
static enum acre_status heap_prepare(struct acre_heap_tlsf *self)
{
    return acre_heap_tlsf_setup(self, ACRE_BITMAP_PAGE_SIZE);
}
BENCH_DEFINE_TYPED(heap, acre_heap_tlsf, acre_heap, "heap");
#endif

#if ACRE_SLAB
static enum acre_status slab_prepare(struct acre_slab *self)
{
    return acre_slab_setup(self, ACRE_SLAB_PAGE);
}
BENCH_DEFINE_TYPED(slab, acre_slab, acre_slab, "slab");
#endif

#if ACRE_HEAP && ACRE_BITMAP && ACRE_SLAB
static enum acre_status heap_slab_prepare(struct acre_heap_slab *self)
{
    return acre_heap_slab_setup(self, ACRE_BITMAP_PAGE_SIZE);
}
BENCH_DEFINE_TYPED(heap_slab, acre_heap_slab, acre_heap, "heap-slab");
#endif

bool bench_bind_typed(const char *builtin, struct bench_bound *bound)
{
    static const struct bench_bound backends[] = {
#if ACRE_TLSF
        { &tlsf_table, &tlsf_loops },
#endif
#if ACRE_BUDDY
        { &buddy_table, &buddy_loops },
#endif
#if ACRE_HEAP && ACRE_BITMAP && ACRE_TLSF
        { &heap_table, &heap_loops },
#endif
#if ACRE_HEAP && ACRE_BITMAP && ACRE_SLAB
        { &heap_slab_table, &heap_slab_loops },
#endif
#if ACRE_SLAB
        { &slab_table, &slab_loops },
#endif
        { NULL, NULL },
    };
    for (size_t i = 0; backends[i].table; i++)
        if (strcmp(backends[i].table->name, builtin) == 0) {
            *bound = backends[i];
            return true;
        }
    return false;
}
