/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "fault/map.h"

#include <string.h>

struct map_entry {
    struct map_entry *next;
    char *value;
    size_t length;
    char key[];
};

enum { FIRST_BUCKETS = 4 };

static size_t hash(const char *key)
{
    size_t sum = 5381;
    for (; *key != '\0'; key++)
        sum = sum * 33 + (unsigned char)*key;
    return sum;
}

static struct map_entry **bucket_of(const struct map *map, const char *key)
{
    return &map->buckets[hash(key) & (map->bucket_count - 1)];
}

void map_open(struct map *map, struct acre_bytes bytes)
{
    *map = (struct map){ bytes, NULL, 0, 0 };
}

static struct map_entry **find(const struct map *map, const char *key)
{
    if (map->bucket_count == 0)
        return NULL;
    struct map_entry **link = bucket_of(map, key);
    while (*link != NULL && strcmp((*link)->key, key) != 0)
        link = &(*link)->next;
    return *link != NULL ? link : NULL;
}

static bool make_buckets(struct map *map, size_t count)
{
    size_t size = count * sizeof(struct map_entry *);
    struct map_entry **old = map->buckets;
    size_t old_count = map->bucket_count;
    struct map_entry **buckets =
        acre_alloc(map->bytes, acre_layout(size, sizeof(struct map_entry *))).ptr;
    if (buckets == NULL)
        return false;
    memset(buckets, 0, size);
    map->buckets = buckets;
    map->bucket_count = count;
    for (size_t i = 0; i < old_count; i++) {
        for (struct map_entry *entry = old[i], *next; entry != NULL; entry = next) {
            next = entry->next;
            entry->next = *bucket_of(map, entry->key);
            *bucket_of(map, entry->key) = entry;
        }
    }
    if (old != NULL)
        acre_dealloc(map->bytes, old);
    return true;
}

static void free_entry(struct map *map, struct map_entry *entry)
{
    acre_dealloc(map->bytes, entry->value);
    acre_dealloc(map->bytes, entry);
}

void map_close(struct map *map)
{
    for (size_t i = 0; i < map->bucket_count; i++) {
        for (struct map_entry *entry = map->buckets[i], *next; entry != NULL; entry = next) {
            next = entry->next;
            free_entry(map, entry);
        }
    }
    if (map->buckets != NULL)
        acre_dealloc(map->bytes, map->buckets);
    map_open(map, map->bytes);
}

static bool extend(struct map *map, struct map_entry *entry, const char *text)
{
    size_t more = strlen(text);
    struct acre_ptr grown =
        acre_realloc(map->bytes, entry->value, acre_layout(entry->length + more + 1, 1));
    if (grown.ptr == NULL)
        return false;
    entry->value = grown.ptr;
    memcpy(entry->value + entry->length, text, more + 1);
    entry->length += more;
    return true;
}

static struct map_entry *make_entry(struct map *map, const char *key, const char *text)
{
    size_t size = sizeof(struct map_entry) + strlen(key) + 1;
    struct map_entry *entry = acre_alloc(map->bytes, acre_layout(size, 16)).ptr;
    if (entry == NULL)
        return NULL;
    entry->length = strlen(text);
    entry->value = acre_alloc(map->bytes, acre_layout(entry->length + 1, 1)).ptr;
    if (entry->value == NULL) {
        acre_dealloc(map->bytes, entry);
        return NULL;
    }
    strcpy(entry->key, key);
    strcpy(entry->value, text);
    return entry;
}

bool map_append(struct map *map, const char *key, const char *text)
{
    struct map_entry **link = find(map, key);
    if (link != NULL)
        return extend(map, *link, text);
    size_t want = map->bucket_count == 0 ? FIRST_BUCKETS : 2 * map->bucket_count;
    if (map->count == map->bucket_count && !make_buckets(map, want))
        return false;
    struct map_entry *entry = make_entry(map, key, text);
    if (entry == NULL)
        return false;
    entry->next = *bucket_of(map, key);
    *bucket_of(map, key) = entry;
    map->count++;
    return true;
}

const char *map_get(const struct map *map, const char *key)
{
    struct map_entry **link = find(map, key);
    return link != NULL ? (*link)->value : NULL;
}

bool map_remove(struct map *map, const char *key)
{
    struct map_entry **link = find(map, key);
    if (link == NULL)
        return false;
    struct map_entry *entry = *link;
    *link = entry->next;
    free_entry(map, entry);
    map->count--;
    return true;
}

size_t map_blocks(const struct map *map)
{
    size_t entries = 0;
    for (size_t i = 0; i < map->bucket_count; i++) {
        for (struct map_entry *entry = map->buckets[i]; entry != NULL; entry = entry->next) {
            if (bucket_of(map, entry->key) != &map->buckets[i] ||
                strlen(entry->value) != entry->length)
                return 0;
            entries++;
        }
    }
    return entries == map->count ? 2 * entries + (map->buckets != NULL) : 0;
}
