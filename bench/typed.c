/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Built-in allocators through their typed functions, from the list in registry/allocators.def. */
#include "backends.h"
#include "replay/loop.h"

#include <acre/acre.h>
#include <string.h>

/* The allocator's struct is at the start of the pool, its memory behind it. */
#define BENCH_DEFINE_CREATE(function, type, id, setup)                                             \
    static void *function(void *pool, size_t size)                                                 \
    {                                                                                              \
        type *self = pool;                                                                         \
        if (size <= sizeof *self)                                                                  \
            return NULL;                                                                           \
        *self = (type){ 0 };                                                                       \
        setup;                                                                                     \
        if (id##_init(pool, self + 1, size - sizeof *self) != ACRE_OK)                             \
            return NULL;                                                                           \
        return self;                                                                               \
    }

#define BENCH_TYPED_TABLE(id, title, create_function)                                              \
    {                                                                                              \
        .abi = ACRE_PLUGIN_ABI, .name = title, .create = create_function, .alloc = id##_alloc,     \
        .dealloc = id##_dealloc, .realloc = id##_realloc                                           \
    }

#define ACRE_BACKEND(id, name_, header, type, verbs, part, compared, setup, text)                  \
    typedef type id##_type;                                                                        \
    static inline enum acre_status id##_init(void *self, void *start, size_t size)                 \
    {                                                                                              \
        return verbs##_init(self, start, size);                                                    \
    }                                                                                              \
    BENCH_DEFINE_CREATE(id##_create, id##_type, id, setup)                                         \
    static inline void *id##_alloc(void *self, size_t size, size_t align)                          \
    {                                                                                              \
        return verbs##_alloc(self, acre_layout(size, align)).ptr;                                  \
    }                                                                                              \
    static inline void id##_dealloc(void *self, void *ptr, size_t size, size_t align)              \
    {                                                                                              \
        (void)size;                                                                                \
        (void)align;                                                                               \
        verbs##_dealloc(self, ptr);                                                                \
    }                                                                                              \
    static inline void *id##_realloc(                                                              \
        void *self, void *ptr, size_t old_size, size_t new_size, size_t align)                     \
    {                                                                                              \
        (void)old_size;                                                                            \
        return verbs##_realloc(self, ptr, acre_layout(new_size, align)).ptr;                       \
    }                                                                                              \
    REPLAY_DEFINE_LOOPS(static, id, id##_alloc, NULL, id##_dealloc, id##_realloc, false);          \
    static const struct acre_plugin id##_table = BENCH_TYPED_TABLE(id, name_, id##_create);
#define ACRE_SETTING(id, suffix, name_, number, compared, setup, text)                             \
    BENCH_DEFINE_CREATE(id##_##suffix##_create, id##_type, id, setup)                              \
    static const struct acre_plugin id##_##suffix##_table =                                        \
        BENCH_TYPED_TABLE(id, name_, id##_##suffix##_create);
#include "registry/allocators.def"

#define ACRE_BACKEND(id, name, header, type, verbs, part, compared, setup, text)                   \
    { &id##_table, &id##_loops },
#define ACRE_SETTING(id, suffix, name, number, compared, setup, text)                              \
    { &id##_##suffix##_table, &id##_loops },
static const struct {
    const struct acre_plugin *calls;
    const struct replay_loops *loops;
} typed_backends[] = {
#include "registry/allocators.def"
    { NULL, NULL },
};

bool bench_typed(struct replay_backend *backend, const char *name)
{
    for (size_t i = 0; typed_backends[i].calls; i++)
        if (strcmp(typed_backends[i].calls->name, name) == 0) {
            backend->plugin = typed_backends[i].calls;
            backend->loops = typed_backends[i].loops;
            return true;
        }
    return false;
}
