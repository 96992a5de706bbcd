/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The longest section under each lock of a heap, in instructions of x86-64:
 * `build/tests/heap.lock_sections` prints a table. The processor traps after each instruction of a
 * section, which takes long; with the argument tlsf it counts over that backend alone. `make wcet`
 * counts the same sections (sections.h) on other machines.
 */
#include "heap/sections.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#if defined(__linux__) && defined(__x86_64__) && !defined(ACRE_SANITIZED)

/* At most so many instructions, in optimised builds; dealloc_pages compares its pages with every
 * chunk, of which there is one for each other run of four pages. */
enum { MOST_BYTES = 15000, MOST_PAGES = 5500, MOST_PER_CHUNK = 44, CHUNKS = 512 };

/* Over buddy, whose first region that is removed flushes all quick lists. */
enum { MOST_BYTES_BUDDY = 45000 };

enum { TRAP_FLAG = 0x100, SECTIONS = 40 };

static struct acre_heap_tlsf over_tlsf;
static struct acre_heap_slab over_slab;
static struct acre_heap_buddy over_buddy;
static _Alignas(SECTIONS_PAGE) unsigned char memory[SECTIONS_MEMORY];
static volatile size_t steps; /* instructions of the section so far */

/* ---- the processor traps after each instruction of a section ---- */

static void step(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
    steps++;
}

static void begin_section(void)
{
    steps = 0;
    __asm__ volatile("pushfq; orq %0, (%%rsp); popfq" ::"i"(TRAP_FLAG) : "memory", "cc");
}

static size_t end_section(void)
{
    __asm__ volatile("pushfq; andq %0, (%%rsp); popfq" ::"i"(~TRAP_FLAG) : "memory", "cc");
    return steps;
}

/* ---- the report ---- */

static void report(const char *title, const struct sections *found, size_t most_released)
{
    const size_t *bytes = found->longest[SECTIONS_BYTES];
    const size_t *pages = found->longest[SECTIONS_PAGES];
    print_message("%s: longest sections, in instructions\n%-22s %12s %12s\n", title, "",
        "lock of bytes", "of pages");
    for (size_t i = 0; i < SECTIONS_VERBS; i++)
        print_message("%-22s %12zu %12zu\n", sections_names[i], bytes[i], pages[i]);
#if defined(__OPTIMIZE__) && !ACRE_ASSERTS
    for (size_t i = 0; i < SECTIONS_VERBS; i++) {
        size_t most = i == SECTIONS_DEALLOC_PAGES ? MOST_PER_CHUNK * CHUNKS : MOST_PAGES;
        assert_in_range(bytes[i], 0, i == SECTIONS_RELEASE ? most_released : MOST_BYTES);
        assert_in_range(pages[i], 0, most);
    }
#else
    (void)MOST_BYTES, (void)MOST_PAGES, (void)MOST_PER_CHUNK, (void)CHUNKS, (void)most_released;
#endif
    assert_true(bytes[SECTIONS_REFUSED] != 0 && pages[SECTIONS_RELEASE] != 0);
}

static void count_sections(const char *title, struct acre_heap *heap, size_t most_released)
{
    const struct sections_counter counter = { begin_section, end_section, SECTIONS };
    struct sigaction act = { .sa_sigaction = step, .sa_flags = SA_SIGINFO };
    struct sigaction before;
    assert_int_equal(sigaction(SIGTRAP, &act, &before), 0);
    struct sections found = sections_count(heap, memory, &counter);
    assert_int_equal(sigaction(SIGTRAP, &before, NULL), 0);
    assert_null(found.failed);
    report(title, &found, most_released);
}

static void sections_over_tlsf(void **state)
{
    (void)state;
    count_sections("heap over TLSF", acre_heap_over_tlsf(&over_tlsf), MOST_BYTES);
}

static void sections_over_slab(void **state)
{
    (void)state;
    count_sections("heap over slab", acre_heap_over_slab(&over_slab), MOST_BYTES);
}

static void sections_over_buddy(void **state)
{
    (void)state;
    count_sections("heap over buddy", acre_heap_over_buddy(&over_buddy), MOST_BYTES_BUDDY);
}
#else
static void skip_sections(void **state)
{
    (void)state;
    print_message("instructions are not counted in this build\n");
    skip();
}
#define sections_over_tlsf skip_sections
#define sections_over_slab skip_sections
#define sections_over_buddy skip_sections
#endif

int main(int argc, char **argv)
{
    size_t count = argc > 1 && strcmp(argv[1], "tlsf") == 0 ? 1 : 3;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sections_over_tlsf),
        cmocka_unit_test(sections_over_slab),
        cmocka_unit_test(sections_over_buddy),
    };
    return _cmocka_run_group_tests("heap lock sections", tests, count, NULL, NULL);
}
