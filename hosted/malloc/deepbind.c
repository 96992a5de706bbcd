/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * dlopen() with RTLD_DEEPBIND: the library finds the C library's malloc before this one, so the
 * process has two from then on. The C library ends such processes without a reason that leads here;
 * one line names it.
 */
#include "malloc/export.h"
#include "malloc/text.h"

#include "base/compiler.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdlib.h>

typedef void *dlopen_fn(const char *file, int mode);

enum { standard_error = 2 };

/* Once in a process. */
static ACRE_NOINLINE void tell_deepbind(const char *file)
{
    static atomic_flag told = ATOMIC_FLAG_INIT;
    struct acre_text text = { 0 };
    if (atomic_flag_test_and_set(&told))
        return;
    acre_text_add(&text, "acre: warning: ");
    acre_text_add(&text, file != NULL ? file : "the program");
    acre_text_add(&text, " is opened with RTLD_DEEPBIND, so it calls the C library's malloc, not "
                         "acre's: a block of one that is freed by the other ends the process");
    acre_text_write(&text, standard_error);
}

/* The C library looks at where this call returns to, so it has to be a jump. */
ACRE_EXPORT void *dlopen(const char *file, int mode)
{
    static _Atomic(dlopen_fn *) next;
    dlopen_fn *function = atomic_load_explicit(&next, memory_order_relaxed);
    if (function == NULL) {
        *(void **)&function = dlsym(RTLD_NEXT, "dlopen");
        atomic_store_explicit(&next, function, memory_order_relaxed);
    }
    if (function == NULL)
        abort();
    if ((mode & RTLD_DEEPBIND) != 0)
        tell_deepbind(file);
    return function(file, mode);
}
