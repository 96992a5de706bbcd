/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Object caches of a file system: two types of object over one slab allocator, each under a name,
 * with a constructor and accounts of its own. Memory that one type gives up serves the other.
 */
#include <acre/cache.h>
#include <acre/slab.h>

#include <stdio.h>
#include <stdlib.h>

struct inode {
    struct inode *next; /* of the list below */
    unsigned links;
    unsigned blocks[30];
};

struct entry {
    struct entry *next;
    struct inode *inode;
    char name[32];
};

static void construct_inode(void *device, void *object)
{
    (void)device;
    *(struct inode *)object = (struct inode){ .links = 1 };
}

static _Alignas(max_align_t) char memory[64 * 1024];
static struct acre_slab slab;
static struct acre_cache inodes, entries;

static void require(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "cache: %s\n", what);
        exit(EXIT_FAILURE);
    }
}

static void print(const struct acre_cache *cache)
{
    struct acre_cache_stats stats = acre_cache_stats(cache);
    printf("%-7s %3zu bytes each: %4zu live, %4zu at most, %zu failed\n", stats.name,
        stats.layout.size, stats.live, stats.peak, stats.failed);
}

int main(void)
{
    require(acre_slab_setup(&slab, ACRE_SLAB_PAGE) == ACRE_OK, "setup");
    require(acre_slab_init(&slab, memory, sizeof memory) == ACRE_OK, "init");
    struct acre_bytes heap = acre_slab_bytes(&slab);
    acre_cache_create(&inodes, "inodes", heap, ACRE_LAYOUT(struct inode), construct_inode, NULL);
    acre_cache_create(&entries, "entries", heap, ACRE_LAYOUT(struct entry), NULL, NULL);

    struct inode *list = NULL; /* inodes until memory is out */
    for (struct inode *made; (made = acre_cache_alloc(&inodes).ptr) != NULL; list = made)
        made->next = list;
    require(list != NULL && list->links == 1, "not constructed");
    require(acre_cache_alloc(&entries).status == ACRE_NO_MEMORY, "there is room");
    require(acre_cache_destroy(&inodes) == ACRE_INVALID_PARAM, "ended while in use");

    for (struct inode *next; list != NULL; list = next) {
        next = list->next;
        require(acre_cache_dealloc(&inodes, list) == ACRE_OK, "not freed");
    }
    struct entry *entry = NULL;
    while ((entry = acre_cache_alloc(&entries).ptr) != NULL)
        require(
            acre_cache_dealloc(&inodes, entry) != ACRE_OK, "freed as an object of another type");
    print(&inodes);
    print(&entries);
    return acre_cache_stats(&entries).live > acre_cache_stats(&inodes).peak ? 0 : 1;
}
