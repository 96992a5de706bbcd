/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/map/palette.h"

#include <stdio.h>

const struct map_palette map_palettes[MAP_COLOURINGS] = {
    [MAP_BY_SIZE] = { "size", "Bytes requested",
        { "to 32", "to 128", "to 512", "to 2 KiB", "to 8 KiB", "to 32 KiB", "to 128 KiB", "more" },
        { 0x5b5bd6, 0x2f7fe0, 0x14a0c4, 0x17b08b, 0x7cb83a, 0xe0b020, 0xee8230, 0xdf4b52 },
        { 62, 32, 38, 36, 107, 178, 208, 167 } },
    [MAP_BY_AGE] = { "age", "Age, share of the run",
        { "to 1/128", "to 1/64", "to 1/32", "to 1/16", "to 1/8", "to 1/4", "to 1/2", "older" },
        { 0xf2c230, 0xf19a37, 0xe8734a, 0xd6516a, 0xb43f8c, 0x8b44a8, 0x6650b8, 0x4a62b8 },
        { 220, 215, 173, 167, 132, 97, 61, 61 } },
    [MAP_BY_THREAD] = { "thread", "Thread", { "0", "1", "2", "3", "4", "5", "6", "7" },
        { 0x2f7fe0, 0xee8230, 0x17b08b, 0xb85ad0, 0xe0b020, 0xdf4b52, 0x14a0c4, 0x8a8f3c },
        { 32, 208, 36, 134, 178, 167, 38, 101 } },
};

unsigned map_size_shade(uint64_t size)
{
    unsigned shade = 0;
    for (uint64_t most = 32; size > most && shade < MAP_SHADES - 1; most *= 4)
        shade++;
    return shade;
}

unsigned map_age_shade(uint64_t age, uint64_t whole)
{
    unsigned shade = MAP_SHADES - 1;
    for (uint64_t least = whole / 2; age < least && shade > 0; least /= 2)
        shade--;
    return shade;
}

unsigned map_thread_shade(uint32_t thread)
{
    return thread % MAP_SHADES;
}

static cJSON *palette_json(const struct map_palette *palette)
{
    char colour[8];
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "title", palette->title);
    cJSON *colours = cJSON_AddArrayToObject(object, "colours");
    for (size_t i = 0; i < MAP_SHADES; i++) {
        snprintf(colour, sizeof colour, "#%06x", (unsigned)palette->colours[i]);
        cJSON_AddItemToArray(colours, cJSON_CreateString(colour));
    }
    cJSON_AddItemToObject(object, "labels", cJSON_CreateStringArray(palette->labels, MAP_SHADES));
    return object;
}

cJSON *map_palettes_json(void)
{
    cJSON *object = cJSON_CreateObject();
    for (size_t i = 0; i < MAP_COLOURINGS; i++)
        cJSON_AddItemToObject(object, map_palettes[i].name, palette_json(&map_palettes[i]));
    return object;
}
