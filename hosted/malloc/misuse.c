/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "malloc/misuse.h"

#include "malloc/serve.h"
#include "malloc/text.h"
#include "os/os.h"

#include <acre/dropin.h>

#include <stdatomic.h>
#include <stdlib.h>

enum { standard_error = 2 };

static _Atomic(acre_misuse_fn *) hook;

ACRE_EXPORT acre_misuse_fn *acre_malloc_on_misuse(acre_misuse_fn *new_hook)
{
    return atomic_exchange(&hook, new_hook);
}

static _Noreturn void stop(struct acre_text *text)
{
    acre_misuse_fn *tell = atomic_load(&hook);
    if (tell != NULL)
        tell(acre_text_string(text));
    else
        acre_text_write(text, standard_error);
    abort();
}

/* What the allocator's walk is asked for: the block that an address lies in. */
struct search {
    uintptr_t address;
    uintptr_t start;
    size_t size;
    bool live;
    bool found;
};

static bool visit(void *arg, void *start, size_t size, bool live)
{
    struct search *search = arg;
    if (search->address - (uintptr_t)start >= size)
        return true;
    search->start = (uintptr_t)start;
    search->size = size;
    search->live = live;
    search->found = true;
    return false;
}

static struct search find_block(uintptr_t address)
{
    struct search search = { .address = address, .found = false };
    acre_walk(acre_serve.bytes, visit, &search);
    return search;
}

static void add_call(struct acre_text *text, const char *call, uintptr_t address)
{
    acre_text_add(text, "acre: ");
    acre_text_add(text, call);
    acre_text_add(text, "(");
    acre_text_add_address(text, address);
    acre_text_add(text, "): ");
}

/* "the live block of 64 bytes at 0x..." */
static void add_block(struct acre_text *text, const struct search *block)
{
    acre_text_add(text, block->live ? "the live block of " : "the free block of ");
    acre_text_add_number(text, block->size);
    acre_text_add(text, " bytes at ");
    acre_text_add_address(text, block->start);
}

static void add_region(struct acre_text *text, const struct acre_pool_region *region)
{
    acre_text_add(text, " of region ");
    acre_text_add_address(text, region->start);
    acre_text_add(text, "-");
    acre_text_add_address(text, region->start + region->size);
    acre_text_add(text, " (");
    acre_text_add(text, acre_serve.settings.backend->name);
    acre_text_add(text, ")");
}

static void add_inside(struct acre_text *text, const struct search *block)
{
    if (block->live)
        acre_text_add(text, "not the start of a block: ");
    else if (block->start == block->address)
        acre_text_add(text, "freed already: the start of ");
    else
        acre_text_add(text, "freed already, or never handed out: ");
    if (block->start != block->address) {
        acre_text_add_number(text, block->address - block->start);
        acre_text_add(text, " bytes into ");
    }
    add_block(text, block);
}

static void add_foreign(struct acre_text *text, uintptr_t address)
{
    char name[256];
    acre_text_add(text, "not from this allocator: in no region of it, but ");
    if (acre_os_mapping_name(address, name, sizeof name) != 0) {
        acre_text_add(text, "where nothing is mapped");
        return;
    }
    acre_text_add(text, "in ");
    acre_text_add(text, name);
}

/* Where the blocks no longer say what they did, nothing else that could be told is true. */
static void add_damage(struct acre_text *text, struct acre_check_result damage)
{
    acre_text_add(text, "the heap was overwritten at ");
    acre_text_add_address(text, (uintptr_t)damage.where);
    acre_text_add(text, " (");
    acre_text_add(text, damage.invariant);
    acre_text_add(text, "): the pointer is one");
}

/* An address in a region. */
static void add_found(struct acre_text *text, uintptr_t address)
{
    struct acre_check_result damage = acre_bytes_check(acre_serve.bytes);
    struct search block = { .found = false };
    if (damage.invariant == NULL)
        block = find_block(address);
    if (damage.invariant != NULL)
        add_damage(text, damage);
    else if (block.found)
        add_inside(text, &block);
    else
        acre_text_add(text, "no block, but the allocator's own data");
}

_Noreturn void acre_misuse_pointer(const char *call, const void *ptr)
{
    struct acre_text text = { 0 };
    uintptr_t address = (uintptr_t)ptr;
    const struct acre_pool_region *region = acre_pool_find(&acre_serve.pool, address);
    add_call(&text, call, address);
    if (region == NULL) {
        add_foreign(&text, address);
    } else {
        add_found(&text, address);
        add_region(&text, region);
    }
    acre_lock_release(&acre_serve.lock);
    stop(&text);
}

/* A live block. */
static void add_wrong_layout(struct acre_text *text, uintptr_t address, struct acre_layout layout)
{
    struct search block = find_block(address);
    acre_text_add(text, "wrong layout, ");
    acre_text_add_number(text, layout.size);
    acre_text_add(text, " bytes aligned to ");
    acre_text_add_number(text, layout.align);
    acre_text_add(text, ", for ");
    add_block(text, &block);
}

_Noreturn void acre_misuse_layout(const char *call, const void *ptr, struct acre_layout layout)
{
    struct acre_text text = { 0 };
    uintptr_t address = (uintptr_t)ptr;
    struct acre_check_result damage = acre_bytes_check(acre_serve.bytes);
    add_call(&text, call, address);
    if (damage.invariant != NULL)
        add_damage(&text, damage);
    else
        add_wrong_layout(&text, address, layout);
    add_region(&text, acre_pool_find(&acre_serve.pool, address));
    acre_lock_release(&acre_serve.lock);
    stop(&text);
}

_Noreturn void acre_misuse_reentered(void)
{
    struct acre_text text = { 0 };
    acre_text_add(&text, "acre: malloc family entered again by the thread that is inside it: ");
    acre_text_add(&text, "called from a signal handler, or left by one with longjmp");
    stop(&text);
}
