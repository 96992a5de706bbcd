/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Runs of operations in a child process, so that a crash or an endless loop is a result too. */
#ifndef ACRE_TESTS_SUPPORT_TRIAL_H
#define ACRE_TESTS_SUPPORT_TRIAL_H

#include "support/model.h"

enum { TRIAL_ARENA = 1 << 16 };

struct trial_limits {
    size_t arena;          /* bytes that every trial has for its regions, a power of two */
    unsigned seconds;      /* of the processor, after which a run counts as an endless loop */
    unsigned milliseconds; /* the same in finer steps, below 1000; 0: none */
    unsigned shrinking;    /* seconds on the clock for trial_shrink; 0: as long as it takes */
    bool silent;           /* what the allocator prints is dropped */
};

/* TRIAL_ARENA, and a hundred times what a sound run takes, at first. */
extern struct trial_limits trial_limits;

/* For a child that is about to run an allocator: ends it when it loops or waits, without a core
 * file, whatever handlers there were. */
void trial_limit(const struct trial_limits *limits);

/* How a process ended that did not say, as waitpid put it. */
void trial_ending(char *text, size_t room, int how);

struct trial {
    size_t done;       /* operations carried out, where the run could still tell */
    size_t left_out;   /* operations not tried; see struct model */
    char failure[256]; /* empty when every promise was kept */
};

/* Runs operations over a fresh allocator of this backend. True when every promise was kept. */
bool trial_run(
    const struct acre_subject *backend, const struct op *ops, size_t count, struct trial *trial);

/* Shrinks a failing run, whose failure is in `trial`, in place, with `trial` set to the failure of
 * what is left. Returns the number of operations left. */
size_t trial_shrink(
    const struct acre_subject *backend, struct op *ops, size_t count, struct trial *trial);

/* The operations of a seed: `count` at most, from a stream of random bytes. */
size_t trial_ops(uint64_t seed, struct op *ops, size_t count);

#endif
