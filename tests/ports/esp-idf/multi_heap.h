/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Not ESP-IDF: a stand-in for tests, with the declarations that ports/esp-idf implements. */
#ifndef ACRE_TESTS_PORTS_MULTI_HEAP_H
#define ACRE_TESTS_PORTS_MULTI_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct multi_heap_info *multi_heap_handle_t;

typedef struct {
    size_t total_free_bytes;
    size_t total_allocated_bytes;
    size_t largest_free_block;
    size_t minimum_free_bytes;
    size_t allocated_blocks;
    size_t free_blocks;
    size_t total_blocks;
} multi_heap_info_t;

typedef bool (*multi_heap_walker_cb_t)(
    void *block_ptr, size_t block_size, int block_used, void *user_data);

multi_heap_handle_t multi_heap_register(void *start, size_t size);
void multi_heap_set_lock(multi_heap_handle_t heap, void *lock);
void *multi_heap_malloc(multi_heap_handle_t heap, size_t size);
void *multi_heap_aligned_alloc(multi_heap_handle_t heap, size_t size, size_t alignment);
void *multi_heap_aligned_alloc_offs(
    multi_heap_handle_t heap, size_t size, size_t alignment, size_t offset);
void *multi_heap_realloc(multi_heap_handle_t heap, void *p, size_t size);
void multi_heap_free(multi_heap_handle_t heap, void *p);
void multi_heap_aligned_free(multi_heap_handle_t heap, void *p);
size_t multi_heap_get_allocated_size(multi_heap_handle_t heap, void *p);
size_t multi_heap_get_full_block_size(multi_heap_handle_t heap, void *p);
void *multi_heap_find_containing_block(multi_heap_handle_t heap, void *ptr);
size_t multi_heap_free_size(multi_heap_handle_t heap);
size_t multi_heap_minimum_free_size(multi_heap_handle_t heap);
size_t multi_heap_reset_minimum_free_bytes(multi_heap_handle_t heap);
void multi_heap_restore_minimum_free_bytes(multi_heap_handle_t heap, size_t new_minimum);
void multi_heap_get_info(multi_heap_handle_t heap, multi_heap_info_t *info);
void multi_heap_walk(multi_heap_handle_t heap, multi_heap_walker_cb_t walker_func, void *user_data);
void multi_heap_dump(multi_heap_handle_t heap);
bool multi_heap_check(multi_heap_handle_t heap, bool print_errors);

#endif
