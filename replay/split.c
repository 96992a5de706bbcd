/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "replay/split.h"

#include "replay/runs.h"

#include <sys/mman.h>
#include <unistd.h>

/* New slots are taken by the dozen, so that two lanes do not write to one cache line. */
#define SLOTS_AT_ONCE 16u
/* A lane takes slots that others have freed when there are this many times the most live blocks, and so
 * many more: their last use is long past then, and nobody waits. */
#define TIMES_LIVE 2u
#define SLOTS_MORE 4096u
/* Operations of a stretch: a part of the most live blocks, within bounds. */
#define STRETCH_PART 4u
#define LEAST_STRETCH 256u
#define MOST_STRETCH 4096u
/* An item for an operation, and at most two marks before it. */
#define ITEMS_PER_OP 3u
#define NO_SLOT UINT32_MAX

/* A recorded thread: its operations, by index. */
struct split_life {
    uint64_t first, last;
    uint64_t count; /* 0: it made none */
    uint32_t part;
};

/* What is known of a new slot. */
struct split_slot {
    uint64_t last; /* the item that used it last */
    uint32_t lane; /* of that */
    uint32_t turn; /* times it was handed over */
    uint32_t next; /* among the free slots of a lane */
    bool used;
};

struct split_lane {
    uint64_t end;              /* recorded index of its last operation */
    uint64_t count;            /* of its operations */
    uint64_t next;             /* its next item */
    uint32_t oldest, newest;   /* its free slots; NO_SLOT: none */
    uint32_t fresh, fresh_end; /* slots that it has taken and not used */
    uint32_t stretch;          /* of its last operation */
    uint32_t part;             /* the latest */
    bool begun;
};

struct splitter {
    struct replay_script *script;
    struct split_life *lives; /* by thread */
    uint32_t *order;          /* threads by their first operation */
    size_t count;             /* of them */
    struct replay_part *parts;
    size_t part_count;
    struct split_lane lanes[REPLAY_MOST_LANES];
    size_t lane_count;
    uint32_t *renamed; /* by slot: the new one of its block */
    struct split_slot *slots;
    uint64_t slot_count, slot_limit;
    uint64_t stretch;
    struct replay_op *items;
};

/* ---- memory ---- */

static void *map_lazily(uint64_t count, size_t size)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    uint64_t bytes = (count + 1) * size;
    if (bytes > SIZE_MAX / 2)
        return NULL;
    void *memory = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static void unmap(void *memory, uint64_t count, size_t size)
{
    if (memory)
        munmap(memory, (size_t)(count + 1) * size);
}

/* Makes an array as large as it may become; pages that are not written cost nothing. */
static void *array_reserve(struct replay_array *array, uint64_t count, size_t size)
{
    uint64_t room = count * size;
    if (room > SIZE_MAX / 2 || ftruncate(array->file, (off_t)room) != 0)
        return NULL;
    void *items = mmap(
        NULL, (size_t)room, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, array->file, 0);
    if (items == MAP_FAILED)
        return NULL;
    array->items = items;
    array->room = (size_t)room;
    return items;
}

static bool open_splitter(struct splitter *splitter)
{
    const struct replay_facts *facts = &splitter->script->facts;
    splitter->lives = map_lazily(facts->threads, sizeof *splitter->lives);
    splitter->order = map_lazily(facts->threads, sizeof *splitter->order);
    splitter->renamed = map_lazily(facts->slots, sizeof *splitter->renamed);
    splitter->slots = map_lazily(splitter->slot_limit, sizeof *splitter->slots);
    return splitter->lives && splitter->order && splitter->renamed && splitter->slots;
}

static void close_splitter(struct splitter *splitter)
{
    const struct replay_facts *facts = &splitter->script->facts;
    unmap(splitter->lives, facts->threads, sizeof *splitter->lives);
    unmap(splitter->order, facts->threads, sizeof *splitter->order);
    unmap(splitter->renamed, facts->slots, sizeof *splitter->renamed);
    unmap(splitter->slots, splitter->slot_limit, sizeof *splitter->slots);
}

/* ---- who works in which lane ---- */

/* @return false: the threads of some operations are not known. */
static bool find_lives(struct splitter *splitter)
{
    struct replay_runs runs = { 0 };
    uint64_t at = 0;
    while (replay_runs_next(&runs, splitter->script)) {
        struct split_life *life = &splitter->lives[runs.thread];
        if (!life->count) {
            life->first = at;
            splitter->order[splitter->count++] = runs.thread;
        }
        at += runs.count;
        life->last = at - 1;
        life->count += runs.count;
    }
    return at == splitter->script->facts.ops && splitter->count > 1;
}

/* The lane that has ended last before `at`; else a new one, or NULL when there are enough. */
static struct split_lane *find_lane(struct splitter *splitter, uint64_t at)
{
    struct split_lane *best = NULL;
    for (size_t i = 0; i < splitter->lane_count; i++) {
        struct split_lane *lane = &splitter->lanes[i];
        if (lane->end < at && (!best || lane->end > best->end))
            best = lane;
    }
    if (best || splitter->lane_count == REPLAY_MOST_LANES)
        return best;
    best = &splitter->lanes[splitter->lane_count++];
    best->oldest = best->newest = NO_SLOT;
    return best;
}

static struct split_lane *find_first_to_end(struct splitter *splitter)
{
    struct split_lane *first = splitter->lanes;
    for (size_t i = 1; i < splitter->lane_count; i++)
        if (splitter->lanes[i].end < first->end)
            first = &splitter->lanes[i];
    return first;
}

/* Finds a lane for a thread, and makes a part of it or adds it to the one that it overlaps. */
static void place_thread(struct splitter *splitter, uint32_t thread)
{
    struct split_life *life = &splitter->lives[thread];
    struct split_lane *lane = find_lane(splitter, life->first);
    bool shares = lane == NULL;
    if (shares)
        lane = find_first_to_end(splitter);
    if (!shares) {
        lane->part = (uint32_t)splitter->part_count++;
        splitter->parts[lane->part] =
            (struct replay_part){ .lane = (uint32_t)(lane - splitter->lanes), .thread = thread };
    }
    life->part = lane->part;
    lane->count += life->count;
    if (!shares || life->last > lane->end)
        lane->end = life->last;
}

/* Each lane gets room for all that it may have. @return false: there is no memory. */
static bool place_lanes(struct splitter *splitter)
{
    struct replay_script *script = splitter->script;
    splitter->parts = array_reserve(&script->part_array, splitter->count, sizeof *splitter->parts);
    if (!splitter->parts)
        return false;
    for (size_t i = 0; i < splitter->count; i++)
        place_thread(splitter, splitter->order[i]);
    uint64_t items = 0;
    for (size_t i = 0; i < splitter->lane_count; i++) {
        splitter->lanes[i].next = items;
        items += ITEMS_PER_OP * splitter->lanes[i].count;
    }
    script->facts.lane_items = items;
    splitter->items = array_reserve(&script->lane_array, items, sizeof *splitter->items);
    return splitter->items != NULL;
}

/* ---- slots ---- */

static bool take_fresh(struct splitter *splitter, struct split_lane *lane)
{
    if (lane->fresh == lane->fresh_end) {
        if (splitter->slot_count + SLOTS_AT_ONCE > splitter->slot_limit)
            return false;
        lane->fresh = (uint32_t)splitter->slot_count;
        splitter->slot_count += SLOTS_AT_ONCE;
        lane->fresh_end = (uint32_t)splitter->slot_count;
    }
    return true;
}

/* Another lane's free slots become this one's. */
static void take_from_others(struct splitter *splitter, struct split_lane *lane)
{
    for (size_t i = 0; i < splitter->lane_count; i++) {
        struct split_lane *other = &splitter->lanes[i];
        if (other->oldest == NO_SLOT)
            continue;
        lane->oldest = other->oldest;
        lane->newest = other->newest;
        other->oldest = other->newest = NO_SLOT;
        return;
    }
}

/* A slot that has no block: the one that the lane has had free for longest, a new one, or another
 * lane's. There is one, for there are more slots than blocks are ever live and lanes hold back. */
static uint32_t take_free_slot(struct splitter *splitter, struct split_lane *lane)
{
    if (lane->oldest == NO_SLOT) {
        if (take_fresh(splitter, lane))
            return lane->fresh++;
        take_from_others(splitter, lane);
    }
    uint32_t slot = lane->oldest;
    lane->oldest = splitter->slots[slot].next;
    if (lane->oldest == NO_SLOT)
        lane->newest = NO_SLOT;
    return slot;
}

static void free_slot(struct splitter *splitter, struct split_lane *lane, uint32_t slot)
{
    splitter->slots[slot].next = NO_SLOT;
    if (lane->newest == NO_SLOT)
        lane->oldest = slot;
    else
        splitter->slots[lane->newest].next = slot;
    lane->newest = slot;
}

/* ---- operations ---- */

static void put_item(
    struct splitter *splitter, struct split_lane *lane, uint32_t slot, uint32_t what)
{
    struct replay_part *part = &splitter->parts[lane->part];
    if (!part->count++)
        part->first = lane->next;
    splitter->items[lane->next++] = (struct replay_op){ slot, what };
}

static void put_mark(
    struct splitter *splitter, struct split_lane *lane, uint32_t slot, uint32_t what)
{
    put_item(splitter, lane, slot, REPLAY_MARK << REPLAY_VERB_SHIFT | what);
}

/* The slot was used last by another lane, which is to hand it over. */
static void cross(struct splitter *splitter, struct split_lane *lane, uint32_t index)
{
    struct split_slot *slot = &splitter->slots[index];
    splitter->items[slot->last].slot |= REPLAY_HANDS_OVER;
    put_mark(splitter, lane, index, ++slot->turn & REPLAY_SIZE_MASK);
    splitter->script->facts.crossings++;
}

static void put_op(struct splitter *splitter, struct split_lane *lane, struct replay_op op)
{
    enum replay_verb verb = replay_op_verb(op);
    uint32_t index = splitter->renamed[op.slot];
    uint32_t number = (uint32_t)(lane - splitter->lanes);
    if (verb == REPLAY_ALLOC)
        index = splitter->renamed[op.slot] = take_free_slot(splitter, lane);
    struct split_slot *slot = &splitter->slots[index];
    if (slot->used && slot->lane != number)
        cross(splitter, lane, index);
    slot->used = true;
    slot->lane = number;
    slot->last = lane->next;
    put_item(splitter, lane, index, op.what);
    splitter->parts[lane->part].ops++;
    if (verb == REPLAY_DEALLOC)
        free_slot(splitter, lane, index);
}

static void put_run(struct splitter *splitter, const struct replay_runs *run, uint64_t first)
{
    const struct replay_op *ops = splitter->script->op_array.items;
    uint32_t part = splitter->lives[run->thread].part;
    struct split_lane *lane = &splitter->lanes[splitter->parts[part].lane];
    lane->part = part;
    for (uint64_t at = first; at < first + run->count; at++) {
        uint32_t stretch = (uint32_t)(at / splitter->stretch) + 1;
        if (stretch != lane->stretch || !splitter->parts[part].count)
            put_mark(splitter, lane, stretch, REPLAY_WIDE);
        lane->stretch = stretch;
        put_op(splitter, lane, ops[at]);
    }
}

static void put_all(struct splitter *splitter)
{
    struct replay_runs runs = { 0 };
    uint64_t at = 0;
    while (replay_runs_next(&runs, splitter->script)) {
        put_run(splitter, &runs, at);
        at += runs.count;
    }
}

/* ---- all of it ---- */

static void set_limits(struct splitter *splitter)
{
    const struct replay_facts *facts = &splitter->script->facts;
    uint64_t stretch = facts->peak_blocks / STRETCH_PART;
    splitter->stretch = stretch < LEAST_STRETCH  ? LEAST_STRETCH
                        : stretch > MOST_STRETCH ? MOST_STRETCH
                                                 : stretch;
    splitter->slot_limit =
        TIMES_LIVE * facts->peak_blocks + SLOTS_MORE + 2 * SLOTS_AT_ONCE * REPLAY_MOST_LANES;
}

void replay_split(struct replay_script *script)
{
    struct splitter splitter = { .script = script };
    struct replay_facts *facts = &script->facts;
    if (facts->threads < 2 || facts->streamed || !facts->run_bytes ||
        facts->ops > UINT32_MAX / ITEMS_PER_OP)
        return;
    set_limits(&splitter);
    if (splitter.slot_limit < REPLAY_HANDS_OVER && open_splitter(&splitter) &&
        find_lives(&splitter) && place_lanes(&splitter)) {
        put_all(&splitter);
        facts->lanes = (uint32_t)splitter.lane_count;
        facts->parts = (uint32_t)splitter.part_count;
        facts->lane_slots = splitter.slot_count;
    }
    close_splitter(&splitter);
}
