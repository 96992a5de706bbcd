/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Every reachable state of a tiny pool: breadth first from the empty one, every operation tried
 * from every state, bad calls included, each beside the oracle.
 *
 * A state is all bytes of the allocator and of its memory, but for what has no meaning: contents
 * of live blocks, free bytes that the allocator does not use, counters. Different paths to the same
 * bytes are one state, so that this goes far deeper than all sequences of a given length.
 *
 * Where no live block starts, a verb that takes a pointer and a size is tried with the least and
 * the largest size only: which sizes fit is asked of live blocks.
 *
 * usage: exhaustive.states [quick|full|soak|BACKEND]
 * The backend may be a broken one.
 */
#include "exhaustive/store.h"
#include "support/model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    ARENA = 4096,
    MOST_OPS = 16384,
    REGIONS = 2,
    MOST_PARTS = 64,
    MOST_SELF = 16 << 10,
    MARGIN = 64 /* bytes after the regions that no refused call may change */
};

enum tier { QUICK, FULL, SOAK };

/* A tiny pool: so many smallest blocks in each of the regions, which adjoin. */
struct scope {
    const char *name;
    size_t units[REGIONS];
    bool regions_come_and_go;
    enum tier tier; /* the one in which it is searched */
};

static const struct scope scopes[] = {
    { "one region of 6 blocks", { 6, 0 }, false, QUICK },
    { "two adjoining regions of 2 and 2 blocks", { 2, 2 }, true, QUICK },
    { "one region of 7 blocks", { 7, 0 }, false, FULL },
    { "two adjoining regions of 3 and 3 blocks", { 3, 3 }, true, FULL },
    { "one region of 8 blocks", { 8, 0 }, false, SOAK },
    { "two adjoining regions of 4 and 3 blocks", { 4, 3 }, true, SOAK },
};

/* States after which a scope is left unfinished, and says so. */
static size_t most_states = 10000;
static enum tier tier;

/* Operations after which a search ends. */
static size_t most_transitions = 2000000;

struct part {
    const struct acre_subject *backend;
    const struct scope *scope;
    char name[128];
};

/* An operation to try from every state, or from those alone where a block starts at its address. */
struct attempt {
    struct op op;
    bool live_only;
};

struct search {
    struct fixture fixture;
    struct model model;
    struct store store;
    uint64_t *image; /* state, both regions' bytes, and which regions are there */
    size_t self_words;
    size_t offsets[REGIONS];
    size_t sizes[REGIONS];
    struct attempt attempts[MOST_OPS];
    size_t attempt_count;
    size_t transitions;
};

static size_t words_of(size_t bytes)
{
    return (bytes + sizeof(uint64_t) - 1) / sizeof(uint64_t);
}

/* ---- the scope ---- */

static size_t least_region(struct fixture *fixture, size_t offset, size_t available)
{
    for (size_t size = 1; size < ARENA - offset; size++) {
        if (acre_init(fixture->base, fixture->arena.base + offset, size) == ACRE_OK &&
            acre_stats(fixture->base).available >= available)
            return size;
    }
    fail_msg("no region of %zu bytes holds %zu", (size_t)ARENA, available);
    return 0;
}

static size_t smallest_block(struct fixture *fixture)
{
    assert_int_equal(acre_init(fixture->base, fixture->arena.base, ARENA), ACRE_OK);
    assert_int_equal(acre_alloc(fixture->bytes, acre_layout(1, 1)).status, ACRE_OK);
    return acre_stats(fixture->base).used;
}

static void lay_out(struct search *search, const struct scope *scope)
{
    size_t unit = smallest_block(&search->fixture);
    size_t offset = 0;
    for (size_t i = 0; i < REGIONS; i++) {
        search->offsets[i] = offset;
        search->sizes[i] = scope->units[i] == 0
                               ? 0
                               : least_region(&search->fixture, offset, scope->units[i] * unit);
        offset += search->sizes[i];
    }
}

/* ---- the operations tried from every state ---- */

static void add_attempt(struct search *search, struct op op, bool live_only)
{
    assert_true(search->attempt_count < MOST_OPS);
    search->attempts[search->attempt_count++] = (struct attempt){ op, live_only };
}

static void add_op(struct search *search, struct op op)
{
    add_attempt(search, op, false);
}

static void add_allocs(struct search *search, size_t span)
{
    static const uint64_t aligns[] = { 1, 32, 128 };
    for (size_t i = 0; i < sizeof aligns / sizeof aligns[0]; i++) {
        for (size_t size = 0; size <= span; size += 8)
            add_op(
                search, (struct op){ .verb = OP_ALLOC, .size = (int64_t)size, .align = aligns[i] });
    }
    add_op(search, (struct op){ .verb = OP_ALLOC, .size = 1, .align = 3 });
    add_op(search, (struct op){ .verb = OP_ALLOC, .base = BASE_MAX, .align = 1 });
    add_op(search, (struct op){ .verb = OP_ALLOC, .base = BASE_LARGEST, .align = 1 });
    add_op(search, (struct op){ .verb = OP_ALLOC, .base = BASE_LARGEST, .size = 1, .align = 1 });
}

/* Verbs that take a pointer, at one address. */
static void add_calls_at(struct search *search, size_t at, size_t span)
{
    struct op op = { .place = PLACE_ARENA, .offset = (int64_t)at, .align = 1 };
    op.verb = OP_FREE;
    add_op(search, op);
    op.verb = OP_USABLE;
    add_op(search, op);
    if (at % 8 != 0)
        return;
    op.verb = OP_FREE_SIZED;
    op.base = BASE_ASKED;
    add_op(search, op);
    op.base = BASE_USABLE;
    op.size = 1;
    add_op(search, op);
    for (op.base = BASE_ZERO, op.size = 0; op.size <= (int64_t)span; op.size += 16) {
        bool live_only = op.size != 0 && op.size + 16 <= (int64_t)span;
        op.verb = OP_RESIZE;
        op.align = 1;
        add_attempt(search, op, live_only);
        op.verb = OP_REALLOC;
        op.align = op.size % 32 == 0 ? 1 : 32;
        add_attempt(search, op, live_only);
    }
}

static void add_region_calls(struct search *search)
{
    for (size_t i = 0; i < REGIONS; i++) {
        struct op op = { .verb = OP_ADD, .place = PLACE_ARENA, .align = 1 };
        op.offset = (int64_t)search->offsets[i];
        op.size = (int64_t)search->sizes[i];
        add_op(search, op);
        op.verb = OP_REMOVE;
        add_op(search, op);
        op.offset += 1;
        add_op(search, op);
    }
}

static void list_ops(struct search *search, const struct scope *scope)
{
    size_t span = search->sizes[0] + search->sizes[1];
    add_allocs(search, span);
    for (size_t at = 0; at <= span; at += 4)
        add_calls_at(search, at, span);
    add_op(search, (struct op){ .verb = OP_RESET });
    if (scope->regions_come_and_go)
        add_region_calls(search);
}

/* ---- states to images and back ---- */

static unsigned char *region_bytes(const struct search *search, size_t i)
{
    return search->fixture.arena.base + search->offsets[i];
}

static bool blank(void *arg, void *start, size_t size, bool live)
{
    const struct acre_subject *backend = arg;
    size_t first = live ? 0 : backend->links;
    size_t last = live ? size : size - backend->foot;
    if (first < last)
        memset((unsigned char *)start + first, 0, last - first);
    return true;
}

static bool region_is_there(const struct search *search, size_t i)
{
    for (size_t at = 0; at < search->model.region_count; at++) {
        if (search->model.regions[at].start == region_bytes(search, i))
            return search->sizes[i] != 0;
    }
    return false;
}

static void write_image(struct search *search)
{
    size_t span = search->sizes[0] + search->sizes[1];
    unsigned char *image = (unsigned char *)search->image;
    uint64_t there = 0;
    acre_walk(search->fixture.bytes, blank, (void *)(uintptr_t)search->fixture.backend);
    search->fixture.backend->normalize(search->fixture.self);
    for (size_t i = 0; i < REGIONS; i++) {
        bool is = region_is_there(search, i);
        there |= (uint64_t)is << i;
        if (!is)
            memset(region_bytes(search, i), 0, search->sizes[i]);
    }
    memset(image, 0, search->store.words * sizeof(uint64_t));
    memcpy(image, search->fixture.self, search->fixture.backend->self_size);
    memcpy(search->image + search->self_words, search->fixture.arena.base, span);
    search->image[search->store.words - 1] = there;
}

static bool enter_block(void *arg, void *start, size_t size, bool live)
{
    struct model *model = arg;
    if (live) {
        struct model_block *block = &model->blocks[model_above(model, start)];
        size_t tail = (size_t)(&model->blocks[model->block_count] - block);
        memmove(block + 1, block, tail * sizeof *block);
        *block = (struct model_block){ start, size, 1, size, 0 };
        model->block_count++;
        model_stamp(model, block);
    }
    return true;
}

static void read_image(struct search *search, size_t index)
{
    size_t span = search->sizes[0] + search->sizes[1];
    store_get(&search->store, index, search->image);
    memcpy(search->fixture.self, search->image, search->fixture.backend->self_size);
    memcpy(search->fixture.arena.base, search->image + search->self_words, span);
    model_adopt(&search->model, &search->fixture);
    uint64_t there = search->image[search->store.words - 1];
    for (size_t i = 0; i < REGIONS; i++) {
        if (there >> i & 1)
            search->model.regions[search->model.region_count++] =
                (struct model_region){ region_bytes(search, i), search->sizes[i] };
    }
    acre_walk(search->fixture.bytes, enter_block, &search->model);
}

/* ---- the search ---- */

static void open_search(struct search *search, const struct part *part)
{
    memset(search, 0, sizeof *search);
    fixture_open(&search->fixture, part->backend, ARENA, ARENA);
    lay_out(search, part->scope);
    list_ops(search, part->scope);
    search->fixture.watched = search->sizes[0] + search->sizes[1] + MARGIN;
    assert_true(search->fixture.watched < ARENA);
    search->self_words = words_of(part->backend->self_size);
    size_t words = search->self_words + words_of(search->sizes[0] + search->sizes[1]) + 1;
    store_open(&search->store, words);
    search->image = calloc(words, sizeof *search->image);
    assert_non_null(search->image);
}

static void close_search(struct search *search)
{
    store_close(&search->store);
    free(search->image);
    fixture_close(&search->fixture);
}

static void start(struct search *search)
{
    memset(search->fixture.arena.base, 0, ARENA);
    memset(search->fixture.self, 0, search->fixture.backend->self_size);
    search->fixture.bytes = search->fixture.backend->bind(search->fixture.self);
    memset(&search->model, 0, sizeof search->model);
    search->model.fixture = &search->fixture;
    struct op op = { .verb = OP_INIT, .place = PLACE_ARENA, .align = 1 };
    op.size = (int64_t)search->sizes[0];
    assert_true(model_apply(&search->model, &op));
    write_image(search);
    store_add(&search->store, search->image);
}

static void fail_at(struct search *search, size_t state, const struct op *op)
{
    char text[OP_TEXT];
    op_print(text, op);
    print_error(
        "state %zu, %s: %s\nthe state's live blocks:\n", state, text, search->model.failure);
    read_image(search, state);
    for (size_t i = 0; i < search->model.block_count; i++)
        print_error("  a+%td, %zu bytes\n",
            search->model.blocks[i].start - search->fixture.arena.base,
            search->model.blocks[i].usable);
    fail();
}

static bool is_left_out(struct search *search, const struct attempt *attempt)
{
    const unsigned char *at = search->fixture.arena.base + attempt->op.offset;
    return attempt->live_only && model_find(&search->model, at) == NULL;
}

/* No operation has written past the margin. */
static void assert_rest_is_blank(const struct search *search)
{
    static const unsigned char zeros[ARENA];
    size_t watched = search->fixture.watched;
    assert_memory_equal(search->fixture.arena.base + watched, zeros, ARENA - watched);
}

/* A refused call was proven to change nothing, so that the next one starts from the same state. */
static void try_all(struct search *search, size_t state)
{
    bool there = false;
    for (size_t i = 0; i < search->attempt_count; i++) {
        const struct op *op = &search->attempts[i].op;
        if (!there)
            read_image(search, state);
        there = true;
        if (is_left_out(search, &search->attempts[i]))
            continue;
        if (!model_apply(&search->model, op))
            fail_at(search, state, op);
        search->transitions++;
        there = !search->model.changed;
        if (there)
            continue;
        write_image(search);
        if (search->store.count < most_states)
            store_add(&search->store, search->image);
    }
    assert_rest_is_blank(search);
}

static void every_state(void **state)
{
    const struct part *part = *state;
    if ((part->backend->caps & ACRE_SUBJECT_SCRUB) == 0) {
        print_message("%s: which of its free bytes have a meaning is not known\n", part->name);
        skip();
    }
    if (part->backend->region_enough > ARENA) {
        print_message("%s: its smallest regions are too large to be searched\n", part->name);
        skip();
    }
    if (part->backend->self_size > MOST_SELF) {
        print_message("%s: its state is too large to be copied that often\n", part->name);
        skip();
    }
    struct search *search = malloc(sizeof *search);
    assert_non_null(search);
    open_search(search, part);
    start(search);
    size_t done = 0;
    for (; done < search->store.count && search->transitions < most_transitions; done++)
        try_all(search, done);
    bool all = done == search->store.count && done < most_states;
    assert_in_range(done, 20, most_states);
    print_message("%s: %zu states, %zu operations, %s\n", part->name, done, search->transitions,
        all ? "all that can be reached" : "the first that are reached");
    close_search(search);
    free(search);
}

static struct part parts[MOST_PARTS];
static struct CMUnitTest tests[MOST_PARTS];
static size_t count;

static void add_backend(const struct acre_subject *backend)
{
    for (size_t i = 0; i < sizeof scopes / sizeof scopes[0]; i++) {
        if (scopes[i].tier != tier)
            continue;
        struct part *part = &parts[count];
        part->backend = backend;
        part->scope = &scopes[i];
        snprintf(part->name, sizeof part->name, "%s: %s", backend->name, scopes[i].name);
        tests[count++] = (struct CMUnitTest){ part->name, every_state, NULL, NULL, part };
    }
}

int main(int argc, char **argv)
{
    const struct acre_subject *only = argc == 2 ? backend_find(argv[1]) : NULL;
    if (argc == 2)
        tier = strcmp(argv[1], "soak") == 0 ? SOAK : strcmp(argv[1], "full") == 0 ? FULL : QUICK;
    most_states = tier != QUICK ? 20000 : most_states;
    most_transitions = tier != QUICK ? 4000000 : most_transitions;
    const char *states = getenv("ACRE_STATES"); /* where each takes long */
    if (states != NULL)
        most_states = strtoul(states, NULL, 10);
    if (only != NULL)
        add_backend(only);
    for (size_t i = 0; only == NULL && backends[i] != NULL; i++)
        add_backend(backends[i]);
    for (size_t i = 0; only == NULL && tiny_backends[i] != NULL; i++)
        add_backend(tiny_backends[i]);
    int failed = _cmocka_run_group_tests("exhaustive", tests, count, NULL, NULL);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
