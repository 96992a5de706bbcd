/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/** A known sequence of calls: the subject makes them, the test expects them in the record. */
#ifndef ACRE_TESTS_RECORD_SEQUENCE_H
#define ACRE_TESTS_RECORD_SEQUENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SEQUENCE_BLOCKS = 500,
    /** The block that is allocated before the sequence and freed after it, to find it by. */
    SEQUENCE_MARK = 123457
};

enum step_call { STEP_MALLOC, STEP_CALLOC, STEP_ALIGNED, STEP_REALLOC, STEP_FREE };

struct step {
    enum step_call call;
    unsigned block;
    size_t size;
    size_t align;
    size_t old_size;
};

struct sequence {
    uint64_t seed;
    size_t size[SEQUENCE_BLOCKS];
    bool live[SEQUENCE_BLOCKS];
};

static inline uint64_t sequence_random(struct sequence *sequence)
{
    sequence->seed ^= sequence->seed << 13;
    sequence->seed ^= sequence->seed >> 7;
    sequence->seed ^= sequence->seed << 17;
    return sequence->seed >> 11;
}

static inline struct step sequence_next(struct sequence *sequence)
{
    struct step step = { .block = (unsigned)(sequence_random(sequence) % SEQUENCE_BLOCKS) };
    const uint64_t choice = sequence_random(sequence) % 8;

    step.size = (size_t)(sequence_random(sequence) % 3000) + 1;
    step.old_size = sequence->size[step.block];
    if (!sequence->live[step.block]) {
        step.call = choice < 6 ? STEP_MALLOC : choice == 6 ? STEP_CALLOC : STEP_ALIGNED;
        step.align = step.call == STEP_ALIGNED ? (size_t)16 << sequence_random(sequence) % 8 : 0;
    } else {
        step.call = choice < 5 ? STEP_FREE : STEP_REALLOC;
    }
    sequence->live[step.block] = step.call != STEP_FREE;
    sequence->size[step.block] = step.size;
    return step;
}

#endif
