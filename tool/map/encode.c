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
 * the window), bytes asked for, and its thread. */
static bool add_history_blocks(cJSON *object, const struct map_history *history)
{
    struct text text = { NULL, 0, 0, false };
    uint64_t born = 0;
    for (size_t i = 0; i < history->block_count; i++) {
        const struct map_block *block = &history->blocks[i];
        put_base64_number(&text, block->born - born);
        put_base64_number(&text, block->died == UINT64_MAX ? 0 : block->died - block->born);
        put_base64_number(&text, block->asked);
        put_base64_number(&text, block->thread);
        born = block->born;
    }
    return add_encoded(object, "blocks", &text) != NULL;
}

/* Of each block of the history: its offset and one more, and the bytes it can hold beyond those
 * asked for; 0 alone: it could not be had. */
static bool add_places(cJSON *object, const struct map_track *track)
{
    struct text text = { NULL, 0, 0, false };
    for (size_t i = 0; i < track->history->block_count; i++) {
        const struct map_place *place = &track->places[i];
        uint64_t asked = track->history->blocks[i].asked;
        put_base64_number(&text, place->size ? place->offset + 1 : 0);
        if (place->size)
            put_base64_number(&text, place->size > asked ? place->size - asked : 0);
    }
    return add_encoded(object, "places", &text) != NULL;
}

static bool changed(const struct map_track *track, size_t moment, size_t cell)
{
    static const struct map_cell empty;
    const struct map_cell *now = &track->cells[moment * track->cell_count + cell];
    const struct map_cell *before = moment ? now - track->cell_count : &empty;
    return now->live != before->live || now->metadata != before->metadata ||
           now->size_shade != before->size_shade || now->thread != before->thread ||
           now->born != before->born;
}

/* 16 * live + metadata; where there is something live, 8 * thread + shade and the moment of birth. */
static void put_map_cell(struct text *text, const struct map_cell *cell)
{
    put_base64_number(text, (MAP_PARTS + 1u) * cell->live + cell->metadata);
    if (!cell->live)
        return;
    put_base64_number(text, (uint64_t)MAP_SHADES * cell->thread + cell->size_shade);
    put_base64_number(text, cell->born);
}

/* Of each moment: how many cells have changed, and for each how many stand between it and the one
 * before, and what it is now. */
static bool add_cells(cJSON *object, const struct map_track *track)
{
    struct text text = { NULL, 0, 0, false };
    for (size_t moment = 0; moment < track->history->moment_count; moment++) {
        size_t changes = 0;
        size_t next = 0;
        for (size_t i = 0; i < track->cell_count; i++)
            changes += changed(track, moment, i);
        put_base64_number(&text, changes);
        for (size_t i = 0; i < track->cell_count; i++) {
            if (!changed(track, moment, i))
                continue;
            put_base64_number(&text, i - next);
            put_map_cell(&text, &track->cells[moment * track->cell_count + i]);
            next = i + 1;
        }
    }
    return add_encoded(object, "cells", &text) != NULL;
}

static void add_map_count(cJSON *object, const char *name, uint64_t number)
{
    cJSON_AddNumberToObject(object, name, (double)number);
}

cJSON *map_history_json(const struct map_history *history)
{
    cJSON *object = cJSON_CreateObject();
    add_map_count(object, "window_first", history->plan.window_first);
    add_map_count(object, "window_last", history->plan.window_last);
    add_map_count(object, "peak", history->peak_op);
    cJSON_AddBoolToObject(object, "too_many", history->too_many);
    cJSON_AddBoolToObject(object, "knows_threads", history->threads != NULL);
    cJSON *moments = cJSON_AddArrayToObject(object, "moments");
    cJSON *live = cJSON_AddArrayToObject(object, "live");
    for (size_t i = 0; i < history->moment_count; i++) {
        cJSON_AddItemToArray(moments, cJSON_CreateNumber((double)history->moments[i]));
        cJSON_AddItemToArray(live, cJSON_CreateNumber((double)history->live[i]));
    }
    cJSON_AddItemToObject(object, "palettes", map_palettes_json());
    if (moments && live && add_history_blocks(object, history))
        return object;
    cJSON_Delete(object);
    return NULL;
}

cJSON *map_track_json(const struct map_track *track)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "name", track->name);
    add_map_count(object, "pool", track->pool);
    add_map_count(object, "failed", track->failed);
    add_map_count(object, "cell_bytes", track->cell_bytes);
    add_map_count(object, "cell_count", track->cell_count);
    cJSON_AddBoolToObject(object, "walked", track->walked);
    if (add_cells(object, track) && add_places(object, track))
        return object;
    cJSON_Delete(object);
    return NULL;
}
