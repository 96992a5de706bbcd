/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Builds scripts. */
#ifndef BENCH_BUILDER_H
#define BENCH_BUILDER_H

#include "replay/script.h"

/* Appends operations to a script. It keeps which slots are full, so a workload only names slots,
 * and any workload can be truncated and still be well formed. */
struct bench_builder {
    struct replay_script *script;
    uint64_t *live; /* bytes in each slot, 0: empty */
    uint8_t *aligns;
    size_t slots, slots_room;
    bool failed;
};

/* Opens the script, which the builder fills. */
void bench_builder_open(struct bench_builder *builder, struct replay_script *script);

/* Bytes in the slot; 0 when it is empty. */
uint64_t bench_live(const struct bench_builder *builder, size_t slot);

/* Fills an empty slot: `size` bytes, at least 1. */
void bench_alloc(struct bench_builder *builder, size_t slot, size_t size, unsigned align_log2);

/* Empties a full slot. */
void bench_dealloc(struct bench_builder *builder, size_t slot);

/* Resizes the block in a full slot. */
void bench_realloc(struct bench_builder *builder, size_t slot, size_t size);

/* Fills the slot when empty, with a plain block; empties it when full. */
void bench_toggle(struct bench_builder *builder, size_t slot, size_t size);

/* The operations so far only prepare the measured ones. */
void bench_mark_warm(struct bench_builder *builder);

/* Frees every block that is live. */
void bench_free_all(struct bench_builder *builder);

/* Frees every block that is live and ends the script, ready to be measured. False: memory ran out
 * at any time; the script is closed. */
bool bench_builder_close(struct bench_builder *builder);

#endif
