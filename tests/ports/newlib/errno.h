/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Not newlib: a stand-in for tests; see malloc.h. */
#ifndef ACRE_TESTS_PORTS_NEWLIB_ERRNO_H
#define ACRE_TESTS_PORTS_NEWLIB_ERRNO_H

#define ENOMEM 12
#define EINVAL 22
#define __errno_r(reent) ((reent)->_errno)

#endif
