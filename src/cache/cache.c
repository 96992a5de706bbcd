/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Object caches over any byte allocator.
 */
#include "base/bits.h"

#include <acre/cache.h>

enum acre_status acre_cache_create(struct acre_cache *cache, const char *name,
    struct acre_bytes bytes, struct acre_layout layout, acre_cache_construct_fn *construct,
    void *arg)
{
    if (!acre_is_pow2(layout.align) || name == NULL)
        return ACRE_INVALID_PARAM;
    *cache = (struct acre_cache){
        .name = name, .bytes = bytes, .layout = layout, .construct = construct, .arg = arg
    };
    return ACRE_OK;
}

struct acre_ptr acre_cache_alloc(struct acre_cache *cache)
{
    if (cache->bytes.ops == NULL)
        return (struct acre_ptr){ NULL, ACRE_NO_MEMORY };
    struct acre_ptr got = acre_alloc(cache->bytes, cache->layout);
    if (got.status != ACRE_OK) {
        cache->failed++;
        return got;
    }
    if (cache->construct != NULL)
        cache->construct(cache->arg, got.ptr);
    cache->allocs++;
    if (++cache->live > cache->peak)
        cache->peak = cache->live;
    return got;
}

enum acre_status acre_cache_dealloc(struct acre_cache *cache, void *object)
{
    if (cache->live == 0)
        return ACRE_NOT_ALLOCATED;
    enum acre_status status = acre_dealloc_sized(cache->bytes, object, cache->layout);
    cache->live -= status == ACRE_OK;
    return status;
}

struct acre_cache_stats acre_cache_stats(const struct acre_cache *cache)
{
    return (struct acre_cache_stats){ cache->name, cache->layout, cache->live, cache->peak,
        cache->allocs, cache->failed };
}

enum acre_status acre_cache_destroy(struct acre_cache *cache)
{
    if (cache->live != 0)
        return ACRE_INVALID_PARAM;
    *cache = (struct acre_cache){ 0 };
    return ACRE_OK;
}
