/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/** Links only where there is a static C library. */
int main(void)
{
    return 0;
}
