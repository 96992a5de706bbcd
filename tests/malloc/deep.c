/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A library that is opened with RTLD_DEEPBIND. */
#include <stdlib.h>

void *deep_make(void)
{
    return malloc(50);
}

void deep_end(void *ptr)
{
    free(ptr);
}
