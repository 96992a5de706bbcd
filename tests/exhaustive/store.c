/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "exhaustive/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *grow(void *old, size_t size)
{
    void *bytes = realloc(old, size);
    if (bytes == NULL) {
        perror("store");
        exit(EXIT_FAILURE);
    }
    return bytes;
}

void store_open(struct store *store, size_t words)
{
    memset(store, 0, sizeof *store);
    store->words = words;
    store->table_size = 1024;
    store->table = grow(NULL, store->table_size * sizeof *store->table);
    memset(store->table, 0, store->table_size * sizeof *store->table);
}

void store_close(struct store *store)
{
    free(store->first);
    free(store->diffs);
    free(store->begin);
    free(store->table);
}

/* FNV-1a over words. */
static size_t hash(const uint64_t *words, size_t count)
{
    uint64_t sum = 0xcbf29ce484222325u;
    for (size_t i = 0; i < count; i++)
        sum = (sum ^ words[i]) * 0x100000001b3u;
    return (size_t)(sum ^ sum >> 29);
}

static size_t length_of(const uint64_t *entry)
{
    return 1 + 2 * (size_t)entry[0];
}

/* Appends an image's differences to those kept. Returns how many words they take. */
static size_t write_diffs(struct store *store, const uint64_t *image)
{
    if (store->used + 1 + 2 * store->words > store->room) {
        store->room = 2 * store->room + 1 + 2 * store->words;
        store->diffs = grow(store->diffs, store->room * sizeof *store->diffs);
    }
    uint64_t *entry = store->diffs + store->used;
    entry[0] = 0;
    for (size_t i = 0; i < store->words; i++) {
        if (image[i] == store->first[i])
            continue;
        entry[1 + 2 * entry[0]] = i;
        entry[2 + 2 * entry[0]] = image[i];
        entry[0]++;
    }
    return length_of(entry);
}

static size_t find_slot(const struct store *store, const uint64_t *entry, size_t length)
{
    size_t slot = hash(entry, length) % store->table_size;
    for (; store->table[slot] != 0; slot = (slot + 1) % store->table_size) {
        const uint64_t *other = store->diffs + store->begin[store->table[slot] - 1];
        if (other[0] == entry[0] && memcmp(other, entry, length * sizeof *entry) == 0)
            return slot;
    }
    return slot;
}

static void enlarge_table(struct store *store)
{
    store->table_size *= 2;
    store->table = grow(store->table, store->table_size * sizeof *store->table);
    memset(store->table, 0, store->table_size * sizeof *store->table);
    for (size_t i = 0; i < store->count; i++) {
        const uint64_t *entry = store->diffs + store->begin[i];
        store->table[find_slot(store, entry, length_of(entry))] = i + 1;
    }
}

bool store_add(struct store *store, const uint64_t *image)
{
    if (store->first == NULL) {
        store->first = grow(NULL, store->words * sizeof *store->first);
        memcpy(store->first, image, store->words * sizeof *store->first);
    }
    size_t length = write_diffs(store, image);
    size_t slot = find_slot(store, store->diffs + store->used, length);
    if (store->table[slot] != 0)
        return false;
    if (store->count == store->count_room) {
        store->count_room = 2 * store->count_room + 64;
        store->begin = grow(store->begin, store->count_room * sizeof *store->begin);
    }
    store->begin[store->count] = store->used;
    store->used += length;
    store->table[slot] = ++store->count;
    if (2 * store->count > store->table_size)
        enlarge_table(store);
    return true;
}

void store_get(const struct store *store, size_t index, uint64_t *image)
{
    const uint64_t *entry = store->diffs + store->begin[index];
    memcpy(image, store->first, store->words * sizeof *image);
    for (size_t i = 0; i < entry[0]; i++)
        image[entry[1 + 2 * i]] = entry[2 + 2 * i];
}
