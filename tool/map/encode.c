/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Long columns of small numbers as text: each number five bits at a time, the lowest first, in the
 * alphabet of base64; the sixth bit says that more follow.
 */
#include "tool/map/track.h"

#include <stdlib.h>

struct text {
    char *items;
    size_t count, room;
    bool failed;
};

static void put_char(struct text *text, char letter)
{
    if (text->count == text->room) {
        size_t room = text->room ? text->room * 2 : 4096;
        char *moved = realloc(text->items, room);
        text->failed |= !moved;
        if (!moved)
            return;
        text->items = moved;
        text->room = room;
    }
    text->items[text->count++] = letter;
}

static void put_base64_number(struct text *text, uint64_t number)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    while (number >= 32) {
        put_char(text, letters[32 + number % 32]);
        number /= 32;
    }
    put_char(text, letters[number]);
}

static cJSON *add_encoded(cJSON *object, const char *name, struct text *text)
{
    put_char(text, '\0');
    cJSON *item = text->failed ? NULL : cJSON_AddStringToObject(object, name, text->items);
    free(text->items);
    return item;
}

/* Of each block: operations since the birth of the one before, operations it lives (0: it outlasts
 * the window), offset, bytes asked for, and bytes it can hold beyond them. */
static bool add_map_blocks(cJSON *object, const struct map_track *track)
{
    struct text text = { NULL, 0, 0, false };
    uint64_t born = track->plan.window_first - 1;
    for (size_t i = 0; i < track->block_count; i++) {
        const struct map_block *block = &track->blocks[i];
        put_base64_number(&text, block->born - born);
        put_base64_number(&text, block->died == UINT64_MAX ? 0 : block->died - block->born);
        put_base64_number(&text, block->offset);
        put_base64_number(&text, block->asked);
        put_base64_number(&text, block->size - block->asked);
        born = block->born;
    }
    return add_encoded(object, "blocks", &text) != NULL;
}

static unsigned cell_number(const struct map_cell *cell)
{
    return (MAP_PARTS + 1u) * cell->live + cell->metadata;
}

static bool changed(const struct map_track *track, size_t moment, size_t cell)
{
    const struct map_cell *now = &track->cells[moment * track->cell_count + cell];
    return moment ? cell_number(now) != cell_number(now - track->cell_count)
                  : cell_number(now) != 0;
}

/* Of each moment: how many cells have changed, and for each how many stand between it and the one
 * before, and what it is now: 16 * live + metadata. */
static bool add_cells(cJSON *object, const struct map_track *track)
{
    struct text text = { NULL, 0, 0, false };
    for (size_t moment = 0; moment < track->moment_count; moment++) {
        size_t changes = 0;
        size_t next = 0;
        for (size_t i = 0; i < track->cell_count; i++)
            changes += changed(track, moment, i);
        put_base64_number(&text, changes);
        for (size_t i = 0; i < track->cell_count; i++) {
            if (!changed(track, moment, i))
                continue;
            put_base64_number(&text, i - next);
            put_base64_number(&text, cell_number(&track->cells[moment * track->cell_count + i]));
            next = i + 1;
        }
    }
    return add_encoded(object, "cells", &text) != NULL;
}

static void add_map_count(cJSON *object, const char *name, uint64_t number)
{
    cJSON_AddNumberToObject(object, name, (double)number);
}

static void add_window(cJSON *object, const struct map_track *track)
{
    add_map_count(object, "window_first", track->plan.window_first);
    add_map_count(object, "window_last", track->plan.window_last);
    cJSON_AddBoolToObject(object, "too_many", track->too_many);
    cJSON_AddBoolToObject(object, "walked", track->walked);
}

cJSON *map_track_json(const struct map_track *track)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "name", track->name);
    add_map_count(object, "pool", track->plan.pool);
    add_map_count(object, "failed", track->failed);
    add_map_count(object, "cell_bytes", track->cell_bytes);
    add_map_count(object, "cell_count", track->cell_count);
    add_window(object, track);
    cJSON *moments = cJSON_AddArrayToObject(object, "moments");
    for (size_t i = 0; moments && i < track->moment_count; i++)
        cJSON_AddItemToArray(moments, cJSON_CreateNumber((double)track->moments[i]));
    if (moments && add_cells(object, track) && add_map_blocks(object, track))
        return object;
    cJSON_Delete(object);
    return NULL;
}
