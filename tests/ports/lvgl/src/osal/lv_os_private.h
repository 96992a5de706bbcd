/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Not LVGL: a stand-in for tests; see lvgl.h. */
#ifndef ACRE_TESTS_PORTS_LV_OS_H
#define ACRE_TESTS_PORTS_LV_OS_H

#include "lvgl.h"

typedef struct {
    int depth; /* 0: unlocked; -1: deleted */
} lv_mutex_t;

lv_result_t lv_mutex_init(lv_mutex_t *mutex);
lv_result_t lv_mutex_lock(lv_mutex_t *mutex);
lv_result_t lv_mutex_unlock(lv_mutex_t *mutex);
lv_result_t lv_mutex_delete(lv_mutex_t *mutex);

#endif
