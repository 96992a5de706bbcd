/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Builds scripts. */
#ifndef BENCH_SCRIPT_H
#define BENCH_SCRIPT_H

#include "bench.h"

/* Grows as operations are appended. It keeps which slots are full, so a workload only names slots,
 * and any workload can be cut short and still be well formed. */
struct bench_builder {
    struct bench_op *ops;
    uint32_t *olds;
    bench_how *hows;
    size_t count, room;
    uint32_t *live; /* bytes in each slot, 0: empty */
    uint8_t *aligns;
    size_t slots, slots_room;
    size_t warm, live_bytes, peak;
    bool not_plain, failed;
};

void bench_builder_init(struct bench_builder *builder);
void bench_builder_free(struct bench_builder *builder);

/* Bytes in the slot; 0 when it is empty. */
uint32_t bench_live(const struct bench_builder *builder, size_t slot);

/* Fills an empty slot: `size` bytes, at least 1. */
void bench_alloc(struct bench_builder *builder, size_t slot, size_t size, unsigned align_log2);

/* Empties a full slot. */
void bench_dealloc(struct bench_builder *builder, size_t slot);

/* Resizes the block in a full slot. */
void bench_realloc(struct bench_builder *builder, size_t slot, size_t size);

/* Fills the slot when empty, with a plain block; empties it when full. */
void bench_toggle(struct bench_builder *builder, size_t slot, size_t size);

/* Everything so far only sets the stage. */
void bench_mark_warm(struct bench_builder *builder);

/*
 * Frees what is left, and puts the script into an anonymous file that jobs inherit. Returns its
 * descriptor and sets `*size`, in bytes; or returns -1 when memory ran out at any time.
 */
int bench_script_share(struct bench_builder *builder, size_t *size);

/* Maps a shared script, read-only; null when it cannot be. */
const struct bench_script *bench_script_map(int fd, size_t size);

#endif
