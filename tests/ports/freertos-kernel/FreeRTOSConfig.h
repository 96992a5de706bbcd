/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The FreeRTOS kernel on the board of scripts/check-freertos, with ports/freertos as its heap. */
#ifndef ACRE_TESTS_PORTS_FREERTOS_CONFIG_H
#define ACRE_TESTS_PORTS_FREERTOS_CONFIG_H

#include <stddef.h>

void board_assert(const char *file, int line);

#define configASSERT(condition) ((condition) ? (void)0 : board_assert(__FILE__, __LINE__))
#define configTOTAL_HEAP_SIZE ((size_t)96 * 1024)
#define configUSE_MALLOC_FAILED_HOOK 1
#define configHEAP_CLEAR_MEMORY_ON_FREE 1
#define configSUPPORT_DYNAMIC_ALLOCATION 1
#define configSUPPORT_STATIC_ALLOCATION 0

#define configUSE_PREEMPTION 1
#define configUSE_IDLE_HOOK 0
#define configUSE_TICK_HOOK 0
#define configUSE_MUTEXES 1
#define configMAX_PRIORITIES 5
#define configMINIMAL_STACK_SIZE 256
#define configTICK_RATE_HZ 1000
#define configTICK_TYPE_WIDTH_IN_BITS TICK_TYPE_WIDTH_32_BITS
#define configCPU_CLOCK_HZ 25000000
#define configKERNEL_INTERRUPT_PRIORITY 0xe0
#define configMAX_SYSCALL_INTERRUPT_PRIORITY 0xa0
#define configCHECK_HANDLER_INSTALLATION 0
#define INCLUDE_vTaskDelay 1
#define INCLUDE_vTaskDelete 1

#endif
