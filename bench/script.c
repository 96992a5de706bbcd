/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "script.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const unsigned plain_log2 = 3;
_Static_assert(BENCH_PLAIN_ALIGN == 1u << 3, "plain_log2 says the same");

void bench_builder_init(struct bench_builder *builder)
{
    *builder = (struct bench_builder){ 0 };
}

void bench_builder_free(struct bench_builder *builder)
{
    free(builder->ops);
    free(builder->olds);
    free(builder->hows);
    free(builder->live);
    free(builder->aligns);
    bench_builder_init(builder);
}

static bool grow(void *array, size_t count, size_t size)
{
    void *old, *grown;
    memcpy(&old, array, sizeof old);
    grown = realloc(old, count * size);
    if (grown)
        memcpy(array, &grown, sizeof grown);
    return grown != NULL;
}

static bool reserve_op(struct bench_builder *builder)
{
    if (builder->count < builder->room)
        return true;
    size_t room = builder->room ? builder->room * 2 : 1024;
    builder->failed |= !grow(&builder->ops, room, sizeof *builder->ops) ||
                       !grow(&builder->olds, room, sizeof *builder->olds) ||
                       !grow(&builder->hows, room, sizeof *builder->hows);
    if (!builder->failed)
        builder->room = room;
    return !builder->failed;
}

static bool reserve_slot(struct bench_builder *builder, size_t slot)
{
    if (slot >= builder->slots_room) {
        size_t room = (slot + 1) * 2;
        builder->failed |= !grow(&builder->live, room, sizeof *builder->live) ||
                           !grow(&builder->aligns, room, sizeof *builder->aligns);
        if (builder->failed)
            return false;
        size_t added = room - builder->slots_room;
        memset(builder->live + builder->slots_room, 0, added * sizeof *builder->live);
        builder->slots_room = room;
    }
    if (slot >= builder->slots)
        builder->slots = slot + 1;
    return !builder->failed;
}

uint32_t bench_live(const struct bench_builder *builder, size_t slot)
{
    return slot < builder->slots ? builder->live[slot] : 0;
}

/* The slot's content becomes `live` bytes. */
static void append(
    struct bench_builder *builder, size_t slot, enum bench_kind kind, uint32_t size, uint32_t live)
{
    if (!reserve_op(builder))
        return;
    size_t at = builder->count++;
    uint32_t old = builder->live[slot];
    builder->ops[at] = (struct bench_op){ (uint32_t)slot, size };
    builder->olds[at] = old;
    builder->hows[at] = bench_how_make(kind, builder->aligns[slot]);
    builder->live[slot] = live;
    builder->live_bytes += (size_t)live - old;
    if (builder->live_bytes > builder->peak)
        builder->peak = builder->live_bytes;
}

void bench_alloc(struct bench_builder *builder, size_t slot, size_t size, unsigned align_log2)
{
    if (!reserve_slot(builder, slot))
        return;
    builder->aligns[slot] = (uint8_t)align_log2;
    builder->not_plain |= align_log2 != plain_log2;
    append(builder, slot, BENCH_ALLOC, (uint32_t)size, (uint32_t)size);
}

void bench_dealloc(struct bench_builder *builder, size_t slot)
{
    if (!builder->failed)
        append(builder, slot, BENCH_DEALLOC, builder->live[slot], 0);
}

void bench_realloc(struct bench_builder *builder, size_t slot, size_t size)
{
    builder->not_plain = true;
    if (!builder->failed)
        append(builder, slot, BENCH_REALLOC, (uint32_t)size, (uint32_t)size);
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
    builder->warm = builder->count;
}

static bool write_all(int fd, const void *data, size_t size)
{
    const char *at = data;
    while (size) {
        ssize_t written = write(fd, at, size);
        if (written <= 0)
            return false;
        at += written;
        size -= (size_t)written;
    }
    return true;
}

static bool write_script(int fd, const struct bench_builder *builder, struct bench_script *script)
{
    size_t count = builder->count;
    script->old_offset = sizeof *script + count * sizeof *builder->ops;
    script->how_offset = script->old_offset + count * sizeof *builder->olds;
    return write_all(fd, script, sizeof *script) &&
           write_all(fd, builder->ops, count * sizeof *builder->ops) &&
           write_all(fd, builder->olds, count * sizeof *builder->olds) &&
           write_all(fd, builder->hows, count * sizeof *builder->hows);
}

int bench_script_share(struct bench_builder *builder, size_t *size)
{
    struct bench_script script = { .warm = builder->warm, .stop = builder->count };
    for (size_t slot = 0; slot < builder->slots; slot++)
        if (builder->live[slot])
            bench_dealloc(builder, slot);
    script.count = builder->count;
    script.slots = builder->slots;
    script.peak = builder->peak;
    script.plain = !builder->not_plain;
    int fd = builder->failed ? -1 : memfd_create("acre-bench", 0);
    if (fd < 0)
        return -1;
    if (!write_script(fd, builder, &script)) {
        close(fd);
        return -1;
    }
    *size = script.how_offset + script.count * sizeof(bench_how);
    return fd;
}

const struct bench_script *bench_script_map(int fd, size_t size)
{
    void *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    return map == MAP_FAILED ? NULL : map;
}
