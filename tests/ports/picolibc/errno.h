/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Not picolibc: a stand-in for tests; see malloc.h. */
#ifndef ACRE_TESTS_PORTS_PICOLIBC_ERRNO_H
#define ACRE_TESTS_PORTS_PICOLIBC_ERRNO_H

#define ENOMEM 12
#define EINVAL 22

extern int stand_in_errno;
#define errno stand_in_errno

#endif
