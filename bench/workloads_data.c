/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "builder.h"
#include "random.h"
#include "workloads.h"

#include <stdlib.h>

/*
 * An array of integers that is filled to `param` of them, growing by half whenever it is full.
 * Small blocks that a program would make meanwhile are made between two growths, one in three
 * stays: so that some growths find the next block taken, and some do not.
 */
static void grow_array(struct bench_builder *builder, uint64_t *seed, size_t limit, size_t *slots)
{
    size_t array = (*slots)++;
    size_t room = 8;
    bench_alloc(builder, array, room * sizeof(int32_t), 3);
    while (room < limit) {
        size_t slot = (*slots)++;
        bench_alloc(builder, slot, bench_random_log(seed, 16, 256), 3);
        if (bench_random_below(seed, 3))
            bench_dealloc(builder, slot);
        room += room / 2;
        bench_realloc(builder, array, (room < limit ? room : limit) * sizeof(int32_t));
    }
    bench_dealloc(builder, array);
}

void bench_build_grow(struct bench_builder *builder, uint64_t seed, unsigned scale, size_t param)
{
    size_t slots = 0;
    unsigned arrays = 10 / scale ? 10 / scale : 1;
    for (unsigned i = 0; i < arrays; i++)
        grow_array(builder, &seed, param / scale, &slots);
}

/*
 * An ordered map: a treap (Seidel, Aragon, 1996), which for one set of keys and priorities has one
 * shape. Its own memory is apart; the blocks of the script are what each node would be made of: the
 * node, 48 bytes, and its key, a short string.
 */
struct node {
    uint64_t key, priority;
    uint32_t left, right; /* 0: none */
};

struct map {
    struct node *nodes; /* node i has slots 2 i and 2 i + 1 */
    uint32_t root;
};

static void split(struct map *map, uint32_t tree, uint64_t key, uint32_t *less, uint32_t *more)
{
    while (tree) {
        struct node *node = &map->nodes[tree];
        if (node->key < key) {
            *less = tree;
            less = &node->right;
            tree = node->right;
        } else {
            *more = tree;
            more = &node->left;
            tree = node->left;
        }
    }
    *less = *more = 0;
}

static void map_insert(struct map *map, uint32_t at)
{
    struct node *node = &map->nodes[at];
    uint32_t *link = &map->root;
    while (*link && map->nodes[*link].priority > node->priority) {
        struct node *above = &map->nodes[*link];
        link = node->key < above->key ? &above->left : &above->right;
    }
    uint32_t below = *link;
    *link = at;
    split(map, below, node->key, &node->left, &node->right);
}

static void map_remove(struct map *map, uint32_t at)
{
    uint32_t *link = &map->root;
    while (*link != at) {
        struct node *above = &map->nodes[*link];
        link = map->nodes[at].key < above->key ? &above->left : &above->right;
    }
    uint32_t left = map->nodes[at].left, right = map->nodes[at].right;
    while (left && right) {
        bool lift_left = map->nodes[left].priority > map->nodes[right].priority;
        *link = lift_left ? left : right;
        link = lift_left ? &map->nodes[left].right : &map->nodes[right].left;
        *(lift_left ? &left : &right) = *link;
    }
    *link = left ? left : right;
}

static void node_make(struct bench_builder *builder, struct map *map, uint32_t at, uint64_t *seed)
{
    enum { NODE_BYTES = 48, KEY_LOW = 8, KEY_HIGH = 40 };
    map->nodes[at] = (struct node){ bench_random(seed), bench_random(seed), 0, 0 };
    bench_alloc(builder, (size_t)at * 2, NODE_BYTES, 3);
    size_t key_bytes = KEY_LOW + bench_random_below(seed, KEY_HIGH - KEY_LOW + 1);
    bench_alloc(builder, (size_t)at * 2 + 1, key_bytes, 3);
    map_insert(map, at);
}

static void node_drop(struct bench_builder *builder, uint32_t at)
{
    bench_dealloc(builder, (size_t)at * 2 + 1);
    bench_dealloc(builder, (size_t)at * 2);
}

/* Frees in order of keys, unlinking the least each time. */
static void map_clear(struct bench_builder *builder, struct map *map)
{
    while (map->root) {
        uint32_t least = map->root;
        while (map->nodes[least].left)
            least = map->nodes[least].left;
        map_remove(map, least);
        node_drop(builder, least);
    }
}

void bench_build_map(struct bench_builder *builder, uint64_t seed, unsigned scale, size_t param)
{
    uint32_t keys = (uint32_t)(param / scale);
    struct map map = { calloc((size_t)keys + 1, sizeof(struct node)), 0 };
    builder->failed |= !map.nodes;
    if (builder->failed)
        return;
    for (uint32_t at = 1; at <= keys; at++)
        node_make(builder, &map, at, &seed);
    for (uint32_t i = 0; i < keys; i++) {
        uint32_t at = 1 + (uint32_t)bench_random_below(&seed, keys);
        map_remove(&map, at);
        node_drop(builder, at);
        node_make(builder, &map, at, &seed);
    }
    map_clear(builder, &map);
    free(map.nodes);
}
