/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "builder.h"
#include "bench.h"

#include <stdlib.h>
#include <string.h>

static const unsigned plain_log2 = 3;
_Static_assert(BENCH_PLAIN_ALIGN == 1u << 3, "plain_log2 says the same");

void bench_builder_open(struct bench_builder *builder, struct replay_script *script)
{
    *builder = (struct bench_builder){ .script = script };
    builder->failed = !replay_script_open(script, SIZE_MAX);
    script->facts.align_log2 = plain_log2;
    script->facts.toggles = true;
}

static bool reserve_slot(struct bench_builder *builder, size_t slot)
{
    if (slot >= builder->slots_room && !builder->failed) {
        size_t room = (slot + 1) * 2;
        uint64_t *live = realloc(builder->live, room * sizeof *live);
        builder->live = live ? live : builder->live;
        uint8_t *aligns = realloc(builder->aligns, room);
        builder->aligns = aligns ? aligns : builder->aligns;
        builder->failed = !live || !aligns;
        if (builder->failed)
            return false;
        memset(live + builder->slots_room, 0, (room - builder->slots_room) * sizeof *live);
        builder->slots_room = room;
    }
    if (slot >= builder->slots && !builder->failed)
        builder->slots = slot + 1;
    return !builder->failed;
}

uint64_t bench_live(const struct bench_builder *builder, size_t slot)
{
    return slot < builder->slots ? builder->live[slot] : 0;
}

void bench_alloc(struct bench_builder *builder, size_t slot, size_t size, unsigned align_log2)
{
    if (!reserve_slot(builder, slot))
        return;
    builder->aligns[slot] = (uint8_t)align_log2;
    builder->live[slot] = size;
    builder->script->facts.toggles &= align_log2 == plain_log2 && size <= REPLAY_SIZE_MASK;
    builder->failed |= replay_script_alloc(builder->script, (uint32_t)slot, size,
                           UINT64_C(1) << align_log2) != NULL;
}

void bench_dealloc(struct bench_builder *builder, size_t slot)
{
    if (builder->failed)
        return;
    builder->failed |=
        replay_script_dealloc(builder->script, (uint32_t)slot, builder->live[slot]) != NULL;
    builder->live[slot] = 0;
}

void bench_realloc(struct bench_builder *builder, size_t slot, size_t size)
{
    if (builder->failed)
        return;
    builder->script->facts.toggles = false;
    builder->failed |= replay_script_realloc(builder->script, (uint32_t)slot, builder->live[slot],
                           size, UINT64_C(1) << builder->aligns[slot]) != NULL;
    builder->live[slot] = size;
}

void bench_toggle(struct bench_builder *builder, size_t slot, size_t size)
{
    if (bench_live(builder, slot))
        bench_dealloc(builder, slot);
    else
        bench_alloc(builder, slot, size, plain_log2);
}

void bench_mark_warm(struct bench_builder *builder)
{
    builder->script->facts.warm = builder->script->facts.ops;
}

void bench_free_all(struct bench_builder *builder)
{
    for (size_t slot = 0; slot < builder->slots; slot++)
        if (bench_live(builder, slot))
            bench_dealloc(builder, slot);
}

bool bench_builder_close(struct bench_builder *builder)
{
    builder->script->facts.stop = builder->script->facts.ops;
    bench_free_all(builder);
    free(builder->live);
    free(builder->aligns);
    if (builder->failed)
        replay_script_close(builder->script);
    return !builder->failed;
}
