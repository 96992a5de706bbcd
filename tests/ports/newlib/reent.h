/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Not newlib: a stand-in for tests; see malloc.h. */
#ifndef ACRE_TESTS_PORTS_REENT_H
#define ACRE_TESTS_PORTS_REENT_H

struct _reent {
    int _errno;
};

#endif
