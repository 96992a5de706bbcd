/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * usage: test_harden VICTIM DROPIN
 *
 * The drop-in malloc at each level of ACRE_HARDEN, seen from outside: whole programs, held to an
 * exact outcome.
 */
#include "dropin_process.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ADDRESS "0x[0-9a-f]+"
#define REGION "; the pointer is in region " ADDRESS "-" ADDRESS " \\(threaded\\)"
#define THREAD "; allocated by thread [0-9]+"
#define BEFORE "; freed before by thread [0-9]+ at " ADDRESS " \\([^\n]*/victim\\+" ADDRESS "\\)"
#define BEHIND(call, bytes, size)                                                                  \
    "^acre: " call ": " ADDRESS " was written, " bytes " bytes behind the live block of " size     \
    " bytes at POINTER"
#define FREED                                                                                      \
    "^acre: free\\(POINTER\\): freed already: the start of the free block of [0-9]+ bytes "        \
    "at " ADDRESS REGION

#define DEEP "^acre: warning: [^\n]*/libdeep.so is opened with RTLD_DEEPBIND, so it [^\n]*\n"

enum { LEVELS = 3 };

/* A victim's case, and how it ends at levels 0, 1 and 2. Null: it is not run there. */
struct outcome_at {
    int signal;
    const char *line;
};

struct level_case {
    const char *name;
    struct outcome_at at[LEVELS];
    const char *variable; /* one more */
};

#define SILENT                                                                                     \
    {                                                                                              \
        .line = "^$"                                                                               \
    }
#define FAULT                                                                                      \
    {                                                                                              \
        .signal = SIGSEGV, .line = "^$"                                                            \
    }
#define STOPS(text)                                                                                \
    {                                                                                              \
        .signal = SIGABRT, .line = text                                                            \
    }
#define ALWAYS(row)                                                                                \
    {                                                                                              \
        .name = (row), .at = { SILENT, SILENT, SILENT }                                            \
    }
#define ANY_MISUSE STOPS("^acre: [a-z_]+\\(POINTER\\): [^\n]*\n$")
#define MISUSE(row)                                                                                \
    {                                                                                              \
        .name = (row), .at = { ANY_MISUSE, ANY_MISUSE, ANY_MISUSE }                                \
    }

/* Nothing at level 0, and a line from level 1 on. */
#define FOUND(row, text)                                                                           \
    {                                                                                              \
        .name = (row), .at = { SILENT, STOPS(text), STOPS(text) }                                  \
    }

static const struct level_case table[] = {
    FOUND("overflow_by_one", BEHIND("free", "0", "100") REGION THREAD "\n$"),
    FOUND("overflow_of_zeroes", BEHIND("free", "0", "100")),
    FOUND("overflow_by_twenty", BEHIND("free", "19", "1000")),
    FOUND("overflow_then_realloc", BEHIND("realloc", "0", "100")),
    FOUND("overflow_then_resize", BEHIND("realloc", "0", "100")),
    FOUND("overflow_after_shrink", BEHIND("free", "0", "99")),
    FOUND("overflow_unseen", BEHIND("malloc", "0", "100")),
    FOUND("overflow_aligned", BEHIND("free", "0", "100")),
    FOUND("overflow_of_large", BEHIND("free", "0", "100001")),
    { .name = "underflow_by_one",
        .at = { { .line = NULL }, STOPS("^acre: free: [^\n]* 1 bytes before the block at POINTER"),
            STOPS("^acre: free: [^\n]* 1 bytes before the block at POINTER") } },
    { .name = "underflow_of_next",
        .at = { { .line = NULL }, STOPS("^acre: free: [^\n]* 1 bytes before the block at POINTER"),
            STOPS("^acre: free: [^\n]* 1 bytes before the block at POINTER") } },
    { .name = "overflow_far", .at = { { .line = NULL }, { .line = NULL }, FAULT } },
    { .name = "underflow_of_large", .at = { { .line = NULL }, { .line = NULL }, FAULT } },
    FOUND("write_after_free",
        "^acre: malloc: [^\n]* 5 bytes into the free block at POINTER" REGION THREAD "\n$"),
    { .name = "write_after_free_of_large", .at = { SILENT, { .line = NULL }, FAULT } },
    { .name = "read_after_free_of_large", .at = { { .line = NULL }, { .line = NULL }, FAULT } },
    { .name = "free_after_reuse", .at = { SILENT, STOPS(FREED), STOPS(FREED) } },
    { .name = "free_large_after_reuse",
        .at = { { .line = NULL }, { .line = NULL },
            STOPS("^acre: free\\(POINTER\\): freed already: the start of a large block at ") } },
    { .name = "not_reused_at_once", .at = { { .line = NULL }, SILENT, SILENT } },
    { .name = "reused_in_other_order", .at = { { .line = NULL }, SILENT, SILENT } },
    { .name = "write_no_bytes", .at = { SILENT, FAULT, FAULT } },
    { .name = "read_no_bytes", .at = { SILENT, FAULT, FAULT } },
    { .name = "free_no_bytes_twice",
        .at = { STOPS(FREED),
            STOPS("^acre: free\\(POINTER\\): freed already, or never allocated: where blocks of 0 "
                  "bytes are\n$"),
            STOPS("^acre: free\\(POINTER\\): freed already, or never allocated: where blocks of 0 "
                  "bytes are\n$") } },
    { .name = "many_of_no_bytes", .at = { { .line = NULL }, SILENT, SILENT } },
    { .name = "small_blocks_are_zero", .at = { { .line = NULL }, { .line = NULL }, SILENT } },
    { .name = "all_blocks_are_zero", .at = { { .line = NULL }, { .line = NULL }, SILENT } },
    { .name = "usable_is_requested", .at = { { .line = NULL }, SILENT, SILENT } },
    { .name = "usable_is_a_class", .at = { SILENT, { .line = NULL }, { .line = NULL } } },
    { .name = "in_place", .at = { { .line = NULL }, SILENT, SILENT } },
    ALWAYS("resized"),
    ALWAYS("cleared"),
    ALWAYS("aligned"),
    FOUND("overflow_in_thread", BEHIND("free", "0", "100")),
    FOUND("write_after_free_in_thread",
        "^acre: malloc: [^\n]* 5 bytes into the free block at POINTER"),
    ALWAYS("blocks_of_other_threads"),

    /* Who allocated a block, and where it was freed before. */
    ALWAYS("owner_is_named"),
    { .name = "owner_is_named",
        .at = { SILENT, SILENT, SILENT },
        .variable = "ACRE_TRACE_FREES=1" },
    { .name = "free_twice",
        .at = { STOPS(FREED THREAD "\n$"), STOPS(FREED THREAD "\n$"), STOPS(FREED THREAD "\n$") } },
    { .name = "free_twice",
        .at = { STOPS(FREED THREAD BEFORE "\n$"), STOPS(FREED THREAD BEFORE "\n$"),
            STOPS(FREED THREAD BEFORE "\n$") },
        .variable = "ACRE_TRACE_FREES=1" },
    { .name = "free_here_then_there",
        .at = { STOPS(FREED THREAD BEFORE "\n$"), STOPS(FREED THREAD BEFORE "\n$"),
            STOPS(FREED THREAD BEFORE "\n$") },
        .variable = "ACRE_TRACE_FREES=1" },
    { .name = "write_after_free",
        .at = { SILENT, STOPS("^acre: malloc: [^\n]*" BEFORE "\n$"),
            STOPS("^acre: malloc: [^\n]*" BEFORE "\n$") },
        .variable = "ACRE_TRACE_FREES=1" },
    { .name = "overflow_by_one",
        .at = { SILENT, STOPS(BEHIND("free", "0", "100") REGION THREAD "\n$"),
            STOPS(BEHIND("free", "0", "100") REGION THREAD "\n$") },
        .variable = "ACRE_TRACE_FREES=1" },
    { .name = "blocks_of_other_threads",
        .at = { SILENT, SILENT, SILENT },
        .variable = "ACRE_TRACE_FREES=1" },

    /* Accounts over all threads; a library with the C library's malloc. */
    ALWAYS("accounts_of_threads"),
    { .name = "deep_library", .at = { { .line = DEEP "$" }, { .line = NULL }, { .line = NULL } } },
    { .name = "deep_block",
        .at = { STOPS(DEEP "acre: free\\(" ADDRESS "\\): not allocated by acre: the pointer is in "
                           "\\[heap\\]\n$"),
            { .line = NULL }, { .line = NULL } } },

    /* The rest of the drop-in's promises. */
    ALWAYS("huge_malloc"),
    ALWAYS("huge_calloc"),
    ALWAYS("huge_realloc"),
    ALWAYS("huge_aligned"),
    ALWAYS("pages"),
    ALWAYS("bad_alignments"),
    ALWAYS("good_alignments"),
    ALWAYS("natural_alignment"),
    ALWAYS("zero_sizes"),
    ALWAYS("realloc_to_zero"),
    ALWAYS("errno_is_kept"),
    ALWAYS("calloc_is_zero"),
    ALWAYS("realloc_keeps"),
    ALWAYS("every_name"),
    ALWAYS("constructors_and_exit"),
    ALWAYS("thread_local_destructors"),
    ALWAYS("dynamic_loading"),
    ALWAYS("fork_with_threads"),
    ALWAYS("fork_among_streams"),
    ALWAYS("fork_handlers_that_allocate"),
    ALWAYS("grandchildren"),
    ALWAYS("threads_exchange"),
    ALWAYS("large_blocks"),
    ALWAYS("refused_costs_nothing"),
    ALWAYS("sandboxed"),
    MISUSE("free_twice"),
    MISUSE("free_twice_late"),
    MISUSE("free_twice_interleaved"),
    MISUSE("realloc_freed"),
    MISUSE("realloc_freed_same_size"),
    MISUSE("usable_size_freed"),
    MISUSE("free_sized_freed"),
    MISUSE("free_interior"),
    MISUSE("realloc_interior"),
    MISUSE("free_one_byte_in"),
    MISUSE("free_eight_bytes_in"),
    MISUSE("free_at_end"),
    MISUSE("free_before"),
    MISUSE("free_stack"),
    MISUSE("free_global"),
    MISUSE("free_mapped"),
    MISUSE("free_one"),
    MISUSE("free_kernel"),
    MISUSE("free_not_canonical"),
    MISUSE("free_here_then_there"),
    MISUSE("free_there_after_here"),
    MISUSE("free_from_two_threads"),
    MISUSE("sized_too_large"),
    MISUSE("sized_too_small"),
    MISUSE("free_large_twice"),
    MISUSE("free_inside_large"),
    MISUSE("sized_wrong_large"),
};

enum { TABLE = sizeof table / sizeof *table };

/* Settings that make no sense. */
static struct dropin_case refused[] = {
    { .name = "harden_three",
        .arguments = "nothing",
        .variables = { "ACRE_HARDEN=3" },
        .status = 125,
        .line = "^acre: invalid ACRE_HARDEN='3' \\(expected 0, 1 or 2\\)\n$" },
    { .name = "harden_word",
        .arguments = "nothing",
        .variables = { "ACRE_HARDEN=1x" },
        .status = 125,
        .line = "^acre: invalid ACRE_HARDEN='1x' \\(expected 0, 1 or 2\\)\n$" },
    { .name = "harden_other_backend",
        .arguments = "nothing",
        .variables = { "ACRE_HARDEN=1", "ACRE_ALLOCATOR=tlsf" },
        .status = 125,
        .line =
            "^acre: invalid ACRE_HARDEN='1' \\(expected ACRE_ALLOCATOR=threaded with it\\)\n$" },
    { .name = "trace_other_backend",
        .arguments = "nothing",
        .variables = { "ACRE_TRACE_FREES=1", "ACRE_ALLOCATOR=tlsf" },
        .status = 125,
        .line = "^acre: invalid ACRE_TRACE_FREES='1' \\(expected ACRE_ALLOCATOR=threaded with "
                "it\\)\n$" },
    { .name = "trace_no_switch",
        .arguments = "nothing",
        .variables = { "ACRE_TRACE_FREES=2" },
        .status = 125,
        .line = "^acre: invalid ACRE_TRACE_FREES='2' \\(expected 0 or 1\\)\n$" },
};

enum { REFUSED = sizeof refused / sizeof *refused };

/* The case of a row at a level; false: there is none. */
static bool make_level(
    const struct level_case *row, int level, struct dropin_case *made, char *name)
{
    static const char *const settings[LEVELS] = { "ACRE_HARDEN=0", "ACRE_HARDEN=1",
        "ACRE_HARDEN=2" };
    if (row->at[level].line == NULL)
        return false;
    snprintf(name, 80, "level %d %s%s", level, row->name, row->variable != NULL ? " traced" : "");
    *made = (struct dropin_case){ .name = name,
        .arguments = row->name,
        .variables = { settings[level], row->variable },
        .signal = row->at[level].signal,
        .line = row->at[level].line };
    return true;
}

int main(int count, char **arguments)
{
    static struct dropin_case cases[TABLE * LEVELS];
    static char names[TABLE * LEVELS][80];
    static struct CMUnitTest tests[TABLE * LEVELS + REFUSED];
    size_t made = 0;
    if (count != 3) {
        fprintf(stderr, "usage: %s VICTIM DROPIN\n", arguments[0]);
        return 2;
    }
    dropin_prepare((struct dropin_files){ .victims = { arguments[1] },
        .dropin = arguments[2],
        .failing = "",
        .hostile = "",
        .early = "" });
    for (size_t i = 0; i < (size_t)TABLE * LEVELS; i++)
        if (make_level(&table[i / LEVELS], (int)(i % LEVELS), &cases[made], names[made])) {
            tests[made] =
                (struct CMUnitTest){ names[made], dropin_check, NULL, NULL, &cases[made] };
            made++;
        }
    for (size_t i = 0; i < REFUSED; i++)
        tests[made++] =
            (struct CMUnitTest){ refused[i].name, dropin_check, NULL, NULL, &refused[i] };
    return _cmocka_run_group_tests("harden", tests, made, NULL, NULL);
}
