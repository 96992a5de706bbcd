/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "malloc/misuse.h"

#include "malloc/serve_threads.h"
#include "malloc/text.h"
#include "os/os.h"

#include <string.h>

/* The block that contains an address, as walk finds it. */
struct search {
    uintptr_t address;
    uintptr_t start;
    size_t size;
    bool live;
    bool found;
};

static bool match_block(void *arg, void *start, size_t size, bool live)
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

/* Among what walk shows, and free memory that it does not. */
static void search_pool(const struct acre_pool *pool, struct search *search)
{
    acre_walk(pool->bytes, match_block, search);
    if (!search->found && pool->backend->backing->visit_free != NULL)
        pool->backend->backing->visit_free(pool->bytes.self, match_block, search);
}

static struct search find_block_at(const struct acre_pool *pool, uintptr_t address)
{
    struct search search = { .address = address, .found = false };
    const struct acre_large_block *large = acre_large_find(&pool->large, address);
    if (large != NULL)
        (void)match_block(&search, (void *)large->start, large->size, true);
    else
        search_pool(pool, &search);
    if (search.found && search.live)
        search.size = acre_threads_requested((void *)search.start, search.size);
    return search;
}

static void begin_message(struct acre_text *text, const char *call, uintptr_t address)
{
    acre_text_add(text, "acre: ");
    acre_text_add(text, call);
    acre_text_add(text, "(");
    acre_text_add_address(text, address);
    acre_text_add(text, "): ");
}

/* "the live block of 64 bytes at 0x..." */
static void describe_block(struct acre_text *text, const struct search *block)
{
    acre_text_add(text, block->live ? "the live block of " : "the free block of ");
    acre_text_add_number(text, block->size);
    acre_text_add(text, " bytes at ");
    acre_text_add_address(text, block->start);
}

/* "; the pointer is in region 0x...-0x... (tlsf)" */
static void describe_pool_region(
    struct acre_text *text, const struct acre_pool *pool, uintptr_t address)
{
    const struct acre_pool_region *region = acre_pool_find(pool, address);
    if (region == NULL) {
        acre_text_add(text, ", which has a mapping of its own");
        return;
    }
    acre_text_add(text, "; the pointer is in region ");
    acre_text_add_address(text, region->start);
    acre_text_add(text, "-");
    acre_text_add_address(text, region->start + region->size);
    acre_text_add(text, " (");
    acre_text_add(text, pool->backend->name);
    acre_text_add(text, ")");
}

static void describe_position(struct acre_text *text, const struct search *block)
{
    if (block->live)
        acre_text_add(text, "not the start of a block, but ");
    else if (block->start == block->address)
        acre_text_add(text, "freed already: the start of ");
    else
        acre_text_add(text, "freed already, or never allocated: ");
    if (block->start != block->address) {
        acre_text_add_number(text, block->address - block->start);
        acre_text_add(text, " bytes into ");
    }
    describe_block(text, block);
}

static void describe_mapping(struct acre_text *text, uintptr_t address)
{
    char name[256];
    acre_text_add(text, "not allocated by acre: the pointer is ");
    if (acre_os_mapping_name(address, name, sizeof name, NULL) != 0) {
        acre_text_add(text, "where nothing is mapped");
        return;
    }
    acre_text_add(text, "in ");
    acre_text_add(text, name);
}

/* Damaged metadata says nothing true about blocks, so only the damage is reported. */
static void describe_damage(struct acre_text *text, struct acre_check_result damage)
{
    acre_text_add(text, "heap corruption at ");
    acre_text_add_address(text, (uintptr_t)damage.where);
    acre_text_add(text, " (");
    acre_text_add(text, damage.invariant);
    acre_text_add(text, ")");
}

/* An address in a region or a large block. */
static void describe_pointer(
    struct acre_text *text, const struct acre_pool *pool, uintptr_t address)
{
    struct acre_check_result damage = acre_bytes_check(pool->bytes);
    struct search block = { .found = false };
    if (damage.invariant == NULL)
        block = find_block_at(pool, address);
    if (damage.invariant != NULL)
        describe_damage(text, damage);
    else if (block.found)
        describe_position(text, &block);
    else
        acre_text_add(text, "not a block, but the allocator's metadata");
}

_Noreturn void acre_misuse_pointer(
    const struct acre_pool *pool, struct acre_lock *lock, const char *call, const void *ptr)
{
    struct acre_text text = { 0 };
    uintptr_t address = (uintptr_t)ptr;
    begin_message(&text, call, address);
    if (acre_pool_find(pool, address) == NULL && acre_large_find(&pool->large, address) == NULL) {
        if (!acre_threads_describe(&text, address))
            describe_mapping(&text, address);
    } else {
        describe_pointer(&text, pool, address);
        describe_pool_region(&text, pool, address);
    }
    acre_threads_describe_history(&text, address);
    acre_lock_release(lock);
    acre_misuse_stop(&text);
}

/* A live block. */
static void describe_layout(struct acre_text *text, const struct acre_pool *pool, uintptr_t address,
    struct acre_layout layout)
{
    struct search block = find_block_at(pool, address);
    acre_text_add(text, "wrong layout, ");
    acre_text_add_number(text, layout.size);
    acre_text_add(text, " bytes aligned to ");
    acre_text_add_number(text, layout.align);
    acre_text_add(text, ", for ");
    describe_block(text, &block);
}

_Noreturn void acre_misuse_layout(const struct acre_pool *pool, struct acre_lock *lock,
    const char *call, const void *ptr, struct acre_layout layout)
{
    struct acre_text text = { 0 };
    uintptr_t address = (uintptr_t)ptr;
    struct acre_check_result damage = acre_bytes_check(pool->bytes);
    begin_message(&text, call, address);
    if (damage.invariant != NULL)
        describe_damage(&text, damage);
    else
        describe_layout(&text, pool, address, layout);
    describe_pool_region(&text, pool, address);
    acre_lock_release(lock);
    acre_misuse_stop(&text);
}

/* "0x... is 3 bytes behind the live block of 8 bytes at 0x..." */
static void describe_damaged(struct acre_text *text, const struct acre_threaded_damage *damage)
{
    uintptr_t where = (uintptr_t)damage->where;
    uintptr_t block = (uintptr_t)damage->block;
    acre_text_add_address(text, where);
    acre_text_add(text, " was written, ");
    if (damage->kind == ACRE_DAMAGE_FREE) {
        acre_text_add_number(text, where - block);
        acre_text_add(text, " bytes into the free block at ");
    } else if (damage->kind == ACRE_DAMAGE_BEFORE) {
        acre_text_add_number(text, block - where);
        acre_text_add(text, " bytes before the block at ");
    } else {
        acre_text_add_number(text, where - block - damage->size);
        acre_text_add(text, " bytes behind the live block of ");
        acre_text_add_number(text, damage->size);
        acre_text_add(text, " bytes at ");
    }
    acre_text_add_address(text, block);
}

_Noreturn void acre_misuse_damage(const struct acre_pool *pool, struct acre_lock *lock,
    const char *call, const struct acre_threaded_damage *damage)
{
    struct acre_text text = { 0 };
    acre_text_add(&text, "acre: ");
    acre_text_add(&text, call);
    acre_text_add(&text, ": ");
    describe_damaged(&text, damage);
    describe_pool_region(&text, pool, (uintptr_t)damage->block);
    acre_threads_describe_history(&text, (uintptr_t)damage->block);
    acre_lock_release(lock);
    acre_misuse_stop(&text);
}
