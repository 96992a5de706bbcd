/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A program that uses an installed acre: prints the gates its headers show and calls the library.
 */
#include <acre/acre.h>

#include <stdio.h>
#include <string.h>

int main(void)
{
    printf("TLSF=%d BUDDY=%d SLAB=%d BITMAP=%d WRAP=%d HOSTED=%d CHECK_POINTERS=%d\n", ACRE_TLSF,
        ACRE_BUDDY, ACRE_SLAB, ACRE_BITMAP, ACRE_WRAP, ACRE_HOSTED, ACRE_CHECK_POINTERS);
    return strlen(acre_status_text(ACRE_NO_MEMORY)) > 0 ? 0 : 1;
}
