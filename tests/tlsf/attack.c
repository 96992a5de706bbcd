/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Attacks on metadata: a program writes past a block's end, or into a block that it has freed, and
 * goes on. TLSF, compiled with ACRE_HARDEN_METADATA for this test, may refuse a block or lose
 * memory. It never gives out memory that is in use, writes to a live block or outside its regions,
 * or crashes, and neither does check.
 *
 * The control allocator trusts the headers and links that it keeps beside the users' bytes: each
 * attack must break it.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/rng.h"

#include <acre/tlsf_quick.h>

enum { RUNS = 300, SLOTS = 64, STEPS = 150, REGION = 24 << 10, REGIONS = 3, CANARY = 4096 };

/* What a child process found; its exit status. */
enum verdict { SOUND, OVERLAP, LIVE_BLOCK_CHANGED, OUTSIDE_CHANGED, LOST_ALL, VERDICTS };

static const char *const verdicts[VERDICTS] = { "sound", "a block that is in use was given out",
    "a live block was written to", "memory outside the regions was written to",
    "hardly any request was served" };

struct slot {
    unsigned char *block; /* null: none */
    unsigned char *copy;
    size_t size;
    bool refused; /* the allocator does not take it back */
};

struct attacked {
    const char *name;
    size_t self_size;
    struct acre_bytes (*bind)(void *self);
};

struct attack {
    const struct attacked *backend;
    bool after_free;
};

static _Alignas(4096) unsigned char memory[2 * CANARY + REGIONS * REGION];
static unsigned char outside[4096];
static unsigned char copies[SLOTS][8192];
static struct slot slots[SLOTS];
static struct acre_bytes bytes;
static struct rng rng;

static size_t draw(size_t below)
{
    return rng_below(&rng, below);
}

static size_t draw_size(void)
{
    size_t kind = draw(8);
    return kind < 5 ? 16 + draw(240) : kind < 7 ? 256 + draw(1800) : 2048 + draw(5000);
}

/* ---- operations that are watched ---- */

/* exit(), so that a build that counts what ran keeps the counts of the child. */
static void leave(enum verdict verdict)
{
    exit((int)verdict);
}

static void fill(struct slot *slot)
{
    memset(slot->block, (int)draw(256), slot->size);
    memcpy(slot->copy, slot->block, slot->size);
}

static void take_into(struct slot *slot)
{
    size_t size = draw_size();
    unsigned char *block = acre_alloc(bytes, acre_layout(size, 1)).ptr;
    if (block == NULL)
        return;
    if (block < memory + CANARY || block + size > memory + sizeof memory - CANARY)
        leave(OVERLAP);
    for (size_t i = 0; i < SLOTS; i++)
        if (slots[i].block != NULL && block < slots[i].block + slots[i].size &&
            slots[i].block < block + size)
            leave(OVERLAP);
    slot->block = block;
    slot->size = size;
    slot->refused = false;
    fill(slot);
}

static void give(struct slot *slot)
{
    if (memcmp(slot->block, slot->copy, slot->size) != 0)
        leave(LIVE_BLOCK_CHANGED);
    if (slot->refused)
        return;
    if (acre_dealloc(bytes, slot->block) == ACRE_OK)
        slot->block = NULL;
    else
        slot->refused = true;
}

static void resize(struct slot *slot)
{
    size_t size = 16 + draw(2 * slot->size);
    if (!slot->refused && size <= sizeof copies[0] &&
        acre_resize(bytes, slot->block, size) == ACRE_OK) {
        slot->size = size;
        for (size_t i = 0; i < SLOTS; i++)
            if (&slots[i] != slot && slots[i].block != NULL &&
                slot->block < slots[i].block + slots[i].size && slots[i].block < slot->block + size)
                leave(OVERLAP);
        fill(slot);
    }
}

static void step(void)
{
    struct slot *slot = &slots[draw(SLOTS)];
    if (slot->block == NULL)
        take_into(slot);
    else if (draw(8) == 0)
        resize(slot);
    else
        give(slot);
}

/* ---- the control ---- */

enum { CONTROL_HEADER = 16 };

/* Stacks of freed blocks of powers of two bytes, linked through the blocks; a header with the size.
 */
struct control {
    unsigned char *next, *end;
    void *freed[32];
};

static unsigned control_class(size_t size)
{
    unsigned class = 4;
    while (class < 31 && (size_t)1 << class < size)
        class ++;
    return class;
}

static enum acre_status control_init(void *self, void *start, size_t size)
{
    struct control *control = self;
    control->next = start;
    control->end = control->next + size;
    return ACRE_OK;
}

static enum acre_status control_add(void *self, void *start, size_t size)
{
    struct control *control = self;
    control->end = (unsigned char *)start + size; /* the regions adjoin */
    return ACRE_OK;
}

static struct acre_check_result control_check(const void *self)
{
    (void)self;
    return (struct acre_check_result){ NULL, NULL };
}

static struct acre_stats control_stats(const void *self)
{
    (void)self;
    return (struct acre_stats){ .total = 1 };
}

static struct acre_ptr control_alloc(void *self, struct acre_layout layout)
{
    struct control *control = self;
    unsigned class = control_class(layout.size);
    size_t size = (size_t)1 << class;
    void *block = control->freed[class];
    if (block != NULL) {
        memcpy(&control->freed[class], block, sizeof(void *));
    } else {
        if ((size_t)(control->end - control->next) < size + CONTROL_HEADER)
            return (struct acre_ptr){ NULL, ACRE_NO_MEMORY };
        block = control->next + CONTROL_HEADER;
        control->next += size + CONTROL_HEADER;
    }
    memcpy((unsigned char *)block - CONTROL_HEADER, &size, sizeof size);
    return (struct acre_ptr){ block, ACRE_OK };
}

static struct acre_num control_usable(const void *self, const void *ptr)
{
    struct acre_num usable = { 0, ACRE_OK };
    (void)self;
    memcpy(&usable.num, (const unsigned char *)ptr - CONTROL_HEADER, sizeof usable.num);
    return usable;
}

static enum acre_status control_dealloc(void *self, void *ptr)
{
    struct control *control = self;
    unsigned class = control_class(control_usable(self, ptr).num);
    memcpy(ptr, &control->freed[class], sizeof(void *));
    control->freed[class] = ptr;
    return ACRE_OK;
}

static enum acre_status control_resize(void *self, void *ptr, size_t size)
{
    return size <= control_usable(self, ptr).num ? ACRE_OK : ACRE_NO_MEMORY;
}

static struct acre_bytes control_bind(void *self)
{
    static const struct acre_bytes_ops ops = {
        .base = { .init = control_init,
            .add_memory = control_add,
            .check = control_check,
            .stats = control_stats },
        .alloc = control_alloc,
        .dealloc = control_dealloc,
        .usable_size = control_usable,
        .resize = control_resize,
    };
    return (struct acre_bytes){ &ops, self };
}

static const struct attacked control = {
    .name = "control", .self_size = sizeof(struct control), .bind = control_bind
};

/* ---- attacks ---- */

static void scribble(unsigned char *at, size_t length)
{
    size_t kind = draw(3);
    for (size_t i = 0; i < length; i++)
        at[i] = kind == 0 ? (unsigned char)draw(256) : kind == 1 ? 0 : (unsigned char)draw(8) * 4;
}

/* Words that are addresses: of a live block, of memory outside, of the block itself. */
static void write_addresses(unsigned char *at, size_t length)
{
    for (size_t i = 0; i + sizeof(void *) <= length; i += sizeof(void *)) {
        const unsigned char *targets[] = { slots[draw(SLOTS)].block, outside + 16 * draw(200), at };
        memcpy(at + i, &targets[draw(3)], sizeof(void *));
    }
}

static void write_past_an_end(void)
{
    struct slot *slot = &slots[draw(SLOTS)];
    while (slot->block == NULL)
        slot = &slots[draw(SLOTS)];
    size_t usable = acre_usable_size(bytes, slot->block).num;
    size_t length = 1 + draw(64);
    if (slot->block + usable + length <= memory + sizeof memory - CANARY)
        scribble(slot->block + usable, length);
}

static void write_after_free(void)
{
    struct slot *slot = &slots[draw(SLOTS)];
    while (slot->block == NULL || slot->size < 64)
        slot = &slots[draw(SLOTS)];
    unsigned char *block = slot->block;
    size_t at = draw(2) == 0 ? 0 : draw(slot->size - 63);
    give(slot);
    if (draw(2) == 0)
        write_addresses(block + at, 8 + draw(57));
    else
        scribble(block + at, 8 + draw(57));
}

/* ---- runs ---- */

static void begin(const struct attacked *backend, void *self)
{
    memset(self, 0, backend->self_size);
    memset(memory, 0xc5, sizeof memory);
    memset(outside, 0xc5, sizeof outside);
    memset(slots, 0, sizeof slots);
    for (size_t i = 0; i < SLOTS; i++)
        slots[i].copy = copies[i];
    bytes = backend->bind(self);
    if (acre_init(acre_bytes_base(bytes), memory + CANARY, REGION) != ACRE_OK)
        leave(LOST_ALL);
    for (size_t i = 1; i < REGIONS; i++)
        if (acre_add_memory(acre_bytes_base(bytes), memory + CANARY + i * REGION, REGION) !=
            ACRE_OK)
            leave(LOST_ALL);
}

static void look_outside(void)
{
    for (size_t i = 0; i < CANARY; i++)
        if (memory[i] != 0xc5 || memory[sizeof memory - CANARY + i] != 0xc5 || outside[i] != 0xc5)
            leave(OUTSIDE_CHANGED);
}

static void run(const struct attack *attack, void *self, uint64_t seed)
{
    rng.state = seed;
    begin(attack->backend, self);
    for (size_t i = 0; i < SLOTS; i++)
        take_into(&slots[i]);
    for (size_t i = 0; i < SLOTS; i++)
        if (slots[i].block != NULL && draw(3) == 0)
            give(&slots[i]);
    if (attack->after_free)
        write_after_free();
    else
        write_past_an_end();
    for (size_t i = 0; i < SLOTS; i++)
        if (slots[i].block != NULL)
            memcpy(slots[i].copy, slots[i].block, slots[i].size);
    (void)acre_check(acre_bytes_base(bytes));
    for (size_t i = 0; i < STEPS; i++)
        step();
    (void)acre_check(acre_bytes_base(bytes));
    (void)acre_stats(acre_bytes_base(bytes));
    for (size_t i = 0; i < SLOTS; i++)
        if (slots[i].block != NULL)
            give(&slots[i]);
    look_outside();
}

/* Runs all in a child process, which may crash or hang. Returns what it found. */
static void describe(const struct attack *attack, char text[100])
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        signal(SIGBUS, SIG_DFL);
        signal(SIGABRT, SIG_DFL);
        void *self = malloc(attack->backend->self_size);
        alarm(600); /* a list in a ring */
        for (uint64_t seed = 1; seed <= RUNS && self != NULL; seed++)
            run(attack, self, seed);
        leave(self != NULL ? SOUND : LOST_ALL);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) < VERDICTS)
        snprintf(text, 100, "%s", verdicts[WEXITSTATUS(status)]);
    else
        snprintf(text, 100, "crash (status %#x)", (unsigned)status);
}

static void stays_sound(void **state)
{
    char text[100];
    describe(*state, text);
    assert_string_equal(text, verdicts[SOUND]);
}

static void is_broken(void **state)
{
    char text[100];
    describe(*state, text);
    assert_string_not_equal(text, verdicts[SOUND]);
}

static struct acre_bytes bind_tlsf(void *self)
{
    return acre_tlsf_bytes(self);
}

static struct acre_bytes bind_tlsf_quick(void *self)
{
    return acre_tlsf_quick_bytes(self);
}

static const struct attacked hardened[] = {
    { "tlsf", sizeof(struct acre_tlsf), bind_tlsf },
    { "tlsf-quick", sizeof(struct acre_tlsf_quick), bind_tlsf_quick },
};

enum { HARDENED = sizeof hardened / sizeof hardened[0], TESTS = 2 * (HARDENED + 1) + 3 };

/* ---- single writes ---- */

static struct acre_tlsf tlsf;

static unsigned char *take(size_t size)
{
    unsigned char *block = acre_tlsf_alloc(&tlsf, acre_layout(size, 1)).ptr;
    assert_non_null(block);
    return block;
}

static void begin_single(void)
{
    assert_int_equal(acre_tlsf_init(&tlsf, memory, REGION), ACRE_OK);
}

/* A refused call changes neither the allocator nor its memory. */
static void refuse(unsigned char *block, enum acre_status (*verb)(unsigned char *block))
{
    static unsigned char before[REGION];
    struct acre_tlsf was = tlsf;
    memcpy(before, memory, REGION);
    assert_int_equal(verb(block), ACRE_NOT_ALLOCATED);
    assert_memory_equal(before, memory, REGION);
    assert_memory_equal(&was, &tlsf, sizeof tlsf);
}

static enum acre_status dealloc(unsigned char *block)
{
    return acre_tlsf_dealloc(&tlsf, block);
}

static enum acre_status dealloc_sized(unsigned char *block)
{
    return acre_tlsf_dealloc_sized(&tlsf, block, acre_layout(44, 1));
}

static enum acre_status resize_up(unsigned char *block)
{
    return acre_tlsf_resize(&tlsf, block, 100);
}

static enum acre_status move(unsigned char *block)
{
    return acre_tlsf_realloc(&tlsf, block, acre_layout(500, 1)).status;
}

static enum acre_status measure(unsigned char *block)
{
    return acre_tlsf_usable_size(&tlsf, block).status;
}

static enum acre_status locate(unsigned char *block)
{
    return acre_tlsf_find(&tlsf, block).status;
}

/* The header of the second block claims the third; every size it can claim is refused. */
static void one_byte_past_an_end_is_damage(void **state)
{
    (void)state;
    begin_single();
    unsigned char *blocks[8];
    for (size_t i = 0; i < 8; i++)
        blocks[i] = take(44);
    size_t usable = acre_tlsf_usable_size(&tlsf, blocks[0]).num;
    unsigned char whole = blocks[0][usable];
    for (unsigned byte = 0; byte < 256; byte++) {
        blocks[0][usable] = (unsigned char)byte;
        if (byte == whole)
            continue;
        refuse(blocks[1], dealloc);
        refuse(blocks[1], dealloc_sized);
        refuse(blocks[1], resize_up);
        refuse(blocks[1], move);
        refuse(blocks[1], measure);
        refuse(blocks[1], locate);
        assert_non_null(acre_tlsf_check(&tlsf).invariant);
    }
    blocks[0][usable] = whole;
    assert_int_equal(dealloc(blocks[1]), ACRE_OK);
    assert_null(acre_tlsf_check(&tlsf).invariant);
}

static void a_link_to_a_live_block_is_damage(void **state)
{
    (void)state;
    begin_single();
    unsigned char *victim = take(1000);
    (void)take(16);
    unsigned char *block = take(1000);
    (void)take(16);
    assert_int_equal(dealloc(block), ACRE_OK);
    memcpy(block, &victim, sizeof victim);
    assert_non_null(acre_tlsf_check(&tlsf).invariant);
    for (size_t i = 0; i < 4; i++)
        assert_ptr_not_equal(take(1000), victim);
}

static void links_out_of_the_heap_are_damage(void **state)
{
    (void)state;
    begin_single();
    unsigned char *first = take(1000);
    unsigned char *neighbour = take(1000);
    (void)take(16);
    unsigned char *second = take(1000);
    (void)take(16);
    assert_int_equal(dealloc(first), ACRE_OK);
    assert_int_equal(dealloc(second), ACRE_OK);
    memset(outside, 0xc5, sizeof outside);
    const unsigned char *links[] = { outside, outside + 64 };
    memcpy(first, links, sizeof links);
    assert_non_null(acre_tlsf_check(&tlsf).invariant);
    refuse(neighbour, dealloc);
    for (size_t i = 0; i < sizeof outside; i++)
        assert_int_equal(outside[i], 0xc5);
}

static size_t add_test(struct CMUnitTest *tests, size_t count, const struct attacked *backend,
    bool after_free, CMUnitTestFunction function)
{
    static struct attack attacks[TESTS];
    static char names[TESTS][64];
    attacks[count] = (struct attack){ backend, after_free };
    snprintf(names[count], sizeof names[count], "%s: %s", backend->name,
        after_free ? "writes after free" : "writes past an end");
    tests[count] = (struct CMUnitTest){ names[count], function, NULL, NULL, &attacks[count] };
    return count + 1;
}

int main(void)
{
    struct CMUnitTest tests[TESTS];
    size_t count = add_test(tests, 0, &control, false, is_broken);
    count = add_test(tests, count, &control, true, is_broken);
    for (size_t i = 0; i < HARDENED; i++) {
        count = add_test(tests, count, &hardened[i], false, stays_sound);
        count = add_test(tests, count, &hardened[i], true, stays_sound);
    }
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(one_byte_past_an_end_is_damage);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(a_link_to_a_live_block_is_damage);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(links_out_of_the_heap_are_damage);
    return _cmocka_run_group_tests("tlsf.attack", tests, count, NULL, NULL);
}
