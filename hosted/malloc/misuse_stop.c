/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The end of a process that misused its heap, and what can be said without a look at it.
 */
#include "malloc/export.h"
#include "malloc/misuse.h"
#include "malloc/text.h"

#include <acre/dropin.h>

#include <stdatomic.h>
#include <stdlib.h>

enum { standard_error = 2 };

static _Atomic(acre_misuse_fn *) hook;

ACRE_EXPORT acre_misuse_fn *acre_malloc_on_misuse(acre_misuse_fn *new_hook)
{
    return atomic_exchange(&hook, new_hook);
}

_Noreturn void acre_misuse_stop(struct acre_text *text)
{
    acre_misuse_fn *tell = atomic_load(&hook);
    if (tell != NULL)
        tell(acre_text_string(text));
    else
        acre_text_write(text, standard_error);
    abort();
}

_Noreturn void acre_misuse_reentered(void)
{
    struct acre_text text = { 0 };
    acre_text_add(
        &text, "acre: a thread called malloc or free while it was inside malloc or free: ");
    acre_text_add(&text, "from a signal handler, or after a handler left with longjmp");
    acre_misuse_stop(&text);
}

_Noreturn void acre_misuse_raced(void)
{
    struct acre_text text = { 0 };
    acre_text_add(&text, "acre: free: two threads freed one block at the same moment");
    acre_misuse_stop(&text);
}
