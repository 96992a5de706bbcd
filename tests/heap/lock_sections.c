/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The longest section under each lock of a heap, in instructions, by verb: `build/tests/
 * heap.lock_sections` prints a table. A heap of 16 MiB, free in runs of four pages, is filled; then
 * calls are made, with the processor trapping after each instruction of a section. A search of the pages and all that
 * returning chunks takes are among them; remove_memory, check and walk, which are linear, are not.
 */
#include "heap/heap_private.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#if defined(__linux__) && defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) &&                 \
    !defined(__SANITIZE_THREAD__)

enum { PAGE = 4096, PAGES = 4096, RUN = 4, BLOCK = 200, BLOCKS = PAGES * PAGE / 2 / BLOCK };

enum { BYTES, PAGES_LOCK, LOCKS };

enum verb {
    ALLOC,
    REFUSED,
    DEALLOC,
    REALLOC,
    ALLOC_PAGES,
    REFUSED_PAGES,
    DEALLOC_PAGES,
    RELEASE,
    VERBS
};

static const char *const names[VERBS] = { "alloc", "alloc, refused", "dealloc", "realloc",
    "alloc_pages", "alloc_pages, refused", "dealloc_pages", "release_empty" };

/* At most so many instructions, in optimised builds; dealloc_pages compares its pages with every
 * chunk. */
enum { MOST_BYTES = 15000, MOST_PAGES = 5500, MOST_PER_CHUNK = 44 };

/* Over buddy, whose first region that is removed flushes all quick lists. */
enum { MOST_BYTES_BUDDY = 40000 };

static struct acre_heap_tlsf over_tlsf;
static struct acre_heap_slab over_slab;
static struct acre_heap_buddy over_buddy;
static struct acre_heap *heap;
static _Alignas(PAGE) unsigned char memory[PAGES * PAGE];
static uintptr_t pages[PAGES];
static void *blocks[BLOCKS];
static size_t page_count, block_count;
static enum verb verb;        /* of the call */
static bool counts;           /* whether its sections are counted */
static volatile size_t steps; /* instructions of the section so far */
static size_t longest[LOCKS][VERBS];
static size_t entered[LOCKS][VERBS];
static bool is_counted; /* the section */
static uint64_t seed = 88172645463325252u;

static size_t draw(size_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (size_t)(seed >> 11) % below;
}

/* ---- the locks: the processor traps after each instruction of a section ---- */

enum { TRAP_FLAG = 0x100, SECTIONS = 40 /* of a verb that are counted, frees apart */ };

static void step(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
    steps++;
}

static void enter(void *lock)
{
    size_t *seen = &entered[*(const unsigned char *)lock][verb];
    steps = 0;
    is_counted = counts && (++*seen <= SECTIONS || verb == DEALLOC);
    if (is_counted)
        __asm__ volatile("pushfq; orq %0, (%%rsp); popfq" ::"i"(TRAP_FLAG) : "memory", "cc");
}

static void leave(void *lock)
{
    if (!is_counted)
        return;
    is_counted = false;
    __asm__ volatile("pushfq; andq %0, (%%rsp); popfq" ::"i"(~TRAP_FLAG) : "memory", "cc");
    size_t *most = &longest[*(const unsigned char *)lock][verb];
    if (steps > *most)
        *most = steps;
}

static unsigned char locks[LOCKS] = { BYTES, PAGES_LOCK };

/* ---- the heap ---- */

/* Every other run of RUN pages is handed out; blocks fill the others. */
static void fill(struct acre_heap *with)
{
    struct acre_num got;
    struct acre_ptr block;
    heap = with;
    counts = false;
    page_count = block_count = 0;
    acre_heap_set_locks(heap, (struct acre_locker){ enter, leave, &locks[BYTES] },
        (struct acre_locker){ enter, leave, &locks[PAGES_LOCK] });
    assert_int_equal(acre_heap_init(heap, memory, sizeof memory), ACRE_OK);
    while ((got = acre_heap_alloc_pages(heap, 1, 1, 0)).status == ACRE_OK)
        pages[page_count++] = got.num;
    for (size_t i = 0; i < page_count; i++)
        if (i / RUN % 2 != 0)
            assert_int_equal(acre_heap_dealloc_pages(heap, pages[i], 1), ACRE_OK);
    while ((block = acre_heap_alloc(heap, acre_layout(BLOCK, 8))).status == ACRE_OK)
        blocks[block_count++] = block.ptr;
    assert_true(heap->chunks > PAGES / RUN / 2 - 16);
}

/* ---- the calls ---- */

static void begin(enum verb of, bool are_counted)
{
    verb = of;
    counts = are_counted;
}

static void alloc_in(size_t i)
{
    begin(ALLOC, true);
    blocks[i] = acre_heap_alloc(heap, acre_layout(BLOCK, 8)).ptr;
}

/* Counted if it may be followed by a scan, or when that is asked for. */
static void free_in(size_t i, bool always)
{
    begin(DEALLOC, always || heap->countdown <= 2);
    (void)acre_heap_dealloc(heap, blocks[i]);
    blocks[i] = NULL;
}

static void refuse(void)
{
    for (size_t i = 0; i < 300; i++) {
        begin(REFUSED, i < 8 || i > 290);
        (void)!acre_heap_alloc(heap, acre_layout(RUN * PAGE, 8)).ptr;
        begin(REFUSED_PAGES, i < 8 || i > 290);
        (void)!acre_heap_alloc_pages(heap, RUN + 1, 1, 0).num;
    }
}

static void churn(void)
{
    for (size_t k = 0; k < 200; k++) {
        size_t i = draw(block_count);
        if (blocks[i] != NULL)
            free_in(i, true);
        else
            alloc_in(i);
    }
}

static void call_realloc(void)
{
    for (size_t k = 0; k < 100; k++) {
        size_t i = draw(block_count);
        begin(REALLOC, true);
        if (blocks[i] == NULL)
            continue;
        struct acre_ptr got = acre_heap_realloc(heap, blocks[i], acre_layout(1 + draw(400), 8));
        blocks[i] = got.ptr != NULL ? got.ptr : blocks[i];
    }
}

static void toggle_pages(void)
{
    for (size_t k = 0; k < 4; k++) {
        size_t i = draw(page_count / (2 * RUN)) * 2 * RUN;
        begin(DEALLOC_PAGES, true);
        (void)acre_heap_dealloc_pages(heap, pages[i], 1);
        begin(ALLOC_PAGES, true);
        pages[i] = acre_heap_alloc_pages(heap, 1, 1, 0).num;
    }
}

static void free_blocks(size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if (blocks[i] != NULL)
            free_in(i, false);
}

static void make_calls(void)
{
    refuse();
    churn();
    refuse();
    call_realloc();
    toggle_pages();
    free_blocks(0, block_count / 8);
    begin(RELEASE, true);
    (void)acre_heap_release_empty(heap);
    for (size_t i = 0; i < 200; i++)
        alloc_in(i);
    toggle_pages();
}

/* ---- the report ---- */

static void report(const char *title, size_t most_released)
{
    print_message("%s: longest sections, in instructions\n%-22s %12s %12s\n", title, "",
        "lock of bytes", "of pages");
    for (size_t i = 0; i < VERBS; i++)
        print_message("%-22s %12zu %12zu\n", names[i], longest[BYTES][i], longest[PAGES_LOCK][i]);
#if defined(__OPTIMIZE__) && !ACRE_ASSERTS
    for (size_t i = 0; i < VERBS; i++) {
        size_t most = i == DEALLOC_PAGES ? MOST_PER_CHUNK * PAGES / RUN / 2 : MOST_PAGES;
        assert_in_range(longest[BYTES][i], 0, i == RELEASE ? most_released : MOST_BYTES);
        assert_in_range(longest[PAGES_LOCK][i], 0, most);
    }
#else
    (void)MOST_BYTES, (void)MOST_PAGES, (void)MOST_PER_CHUNK, (void)most_released;
#endif
    assert_true(longest[BYTES][REFUSED] != 0 && longest[PAGES_LOCK][RELEASE] != 0);
}

static void count_sections(const char *title, struct acre_heap *with, size_t most_released)
{
    struct sigaction act = { .sa_sigaction = step, .sa_flags = SA_SIGINFO };
    struct sigaction before;
    memset(longest, 0, sizeof longest);
    memset(entered, 0, sizeof entered);
    fill(with);
    assert_int_equal(sigaction(SIGTRAP, &act, &before), 0);
    make_calls();
    counts = false;
    assert_int_equal(sigaction(SIGTRAP, &before, NULL), 0);
    report(title, most_released);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sections_over_tlsf),
        cmocka_unit_test(sections_over_slab),
        cmocka_unit_test(sections_over_buddy),
    };
    return cmocka_run_group_tests_name("heap lock sections", tests, NULL, NULL);
}
