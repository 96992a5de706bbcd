/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "replay/visit.h"

#include <sys/mman.h>

/* Blocks read at a time, and blocks that a walk passes at most. */
#define VISITS 410u
#define WALK 256u
/* Operations whose sizes are counted at most. */
#define COUNTED_OPS (UINT64_C(1) << 20)

static void count_requests(struct replay_visitor *visitor, const struct replay_script *script)
{
    struct replay_window window = { 0 };
    if (!replay_script_next(script, &window))
        return;
    for (uint64_t i = 0; i < window.count && i < COUNTED_OPS; i++) {
        uint64_t size = replay_op_size(window.ops[i], window.wides);
        if (replay_op_verb(window.ops[i]) == REPLAY_DEALLOC || size >= REPLAY_VISIT_SIZES)
            continue;
        uint32_t requests = ++visitor->requests[size];
        visitor->most = requests > visitor->most ? requests : visitor->most;
    }
}

/* The order of allocation, of no blocks. It is not malloc's memory: that may be what is replayed. */
static void clear_order(struct replay_visitor *visitor, uint32_t slots)
{
    size_t count = (size_t)slots + 1;
    size_t size = 2 * count * sizeof *visitor->next;
    if (!visitor->next) {
        void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED)
            return;
        visitor->next = memory;
        visitor->previous = visitor->next + count;
        visitor->slots = slots;
    }
    memset(visitor->next, 0, size);
}

void replay_visitor_start(struct replay_visitor *visitor, const struct replay_script *script)
{
    if (!visitor->most)
        count_requests(visitor, script);
    visitor->random = 1;
    clear_order(visitor, (uint32_t)script->facts.slots);
}

static void follow_order(struct replay_visitor *visitor, struct replay_op op)
{
    uint32_t at = op.slot + 1;
    uint32_t *next = visitor->next;
    uint32_t *previous = visitor->previous;
    if (replay_op_verb(op) == REPLAY_ALLOC) {
        next[at] = 0;
        previous[at] = previous[0];
        next[previous[0]] = at;
        previous[0] = at;
    } else if (replay_op_verb(op) == REPLAY_DEALLOC) {
        next[previous[at]] = next[at];
        previous[next[at]] = previous[at];
    }
}

/* A number below `bound`. */
static uint32_t draw_number(struct replay_visitor *visitor, uint32_t bound)
{
    visitor->random = visitor->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((visitor->random >> 32) * bound >> 32);
}

static bool is_read(struct replay_visitor *visitor, const struct replay_slot *slot)
{
    size_t size = replay_slot_size(slot);
    uint32_t requests = size < REPLAY_VISIT_SIZES ? visitor->requests[size] : 1;
    return slot->ptr && draw_number(visitor, visitor->most + 1) <= requests;
}

static unsigned choose_blocks(
    struct replay_visitor *visitor, const struct replay_slot *slots, uintptr_t blocks[VISITS])
{
    unsigned count = 0;
    for (unsigned walks = 0; walks < VISITS && count < VISITS; walks++) {
        uint32_t at = draw_number(visitor, visitor->slots) + 1;
        if (!slots[at - 1].ptr)
            continue;
        for (unsigned i = 0; i < WALK && at && count < VISITS; i++, at = visitor->next[at])
            if (is_read(visitor, &slots[at - 1]))
                blocks[count++] = (uintptr_t)slots[at - 1].ptr;
    }
    return count;
}

uint64_t replay_visit(struct replay_visitor *visitor, const struct replay_window *part,
    const struct replay_slot *slots, uint64_t *ns)
{
    static volatile const uintptr_t nothing = 0;
    uintptr_t blocks[VISITS];
    const uintptr_t mask = nothing;
    uintptr_t chain = 0;
    if (!visitor->next)
        return 0;
    for (uint64_t i = 0; i < part->count; i++)
        follow_order(visitor, part->ops[i]);
    unsigned count = choose_blocks(visitor, slots, blocks);
    uint64_t start = acre_clock_own_ns();
    for (unsigned i = 0; i < count; i++)
        chain = *(volatile const unsigned char *)(blocks[i] + (chain & mask));
    *ns += acre_clock_own_ns() - start;
    return count;
}
