/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "replay/split.h"

#include "replay/runs.h"

#include <sys/mman.h>
#include <unistd.h>

/* New slots are taken by the dozen, so that two sequences do not write to one cache line. */
#define SLOTS_AT_ONCE 16u
/* A sequence takes slots that others have freed when there are this many times the most live
 * blocks, and so many more: their last use is long past then, and nobody waits. */
#define TIMES_LIVE 2u
#define SLOTS_MORE 4096u
/* Operations of an epoch: a part of the most live blocks, within bounds. */
#define EPOCH_PART 4u
#define LEAST_EPOCH 256u
#define MOST_EPOCH 4096u
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
    uint64_t last;     /* the item that used it last */
    uint32_t sequence; /* of that */
    uint32_t turn;     /* times it was handed over */
    uint32_t next;     /* among the free slots of a sequence */
    bool used;
};

struct split_sequence {
    uint64_t end;              /* recorded index of its last operation */
    uint64_t count;            /* of its operations */
    uint64_t next;             /* its next item */
    uint32_t oldest, newest;   /* its free slots; NO_SLOT: none */
    uint32_t fresh, fresh_end; /* slots that it has taken and not used */
    uint32_t epoch;            /* of its last operation */
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
    struct split_sequence sequences[REPLAY_MOST_SEQUENCES];
    size_t sequence_count;
    uint32_t *renamed; /* by slot: the new one of its block */
    struct split_slot *slots;
    uint64_t slot_count, slot_limit;
    uint64_t epoch;
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

/* ---- who works in which sequence ---- */

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

/* The sequence that has ended last before `at`; else a new one, or NULL when there are enough. */
static struct split_sequence *find_sequence(struct splitter *splitter, uint64_t at)
{
    struct split_sequence *best = NULL;
    for (size_t i = 0; i < splitter->sequence_count; i++) {
        struct split_sequence *sequence = &splitter->sequences[i];
        if (sequence->end < at && (!best || sequence->end > best->end))
            best = sequence;
    }
    if (best || splitter->sequence_count == REPLAY_MOST_SEQUENCES)
        return best;
    best = &splitter->sequences[splitter->sequence_count++];
    best->oldest = best->newest = NO_SLOT;
    return best;
}

static struct split_sequence *find_first_to_end(struct splitter *splitter)
{
    struct split_sequence *first = splitter->sequences;
    for (size_t i = 1; i < splitter->sequence_count; i++)
        if (splitter->sequences[i].end < first->end)
            first = &splitter->sequences[i];
    return first;
}

/* Finds a sequence for a thread, and makes a part of it or adds it to the one that it overlaps. */
static void place_thread(struct splitter *splitter, uint32_t thread)
{
    struct split_life *life = &splitter->lives[thread];
    struct split_sequence *sequence = find_sequence(splitter, life->first);
    bool shares = sequence == NULL;
    if (shares)
        sequence = find_first_to_end(splitter);
    if (!shares) {
        sequence->part = (uint32_t)splitter->part_count++;
        splitter->parts[sequence->part] =
            (struct replay_part){ .sequence = (uint32_t)(sequence - splitter->sequences),
                .thread = thread };
    }
    life->part = sequence->part;
    sequence->count += life->count;
    if (!shares || life->last > sequence->end)
        sequence->end = life->last;
}

/* Each sequence gets room for all that it may have. @return false: there is no memory. */
static bool place_sequences(struct splitter *splitter)
{
    struct replay_script *script = splitter->script;
    splitter->parts = array_reserve(&script->part_array, splitter->count, sizeof *splitter->parts);
    if (!splitter->parts)
        return false;
    for (size_t i = 0; i < splitter->count; i++)
        place_thread(splitter, splitter->order[i]);
    uint64_t items = 0;
    for (size_t i = 0; i < splitter->sequence_count; i++) {
        splitter->sequences[i].next = items;
        items += ITEMS_PER_OP * splitter->sequences[i].count;
    }
    script->facts.sequence_items = items;
    splitter->items = array_reserve(&script->sequence_array, items, sizeof *splitter->items);
    return splitter->items != NULL;
}

/* ---- slots ---- */

static bool take_fresh(struct splitter *splitter, struct split_sequence *sequence)
{
    if (sequence->fresh == sequence->fresh_end) {
        if (splitter->slot_count + SLOTS_AT_ONCE > splitter->slot_limit)
            return false;
        sequence->fresh = (uint32_t)splitter->slot_count;
        splitter->slot_count += SLOTS_AT_ONCE;
        sequence->fresh_end = (uint32_t)splitter->slot_count;
    }
    return true;
}

/* Another sequence's free slots become this one's. */
static void take_from_others(struct splitter *splitter, struct split_sequence *sequence)
{
    for (size_t i = 0; i < splitter->sequence_count; i++) {
        struct split_sequence *other = &splitter->sequences[i];
        if (other->oldest == NO_SLOT)
            continue;
        sequence->oldest = other->oldest;
        sequence->newest = other->newest;
        other->oldest = other->newest = NO_SLOT;
        return;
    }
}

/* A slot that has no block: the one that the sequence has had free for longest, a new one, or
 * another sequence's. There is one, for there are more slots than blocks are ever live and
 * sequences hold back. */
static uint32_t take_free_slot(struct splitter *splitter, struct split_sequence *sequence)
{
    if (sequence->oldest == NO_SLOT) {
        if (take_fresh(splitter, sequence))
            return sequence->fresh++;
        take_from_others(splitter, sequence);
    }
    uint32_t slot = sequence->oldest;
    sequence->oldest = splitter->slots[slot].next;
    if (sequence->oldest == NO_SLOT)
        sequence->newest = NO_SLOT;
    return slot;
}

static void free_slot(struct splitter *splitter, struct split_sequence *sequence, uint32_t slot)
{
    splitter->slots[slot].next = NO_SLOT;
    if (sequence->newest == NO_SLOT)
        sequence->oldest = slot;
    else
        splitter->slots[sequence->newest].next = slot;
    sequence->newest = slot;
}

/* ---- operations ---- */

static void put_item(
    struct splitter *splitter, struct split_sequence *sequence, uint32_t slot, uint32_t what)
{
    struct replay_part *part = &splitter->parts[sequence->part];
    if (!part->count++)
        part->first = sequence->next;
    splitter->items[sequence->next++] = (struct replay_op){ slot, what };
}

static void put_mark(
    struct splitter *splitter, struct split_sequence *sequence, uint32_t slot, uint32_t what)
{
    put_item(splitter, sequence, slot, REPLAY_MARK << REPLAY_VERB_SHIFT | what);
}

/* The slot was used last by another sequence, which is to hand it over. */
static void cross(struct splitter *splitter, struct split_sequence *sequence, uint32_t index)
{
    struct split_slot *slot = &splitter->slots[index];
    splitter->items[slot->last].slot |= REPLAY_HANDS_OVER;
    put_mark(splitter, sequence, index, ++slot->turn & REPLAY_SIZE_MASK);
    splitter->script->facts.crossings++;
}

static void put_op(struct splitter *splitter, struct split_sequence *sequence, struct replay_op op)
{
    enum replay_verb verb = replay_op_verb(op);
    uint32_t index = splitter->renamed[op.slot];
    uint32_t number = (uint32_t)(sequence - splitter->sequences);
    if (verb == REPLAY_ALLOC)
        index = splitter->renamed[op.slot] = take_free_slot(splitter, sequence);
    struct split_slot *slot = &splitter->slots[index];
    if (slot->used && slot->sequence != number)
        cross(splitter, sequence, index);
    slot->used = true;
    slot->sequence = number;
    slot->last = sequence->next;
    put_item(splitter, sequence, index, op.what);
    splitter->parts[sequence->part].ops++;
    if (verb == REPLAY_DEALLOC)
        free_slot(splitter, sequence, index);
}

static void put_run(struct splitter *splitter, const struct replay_runs *run, uint64_t first)
{
    const struct replay_op *ops = splitter->script->op_array.items;
    uint32_t part = splitter->lives[run->thread].part;
    struct split_sequence *sequence = &splitter->sequences[splitter->parts[part].sequence];
    sequence->part = part;
    for (uint64_t at = first; at < first + run->count; at++) {
        uint32_t epoch = (uint32_t)(at / splitter->epoch) + 1;
        if (epoch != sequence->epoch || !splitter->parts[part].count)
            put_mark(splitter, sequence, epoch, REPLAY_WIDE);
        sequence->epoch = epoch;
        put_op(splitter, sequence, ops[at]);
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
    uint64_t epoch = facts->peak_blocks / EPOCH_PART;
    splitter->epoch = epoch < LEAST_EPOCH ? LEAST_EPOCH : epoch > MOST_EPOCH ? MOST_EPOCH : epoch;
    splitter->slot_limit =
        TIMES_LIVE * facts->peak_blocks + SLOTS_MORE + 2 * SLOTS_AT_ONCE * REPLAY_MOST_SEQUENCES;
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
        find_lives(&splitter) && place_sequences(&splitter)) {
        put_all(&splitter);
        facts->sequences = (uint32_t)splitter.sequence_count;
        facts->parts = (uint32_t)splitter.part_count;
        facts->sequence_slots = splitter.slot_count;
    }
    close_splitter(&splitter);
}
