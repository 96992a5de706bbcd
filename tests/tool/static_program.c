/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A program linked statically, on which nothing can be preloaded. */
int main(void)
{
    return 5;
}
