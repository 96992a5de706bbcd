/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The job of the kernel under test: the suites, over every backend or over the one it is told. */
#include "kernel/console.h"
#include "kernel/kernel.h"

#include <acre/tlsf.h>

#include "conformance/run.h"

#include <cmocka.h>

int conformance_main(int argc, char **argv);
int misuse_main(int argc, char **argv);
int pages_main(void);

/* Everything that the suites took has come back to the kernel's own heap. */
static int leftovers(struct acre_stats before)
{
    struct acre_stats after = acre_bytes_stats(kernel_bytes());
    const char *broken = acre_bytes_check(kernel_bytes()).invariant;
    if (broken == NULL)
        broken = acre_pages_check(kernel_pages()).invariant;
    if (broken == NULL && after.used == before.used)
        return 0;
    console_print("the kernel's heap: %s, %zu bytes left over\n", broken, after.used - before.used);
    return 1;
}

#if ACRE_TLSF
/* With the argument "park": a heap in use, for a debugger to dump while the machine stands still. */
struct {
    struct acre_tlsf tlsf;
    _Alignas(64) unsigned char pool[16384];
} parked;

static int park(void)
{
    void *blocks[40];
    if (acre_tlsf_init(&parked.tlsf, parked.pool, sizeof parked.pool) != ACRE_OK)
        return 1;
    for (size_t i = 0; i < 40; i++)
        blocks[i] = acre_tlsf_alloc(&parked.tlsf, acre_layout(20 + 7 * i, 1)).ptr;
    for (size_t i = 0; i < 40; i += 4)
        (void)acre_tlsf_dealloc(&parked.tlsf, blocks[i]);
    console_print("parked: %p %zu\n", (void *)&parked, sizeof parked);
    for (;;)
        *(volatile unsigned char *)&parked.pool[0];
}
#else
static int park(void)
{
    return 1;
}
#endif

static bool is_word(const char *argument, const char *word)
{
    while (*word != '\0' && *argument == *word) {
        argument++;
        word++;
    }
    return *word == '\0' && *argument == '\0';
}

/* Without an argument a third of the cases: an emulator is slow, and other machines run them all. */
int kernel_job(const char *argument)
{
    if (is_word(argument, "park"))
        return park();
    run_every = argument[0] == '\0' ? 3 : 1;
    if (is_word(argument, "all"))
        argument = "";
    char backend[64] = "";
    char *argv[] = { backend, backend, NULL };
    int argc = argument[0] == '\0' ? 1 : 2;
    struct acre_stats before = acre_bytes_stats(kernel_bytes());
    for (size_t i = 0; i + 1 < sizeof backend && argument[i] != '\0'; i++)
        backend[i] = argument[i];
    int failed = conformance_main(argc, argv) | misuse_main(argc, argv);
    failed |= argc == 1 ? pages_main() : 0;
    failed |= leftovers(before);
    console_print("%zu passed, %d failed, %zu skipped\n", metal_passed, failed, metal_skipped);
    return failed;
}
