/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/import/live.h"

#include <search.h>
#include <stdlib.h>

/* ---- by address ---- */

struct place {
    uint64_t address, block;
};

static int compare_addresses(const void *left, const void *right)
{
    const struct place *a = left;
    const struct place *b = right;
    return (a->address > b->address) - (a->address < b->address);
}

bool import_live_add(struct import_live *live, uint64_t address, uint64_t block)
{
    struct place *place = malloc(sizeof *place);
    if (place)
        *place = (struct place){ address, block };
    if (place && tsearch(place, &live->tree, compare_addresses))
        return true;
    free(place);
    return false;
}

bool import_live_take(struct import_live *live, uint64_t address, uint64_t *block)
{
    struct place wanted = { address, 0 };
    struct place **node = tfind(&wanted, &live->tree, compare_addresses);
    if (!node)
        return false;
    struct place *place = *node;
    *block = place->block;
    tdelete(place, &live->tree, compare_addresses);
    free(place);
    return true;
}

void import_live_clear(struct import_live *live)
{
    uint64_t block;
    while (live->tree)
        import_live_take(live, (*(struct place **)live->tree)->address, &block);
}

/* ---- by kind ---- */

struct import_kind {
    uint64_t size;
    uint32_t first; /* place of the block put last, from 1; 0: none is live */
};

struct import_member {
    uint64_t block;
    uint32_t next;
};

/* Room for one more of `size` bytes. */
static bool grow_live_array(void **items, size_t *room, size_t count, size_t size)
{
    size_t wider = *room ? *room * 2 : 64;
    if (count < *room)
        return true;
    void *moved = realloc(*items, wider * size);
    if (!moved)
        return false;
    *items = moved;
    *room = wider;
    return true;
}

bool import_kinds_add(struct import_kinds *kinds, uint64_t size)
{
    void *items = kinds->kinds;
    if (kinds->count == IMPORT_MOST_KINDS ||
        !grow_live_array(&items, &kinds->room, kinds->count, sizeof *kinds->kinds))
        return false;
    kinds->kinds = items;
    kinds->kinds[kinds->count++] = (struct import_kind){ size, 0 };
    return true;
}

uint64_t import_kinds_size(const struct import_kinds *kinds, uint64_t kind)
{
    return kinds->kinds[kind].size;
}

/* A place for a block, from 1; 0: there is no memory. */
static uint32_t new_place(struct import_kinds *kinds)
{
    uint32_t place = kinds->spare;
    void *items = kinds->members;
    if (place) {
        kinds->spare = kinds->members[place - 1].next;
        return place;
    }
    if (kinds->member_count == UINT32_MAX ||
        !grow_live_array(&items, &kinds->member_room, kinds->member_count, sizeof *kinds->members))
        return 0;
    kinds->members = items;
    return (uint32_t)++kinds->member_count;
}

bool import_kinds_put(struct import_kinds *kinds, uint64_t kind, uint64_t block)
{
    struct import_kind *of = &kinds->kinds[kind];
    uint32_t place = new_place(kinds);
    if (!place)
        return false;
    kinds->members[place - 1] = (struct import_member){ block, of->first };
    of->first = place;
    return true;
}

bool import_kinds_take(struct import_kinds *kinds, uint64_t kind, uint64_t *block)
{
    struct import_kind *of = &kinds->kinds[kind];
    uint32_t place = of->first;
    if (!place)
        return false;
    struct import_member *member = &kinds->members[place - 1];
    *block = member->block;
    of->first = member->next;
    member->next = kinds->spare;
    kinds->spare = place;
    return true;
}

void import_kinds_clear(struct import_kinds *kinds)
{
    free(kinds->kinds);
    free(kinds->members);
    *kinds = (struct import_kinds){ 0 };
}
