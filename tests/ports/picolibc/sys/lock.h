/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Not picolibc: a stand-in for tests; see malloc.h. */
#ifndef ACRE_TESTS_PORTS_SYS_LOCK_H
#define ACRE_TESTS_PORTS_SYS_LOCK_H

void stand_in_lock(void);
void stand_in_unlock(void);

#define __LIBC_LOCK() stand_in_lock()
#define __LIBC_UNLOCK() stand_in_unlock()

#endif
