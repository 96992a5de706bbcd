/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * A page allocator beside a naive oracle: one byte a page, searched page by page. Every operation
 * goes to both and must have the same outcome; after it the accounts and `check` must hold.
 */
#ifndef ACRE_TESTS_PAGES_MODEL_H
#define ACRE_TESTS_PAGES_MODEL_H

#include "support/rng.h"

#include <acre/bitmap.h>

enum { PAGES_MODEL_MAX = 8192, PAGES_MODEL_RANGES = 4 };

enum page_state { PAGE_FREE = 0, PAGE_USED = 1, PAGE_FOREIGN = 2 };

struct pages_model {
    struct acre_bitmap bitmap;
    size_t page_size;
    uintptr_t first; /* number of the page that the oracle's index 0 stands for */
    size_t span;     /* pages that the oracle looks at */
    size_t pages;    /* of them owned */
    size_t used;
    unsigned char state[PAGES_MODEL_MAX]; /* enum page_state */
    void *meta[PAGES_MODEL_RANGES];
    size_t meta_size[PAGES_MODEL_RANGES];
    size_t ranges;
};

/** Lays out 1 to 4 ranges at random, some adjoining, some far up, from a seed. */
void pages_model_start(struct pages_model *model, struct rng *rng);

/** One random operation, checked. Fails the running cmocka test, naming the operation, when the two
 * differ. */
void pages_model_step(struct pages_model *model, struct rng *rng);

/** Gives all back and checks that the first state has returned. */
void pages_model_end(struct pages_model *model);

#endif
