/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Not LVGL: a stand-in for tests, with the declarations that ports/lvgl uses. The test provides the
 * functions, and counts their calls. */
#ifndef ACRE_TESTS_PORTS_LVGL_H
#define ACRE_TESTS_PORTS_LVGL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef LV_MEM_SIZE
#define LV_MEM_SIZE 16384
#endif
#ifndef LV_USE_OS
#define LV_USE_OS 1
#endif

typedef enum { LV_RESULT_INVALID, LV_RESULT_OK } lv_result_t;

typedef void *lv_mem_pool_t;

typedef struct {
    size_t total_size;
    size_t free_cnt;
    size_t free_size;
    size_t free_biggest_size;
    size_t used_cnt;
    size_t max_used;
    uint8_t used_pct;
    uint8_t frag_pct;
} lv_mem_monitor_t;

void lv_mem_init(void);
void lv_mem_deinit(void);
lv_mem_pool_t lv_mem_add_pool(void *mem, size_t bytes);
void lv_mem_remove_pool(lv_mem_pool_t pool);
void *lv_malloc_core(size_t size);
void *lv_realloc_core(void *p, size_t new_size);
void lv_free_core(void *p);
void lv_mem_monitor_core(lv_mem_monitor_t *mon_p);
lv_result_t lv_mem_test_core(void);

void stand_in_assert(bool holds, const char *message);
__attribute__((format(printf, 1, 2))) void stand_in_warn(const char *format, ...);

#define LV_ASSERT_MSG(expr, msg) stand_in_assert(expr, msg)
#define LV_LOG_WARN(...) stand_in_warn(__VA_ARGS__)
#define LV_UNUSED(x) ((void)(x))

#endif
