/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* There is no way back from a failed assertion on a bare machine, and so nothing to jump with. */
#ifndef ACRE_TESTS_METAL_SETJMP_H
#define ACRE_TESTS_METAL_SETJMP_H
#endif
