/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * An object cache: sessions are costly to set up, so one that is given back stays set up until it
 * is wanted again, or until its memory is. Below it slab keeps objects of one size side by side,
 * and what is empty serves any other size.
 */
#include <acre/slab.h>

#include <stdio.h>
#include <stdlib.h>

struct session {
    struct session *next; /* while idle */
    unsigned seed;
    unsigned char table[200]; /* what is costly to set up */
};

struct cache {
    struct acre_bytes heap;
    struct session *idle;
    size_t made;
};

static struct session *cache_take(struct cache *cache)
{
    struct session *session = cache->idle;
    if (session != NULL) {
        cache->idle = session->next;
        return session;
    }
    session = acre_alloc(cache->heap, ACRE_LAYOUT(struct session)).ptr;
    if (session == NULL)
        return NULL;
    session->seed = (unsigned)cache->made++;
    for (size_t i = 0; i < sizeof session->table; i++)
        session->table[i] = (unsigned char)(i * session->seed);
    return session;
}

static void cache_give(struct cache *cache, struct session *session)
{
    session->next = cache->idle;
    cache->idle = session;
}

/* For when memory is short: idle sessions go back to the heap. */
static void cache_shrink(struct cache *cache)
{
    for (struct session *session; (session = cache->idle) != NULL;) {
        cache->idle = session->next;
        acre_dealloc_sized(cache->heap, session, ACRE_LAYOUT(struct session));
    }
}

static _Alignas(max_align_t) char memory[64 * 1024];
static struct acre_slab slab;
static struct session *taken[1024];

int main(void)
{
    if (acre_slab_setup(&slab, ACRE_SLAB_PAGE) != ACRE_OK ||
        acre_slab_init(&slab, memory, sizeof memory) != ACRE_OK)
        return 1;
    struct cache cache = { .heap = acre_slab_bytes(&slab) };
    size_t count = 0;
    while (count < 1024 && (taken[count] = cache_take(&cache)) != NULL)
        count++;
    for (size_t i = 0; i < count; i++)
        cache_give(&cache, taken[i]);
    for (size_t i = 0; i < count; i++)
        cache_give(&cache, cache_take(&cache));
    printf("%zu sessions made, %zu idle\n", cache.made, acre_slab_stats(&slab).live_blocks);

    const struct acre_layout picture = acre_layout(32 * 1024, ACRE_NATURAL_ALIGN);
    if (acre_alloc(cache.heap, picture).status != ACRE_NO_MEMORY)
        return 1;
    cache_shrink(&cache);
    return cache.made == count && acre_alloc(cache.heap, picture).status == ACRE_OK ? 0 : 1;
}
