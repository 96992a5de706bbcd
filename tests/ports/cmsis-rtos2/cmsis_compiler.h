/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Not CMSIS: a stand-in for tests; see cmsis_os2.h. */
#ifndef ACRE_TESTS_PORTS_CMSIS_COMPILER_H
#define ACRE_TESTS_PORTS_CMSIS_COMPILER_H

#include <stdint.h>

uint32_t __get_IPSR(void);
uint32_t __get_PRIMASK(void);
void __set_PRIMASK(uint32_t priMask);
void __disable_irq(void);

#endif
