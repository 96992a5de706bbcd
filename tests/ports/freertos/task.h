/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Not FreeRTOS: a stand-in for tests; see FreeRTOS.h. */
#ifndef ACRE_TESTS_PORTS_TASK_H
#define ACRE_TESTS_PORTS_TASK_H

#include "FreeRTOS.h"

void vTaskSuspendAll(void);
BaseType_t xTaskResumeAll(void);

#endif
