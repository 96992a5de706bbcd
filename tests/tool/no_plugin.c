/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A shared object that exports nothing of acre's: no plugin, and harmless to preload. */
int acre_test_nothing(void);

int acre_test_nothing(void)
{
    return 0;
}
