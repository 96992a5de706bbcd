/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * A page allocator beside a naive oracle: one byte a page, searched page by page. Every operation
 * goes to both and must have the same outcome; after it the accounts and `check` must hold.
 */
#ifndef ACRE_TESTS_PAGES_MODEL_H
#define ACRE_TESTS_PAGES_MODEL_H

#include "support/rng.h"

#include <acre/bitmap.h>

/** Where a run's choices come from: a file's bytes while there are any, else random numbers. */
struct choices {
    struct rng rng;
    const unsigned char *bytes; /* null: random numbers alone */
    size_t left;
};

/** A choice in [0, bound); 0 when the bytes have run out. `bound` is not 0. */
size_t choose(struct choices *choices, size_t bound);

/** Called with a text when bitmap and oracle differ; does not return. Whoever runs the model has
 * it. */
_Noreturn void pages_model_fail(const char *text, int line);

enum { PAGES_MODEL_SPAN = 41000, PAGES_MODEL_RANGES = 4 };

enum page_state { PAGE_FREE = 0, PAGE_USED = 1, PAGE_FOREIGN = 2 };

struct pages_model {
    struct acre_bitmap bitmap;
    size_t page_size;
    uintptr_t first; /* number of the page that the oracle's index 0 stands for */
    size_t span;     /* pages that the oracle looks at */
    size_t pages;    /* of them owned */
    size_t used;
    size_t most;                           /* pages that the longest runs asked for may have */
    unsigned char state[PAGES_MODEL_SPAN]; /* enum page_state */
    void *meta[PAGES_MODEL_RANGES];
    size_t meta_size[PAGES_MODEL_RANGES];
    size_t ranges;
};

/** Lays out 1 to 4 ranges, some adjoining, some with a gap between them. */
void pages_model_start(struct pages_model *model, struct choices *choices);

/** Lays out one range of nearly PAGES_MODEL_SPAN pages, all free or all in use. */
void pages_model_start_large(struct pages_model *model, struct choices *choices);

/** One random operation, checked. Fails the running cmocka test, naming the operation, when the two
 * differ. */
void pages_model_step(struct pages_model *model, struct choices *choices);

/** Gives all back and checks that the first state has returned. */
void pages_model_end(struct pages_model *model);

#endif
