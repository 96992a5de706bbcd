/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The drop-in malloc, seen from outside: each case is a process of its own, started with the object
 * preloaded, and held to an exact outcome: how it ended, and what it wrote on standard error.
 * usage: test_dropin VICTIM DROPIN FAILING HOSTILE EARLY OPERATORS REPLACED ARRAYS
 * All cases run on the default backend and on that of the registry; those with `others` on all.
 */
#include "dropin_process.h"

#include "registry/registry.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NAME(of) .name = #of, .arguments = #of

/* What follows the call and pointer in a line about a block of this heap. */
#define OWNER "(; allocated by thread [0-9]+)?"
#define REGION "; the pointer is in region 0x[0-9a-f]+-0x[0-9a-f]+ \\([a-z/-]+\\)" OWNER
#define FREE_BLOCK "the free block of [0-9]+ bytes at 0x[0-9a-f]+" REGION
#define LIVE_BLOCK "the live block of [0-9]+ bytes at 0x[0-9a-f]+" REGION
#define FREED "freed already(: the start|, or never allocated: [0-9]+ bytes into) (of )?" FREE_BLOCK
#define INTERIOR "not the start of a block, but [0-9]+ bytes into " LIVE_BLOCK
#define CORRUPTED "heap corruption at 0x[0-9a-f]+ \\(TLSF-[^\n]*\\)" REGION
#define OWN "not a block, but the allocator's metadata" REGION
#define FOREIGN "not allocated by acre: the pointer is "

#define ONE_LINE(call, what) "^acre: " call "\\(POINTER\\): " what "\n$"

/* A case that must end in one line that names this call and the pointer that the victim told; with
 * other allocators the line may say something else of the pointer. */
#define MISUSE_BUT(case_name, call, what, else_what)                                               \
    {                                                                                              \
        NAME(case_name), .signal = SIGABRT, .line = ONE_LINE(call, what),                          \
                         .others = ONE_LINE(call, else_what)                                       \
    }
#define MISUSE(case_name, call, what) MISUSE_BUT(case_name, call, what, what)

/* The same of an operator of C++. */
#define MISUSE_CPP(case_name, form, what)                                                          \
    {                                                                                              \
        NAME(case_name), .victim = DROPIN_OPERATORS, .signal = SIGABRT,                            \
                         .line = "^acre: operator " form "\\(POINTER\\): " what "\n$"              \
    }

/* A case that must pass, in silence, */
#define PASSES(case_name)                                                                          \
    {                                                                                              \
        NAME(case_name), .line = "^$", .others = "^$"                                              \
    }

/* and one to which all allocators are the same, or which asks for more than all promise. */
#define PASSES_ONCE(case_name)                                                                     \
    {                                                                                              \
        NAME(case_name), .line = "^$"                                                              \
    }

static struct dropin_case cases[] = {
    PASSES(huge_malloc),
    PASSES(huge_calloc),
    PASSES(huge_realloc),
    PASSES(huge_aligned),
    PASSES(pages),
    PASSES(bad_alignments),
    PASSES(good_alignments),
    PASSES(natural_alignment),
    PASSES(zero_sizes),
    PASSES(realloc_to_zero),
    PASSES(errno_is_kept),
    PASSES(calloc_is_zero),
    PASSES(realloc_keeps),
    PASSES(sized_frees),
    PASSES_ONCE(every_name),

    MISUSE(free_twice, "free", FREED),
    MISUSE_BUT(free_twice_after_overflow, "free", CORRUPTED, "(" CORRUPTED "|" FREED ")"),
    MISUSE(free_twice_late, "free", FREED),
    MISUSE(free_twice_interleaved, "free", FREED),
    MISUSE_BUT(free_merged, "free",
        "freed already, or never allocated: [0-9]+ bytes into " FREE_BLOCK, FREED),
    MISUSE(free_reissued_larger, "free", INTERIOR),
    MISUSE(realloc_freed, "realloc", FREED),
    MISUSE(realloc_freed_same_size, "realloc", FREED),
    MISUSE(realloc_freed_to_zero, "realloc", FREED),
    MISUSE(realloc_freed_huge, "realloc", FREED),
    MISUSE(reallocarray_freed, "reallocarray", FREED),
    MISUSE(reallocarray_freed_overflow, "reallocarray", FREED),
    MISUSE(usable_size_freed, "malloc_usable_size", FREED),
    MISUSE(free_sized_freed, "free_sized", FREED),
    MISUSE(cfree_freed, "cfree", FREED),
    MISUSE(free_interior, "free", "not the start of a block, but 512 bytes into " LIVE_BLOCK),
    MISUSE(realloc_interior, "realloc", "not the start of a block, but 512 bytes into " LIVE_BLOCK),
    MISUSE(usable_size_interior, "malloc_usable_size",
        "not the start of a block, but 512 bytes into " LIVE_BLOCK),
    MISUSE(free_one_byte_in, "free", "not the start of a block, but 1 bytes into " LIVE_BLOCK),
    MISUSE(free_eight_bytes_in, "free", "not the start of a block, but 8 bytes into " LIVE_BLOCK),
    MISUSE(free_at_end, "free", "(" OWN "|" INTERIOR "|" FREED ")"),
    MISUSE(free_before, "free", "(" OWN "|" INTERIOR "|" FREED ")"),
    MISUSE(free_stack, "free", FOREIGN "in \\[stack\\]"),
    MISUSE(free_global, "free", FOREIGN "in [^ ]*/victim"),
    MISUSE(free_page_aligned_global, "free", FOREIGN "in [^ ]*/victim"),
    MISUSE(free_constant, "free", FOREIGN "in [^ ]*/victim"),
    MISUSE(free_text, "free", FOREIGN "in [^ ]*/victim"),
    MISUSE(free_mapped, "free", FOREIGN "in anonymous memory"),
    MISUSE(free_unreadable, "free", FOREIGN "in anonymous memory"),
    MISUSE(free_one, "free", FOREIGN "where nothing is mapped"),
    MISUSE(free_kernel, "free", FOREIGN "where nothing is mapped"),
    MISUSE(free_top, "free", FOREIGN "where nothing is mapped"),
    MISUSE(free_not_canonical, "free", FOREIGN "where nothing is mapped"),
    MISUSE(realloc_stack, "realloc", FOREIGN "in \\[stack\\]"),
    MISUSE(usable_size_stack, "malloc_usable_size", FOREIGN "in \\[stack\\]"),
    MISUSE(sized_too_large, "free_sized",
        "wrong layout, 1000 bytes aligned to [0-9]+, for " LIVE_BLOCK),
    MISUSE_BUT(sized_after_overflow, "free_sized", CORRUPTED,
        "(" CORRUPTED "|wrong layout, 1000 bytes aligned to [0-9]+, for " LIVE_BLOCK ")"),
    MISUSE(sized_too_small, "free_sized",
        "wrong layout, 100 bytes aligned to [0-9]+, for " LIVE_BLOCK),
    MISUSE(sized_wrong_alignment, "free_aligned_sized",
        "wrong layout, 100 bytes aligned to [0-9]+, for " LIVE_BLOCK),
    MISUSE(free_here_then_there, "free", FREED),
    MISUSE(free_there_after_here, "free", FREED),
    MISUSE(free_from_two_threads, "free", FREED),
    MISUSE(free_there_twice, "free", FREED),
    MISUSE(free_by_heir, "free", FREED),
    MISUSE(free_of_ended_thread, "free", FREED),
    /* The heap per thread keeps no metadata beside blocks or in them. */
    { NAME(write_past_end), .where = DROPIN_THREADED, .line = "^$" },
    { NAME(write_into_freed), .where = DROPIN_THREADED, .line = "^$" },
    PASSES(hook_overrides),
    { NAME(hook_returns), .signal = SIGABRT, .line = "^hook\n$" },
    { NAME(malloc_in_handler), .signal = SIGABRT, .where = DROPIN_REGISTRY,
        .line =
            "^acre: a thread called malloc or free while it was inside malloc or free: [^\n]*\n$" },

    { NAME(all_forms), .victim = DROPIN_OPERATORS, .line = "^$" },
    { NAME(no_memory_throws), .victim = DROPIN_OPERATORS, .line = "^$" },
    { NAME(all_forms_are_the_programs), .victim = DROPIN_REPLACED, .line = "^$" },
    { NAME(array_forms_are_the_programs), .victim = DROPIN_ARRAYS, .line = "^$" },
    { NAME(handler_makes_room), .victim = DROPIN_OPERATORS, .variables = { "ACRE_POOL=4M" },
        .line = "^$" },
    MISUSE_CPP(delete_twice, "delete", FREED),
    MISUSE_CPP(delete_array_twice, "delete\\[\\]", FREED),
    MISUSE_CPP(delete_wrong_size, "delete", "wrong layout, 1000 bytes[^\n]*, for " LIVE_BLOCK),
    MISUSE_CPP(
        delete_array_wrong_size, "delete\\[\\]", "wrong layout, 100 bytes[^\n]*, for " LIVE_BLOCK),
    MISUSE_CPP(delete_wrong_alignment, "delete",
        "wrong layout, [0-9]+ bytes aligned to 256, for " LIVE_BLOCK),
    MISUSE_CPP(delete_wrong_alignment_sized, "delete",
        "wrong layout, 100 bytes aligned to 256, for " LIVE_BLOCK),

    PASSES_ONCE(constructors_and_exit),
    PASSES_ONCE(thread_local_destructors),
    PASSES_ONCE(dynamic_loading),
    PASSES_ONCE(unloading_is_refused),
    PASSES_ONCE(fork_with_threads),
    PASSES_ONCE(fork_among_streams),
    PASSES_ONCE(fork_handlers_that_allocate),
    PASSES_ONCE(fork_inside_malloc),
    { NAME(fork_inside_handlers), .early = true, .where = DROPIN_REGISTRY, .line = "^$" },
    PASSES_ONCE(grandchildren),
    PASSES_ONCE(threads_exchange),
    PASSES_ONCE(handler_that_leaves),

    { NAME(exhaust_and_free), .where = DROPIN_REGISTRY, .variables = { "ACRE_POOL=16M" },
        .line = "^$" },
    { NAME(exhaust_again), .variables = { "ACRE_POOL=16M" }, .line = "^$", .others = "^$" },
    { NAME(pool_is_capped), .variables = { "ACRE_POOL=4194304" }, .line = "^$", .others = "^$" },
    { .name = "pool_is_capped_to_the_page",
        .arguments = "pool_is_capped",
        .variables = { "ACRE_POOL=1052672" },
        .line = "^$" },
    { .name = "pool_is_capped_to_less",
        .arguments = "pool_is_capped",
        .where = DROPIN_REGISTRY,
        .variables = { "ACRE_POOL=300000" },
        .line = "^$" },
    { NAME(block_across_seams), .where = DROPIN_REGISTRY, .line = "^$" },
    PASSES(refused_costs_nothing),
    PASSES(trim_gives_back),
    PASSES(trim_gives_all_back),
    { NAME(freed_memory_goes_back), .where = DROPIN_THREADED, .line = "^$" },
    PASSES(large_blocks),
    PASSES_ONCE(growth_moves_pages),
    MISUSE(free_large_twice, "free", "(" FOREIGN "(where nothing is mapped|in [^\n]*)|" FREED ")"),
    MISUSE(free_inside_large, "free",
        "not the start of a block, but 5 bytes into the live block of [0-9]+ bytes at "
        "0x[0-9a-f]+[^\n]*"),
    MISUSE(
        sized_wrong_large, "free_sized", "wrong layout, 100 bytes aligned to [0-9]+, for [^\n]*"),
    PASSES(trim_among_small_blocks),
    PASSES(trim_at_page_edges),
    { NAME(limited_addresses), .addresses = 256 << 20, .line = "^$", .others = "^$" },
    PASSES(late_limit),
    PASSES(no_more_mappings),
    { NAME(failing_malloc), .failing = true, .line = "^$", .others = "^$" },
    { NAME(failing_calloc), .failing = true, .line = "^$", .others = "^$" },
    { NAME(failing_aligned), .failing = true, .line = "^$", .others = "^$" },
    { NAME(failing_realloc), .failing = true, .line = "^$", .others = "^$" },
    { NAME(free_cannot_fail), .failing = true, .line = "^$", .others = "^$" },
    { .name = "failing_start_1",
        .arguments = "failing_start",
        .failing = true,
        .variables = { "FAIL_AT=1" },
        .line = "^$",
        .others = "^$" },
    { .name = "failing_start_2",
        .arguments = "failing_start",
        .failing = true,
        .variables = { "FAIL_AT=2" },
        .line = "^$",
        .others = "^$" },
    { .name = "failing_start_3",
        .arguments = "failing_start",
        .failing = true,
        .variables = { "FAIL_AT=3" },
        .line = "^$",
        .others = "^$" },
    { .name = "failing_start_4",
        .arguments = "failing_start",
        .failing = true,
        .variables = { "FAIL_AT=4" },
        .line = "^$",
        .others = "^$" },
    { .name = "failing_start_5",
        .arguments = "failing_start",
        .failing = true,
        .variables = { "FAIL_AT=5" },
        .line = "^$",
        .others = "^$" },
    { NAME(replaced_functions), .hostile = true, .line = "^$", .others = "^$" },
    PASSES(sandboxed),
    PASSES(reserves_nothing),

#define STATS(allocator)                                                                           \
    "acre\\[[0-9]+\\]: allocator=" allocator " total=[0-9]+ metadata=[0-9]+ used=[0-9]+ "          \
    "available=[0-9]+ peak=[0-9]+ largest_free=[0-9]+ live_blocks=[0-9]+ failed=[0-9]+\n"
    { NAME(accounts), .line = "^" STATS("[a-z/-]+") "$", .others = "^" STATS("[a-z/-]+") "$" },
    { .name = "stats_at_exit",
        .arguments = "nothing",
        .variables = { "ACRE_STATS=1" },
        .line = "^" STATS("[a-z/-]+") "$" },
    { .name = "stats_of_the_allocator_asked_for",
        .arguments = "nothing",
        .where = DROPIN_DEFAULT,
        .variables = { "ACRE_STATS=1", "ACRE_ALLOCATOR=tlsf" },
        .line = "^" STATS("tlsf") "$" },
    { .name = "stats_after_closing",
        .arguments = "close_everything",
        .variables = { "ACRE_STATS=1" },
        .line = "^" STATS("[a-z/-]+") "$" },
    { .name = "stats_after_closing_the_others",
        .arguments = "close_the_others",
        .variables = { "ACRE_STATS=1" },
        .line = "^" STATS("[a-z/-]+") "$" },
#define LEFT_STATS                                                                                 \
    "^acre\\[[0-9]+\\]: [^\n]* used=4[0-9]{6} [^\n]* peak=4[0-9]{6} [^\n]* "                       \
    "live_blocks=40[0-9]{2} "                                                                      \
    "failed=0\n$"
    { .name = "stats_of_ended_threads",
        .arguments = "threads_leave_blocks",
        .variables = { "ACRE_STATS=1" },
        .line = LEFT_STATS,
        .others = LEFT_STATS },
    { .name = "no_stats", .arguments = "nothing", .variables = { "ACRE_STATS=0" }, .line = "^$" },
    { .name = "help",
        .arguments = "nothing",
        .variables = { "ACRE_HELP=1" },
        .line = "^acre: .*ACRE_ALLOCATOR.*ACRE_POOL.*ACRE_STATS.*ACRE_HELP.*\n$" },
    { .name = "unknown_allocator",
        .arguments = "nothing",
        .where = DROPIN_DEFAULT,
        .variables = { "ACRE_ALLOCATOR=none" },
        .status = 125,
        .line = "^acre: invalid ACRE_ALLOCATOR='none' \\(choose from [a-z0-9, ()/-]+\\)\n$" },
    { .name = "pool_no_number",
        .arguments = "nothing",
        .variables = { "ACRE_POOL=lots" },
        .status = 125,
        .line = "^acre: invalid ACRE_POOL='lots' \\(expected a size in bytes, such as 64M\\)\n$" },
    { .name = "pool_wrong_unit",
        .arguments = "nothing",
        .variables = { "ACRE_POOL=64X" },
        .status = 125,
        .line = "^acre: invalid ACRE_POOL='64X' \\(expected a size in bytes, such as 64M\\)\n$" },
    { .name = "pool_negative",
        .arguments = "nothing",
        .variables = { "ACRE_POOL=-1" },
        .status = 125,
        .line = "^acre: invalid ACRE_POOL='-1' \\(expected a size in bytes, such as 64M\\)\n$" },
    { .name = "pool_overflow",
        .arguments = "nothing",
        .variables = { "ACRE_POOL=99999999999999999999999" },
        .status = 125,
        .line = "^acre: invalid ACRE_POOL='9+' \\(expected a size in bytes, such as 64M\\)\n$" },
    { .name = "pool_unit_overflow",
        .arguments = "nothing",
        .variables = { "ACRE_POOL=99999999T" },
        .status = 125,
        .line = "^acre: invalid ACRE_POOL='9+T' \\(expected a size in bytes, such as 64M\\)\n$" },
    { .name = "pool_too_small",
        .arguments = "nothing",
        .variables = { "ACRE_POOL=100" },
        .status = 125,
        .line = "^acre: invalid ACRE_POOL='100' \\(expected four pages or more\\)\n$" },
    { .name = "stats_no_switch",
        .arguments = "nothing",
        .variables = { "ACRE_STATS=perhaps" },
        .status = 125,
        .line = "^acre: invalid ACRE_STATS='perhaps' \\(expected 0 or 1\\)\n$" },
};

enum { case_count = sizeof cases / sizeof *cases, most_allocators = 8 };

/* The cases that are tried with other allocators than the first; their names. */
static struct dropin_case variants[case_count * most_allocators];
static char names[case_count * most_allocators][64];

static struct CMUnitTest test_of(struct dropin_case *test)
{
    return (struct CMUnitTest){ test->name, dropin_check, NULL, NULL, test };
}

/* Whether the default backend is the heap per thread, which keeps nothing in blocks. */
enum { has_threaded = ACRE_THREADED && ACRE_BITMAP };

static bool is_registry_default(const char *allocator)
{
    return acre_backend_default() != NULL && strcmp(acre_backend_default()->name, allocator) == 0;
}

/* A case as it is with another allocator; false: it is not tried with that one. */
static bool make_variant(const struct dropin_case *of, const char *allocator, size_t count)
{
    const char *line = is_registry_default(allocator) ? of->line : of->others;
    if (line == NULL || of->where == DROPIN_DEFAULT || of->where == DROPIN_THREADED)
        return false;
    if (strcmp(allocator, "arena") == 0 && strcmp(of->name, "free_reissued_larger") == 0)
        return false; /* an arena does not use the memory again */
    snprintf(names[count], sizeof names[0], "%s %s", allocator, of->name);
    variants[count] = *of;
    variants[count].name = names[count];
    variants[count].line = line;
    variants[count].allocator = allocator;
    return true;
}

/* Puts the cases with another allocator behind `count` tests; how many there are then. */
static size_t add_variants(const char *allocator, struct CMUnitTest *tests, size_t count)
{
    static size_t made;
    for (size_t i = 0; i < case_count && made < case_count * most_allocators; i++)
        if (make_variant(&cases[i], allocator, made))
            tests[count++] = test_of(&variants[made++]);
    return count;
}

/* The cases with the default backend; how many there are. */
static size_t add_cases(struct CMUnitTest *tests)
{
    static struct dropin_case defaults[case_count];
    size_t count = 0;
    for (size_t i = 0; i < case_count; i++) {
        if (cases[i].where == (has_threaded ? DROPIN_REGISTRY : DROPIN_THREADED))
            continue;
        defaults[i] = cases[i];
        if (has_threaded && cases[i].others != NULL)
            defaults[i].line = cases[i].others;
        tests[count++] = test_of(&defaults[i]);
    }
    return count;
}

int main(int count, char **arguments)
{
    static struct CMUnitTest tests[case_count * (1 + most_allocators)];
    if (count != 9) {
        fprintf(stderr, "usage: %s VICTIM DROPIN FAILING HOSTILE EARLY OPERATORS REPLACED ARRAYS\n",
            arguments[0]);
        return 2;
    }
    dropin_prepare((struct dropin_files){
        .victims = { arguments[1], arguments[6], arguments[7], arguments[8] },
        .dropin = arguments[2],
        .failing = arguments[3],
        .hostile = arguments[4],
        .early = arguments[5] });
    size_t test_count = add_cases(tests);
    for (const struct acre_backend *backend = acre_backends; backend->name != NULL; backend++)
        if (*backend->setting == '\0' && strcmp(backend->name, "threaded") != 0 &&
            (has_threaded || !is_registry_default(backend->name)))
            test_count = add_variants(backend->name, tests, test_count);
    return _cmocka_run_group_tests("dropin", tests, test_count, NULL, NULL);
}
