/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "support/finding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static struct finding *current; /* of the rule that runs; null: none does */
static jmp_buf out;

void finding_raise(const char *file, int line, const char *format, ...)
{
    va_list args;
    if (current == NULL)
        abort();
    va_start(args, format);
    vsnprintf(current->text, sizeof current->text, format, args);
    va_end(args);
    snprintf(current->file, sizeof current->file, "%s", file);
    current->line = line;
    longjmp(out, 1);
}

bool finding_catch(struct finding *finding, void (*rule)(void *arg), void *arg)
{
    current = finding;
    if (setjmp(out) != 0) {
        current = NULL;
        return false;
    }
    rule(arg);
    current = NULL;
    return true;
}
