/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A rule that does not hold, as a value: the suites know no test framework. */
#ifndef ACRE_TESTS_SUPPORT_FINDING_H
#define ACRE_TESTS_SUPPORT_FINDING_H

#include <stdbool.h>

enum { FINDING_TEXT = 512, FINDING_FILE = 256 };

struct finding {
    char text[FINDING_TEXT];
    char file[FINDING_FILE];
    int line;
};

/* Runs a rule. True: it came to its end; false: an expectation failed, and `finding` says which.
 * Rules do not nest. */
bool finding_catch(struct finding *finding, void (*rule)(void *arg), void *arg);

/* Ends the rule that runs. */
__attribute__((format(printf, 3, 4))) _Noreturn void finding_raise(
    const char *file, int line, const char *format, ...);

#endif
