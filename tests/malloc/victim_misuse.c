/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Pointers that are no blocks. Every case names the pointer it is about on standard output, as the
 * message is expected to, and must not return.
 */
#include "victim.h"

#include <inttypes.h>
#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

enum { small = 100, many = 1024 };

static char page_aligned[4096] __attribute__((aligned(4096))) = "initialised";
static const char constant[64] = "constant";

/* Tells what the message must name, without the stream buffers that would allocate. */
static void *about(void *ptr)
{
    char line[32];
    int length = snprintf(line, sizeof line, "0x%" PRIxPTR "\n", (uintptr_t)ptr);
    CHECK(write(1, line, (size_t)length) == length);
    return victim_hide(ptr);
}

static char *block(void)
{
    char *ptr = malloc(small);
    CHECK(ptr != NULL);
    memset(ptr, 1, small);
    return ptr;
}

/* A block that is freed while its neighbours live, so that it stands alone. */
static char *freed(void)
{
    char *before = block();
    char *ptr = block();
    char *after = block();
    CHECK(before != after);
    free(ptr);
    return victim_hide(ptr);
}

/* A block that is freed together with both neighbours, so that it lies inside a larger free one. */
static char *merged(void)
{
    char *ptrs[5];
    for (int i = 0; i < 5; i++)
        ptrs[i] = block();
    for (int i = 1; i < 4; i++)
        free(ptrs[i]);
    return victim_hide(ptrs[2]);
}

static void free_twice(void)
{
    free(about(freed()));
}

static void overflow(char *ptr)
{
    memset(ptr + malloc_usable_size(ptr), 0xfc, sizeof(int));
}

/* The message must come even when the blocks no longer lead to the one it is about, whichever way
 * they follow each other. */
static void free_twice_after_overflow(void)
{
    char *ptrs[7];
    for (int i = 0; i < 7; i++)
        ptrs[i] = block();
    free(about(ptrs[3]));
    overflow(victim_hide(ptrs[1]));
    overflow(victim_hide(ptrs[5]));
    free(victim_hide(ptrs[3]));
}

static void free_twice_late(void)
{
    void *ptrs[many];
    void *ptr = about(freed());
    for (int i = 0; i < many; i++)
        ptrs[i] = malloc(small * 4);
    for (int i = 0; i < many; i++)
        free(ptrs[i]);
    free(ptr);
}

static void free_twice_interleaved(void)
{
    char *a = block();
    char *b = block();
    char *wall = block();
    CHECK(wall != NULL);
    free(a);
    free(b);
    free(about(a));
}

static void free_merged(void)
{
    free(about(merged()));
}

/* The first of some pointers that lies in a block behind its start. */
static char *within(char *const *ptrs, size_t count, const char *block, size_t size)
{
    for (size_t i = 0; i < count; i++)
        if (ptrs[i] > block && ptrs[i] < block + size)
            return ptrs[i];
    return NULL;
}

/* What was freed in pieces is handed out again in larger ones, until one has a piece in it. */
static void free_reissued_larger(void)
{
    enum { pieces = 512, tries = 16, size = 50 * 3000 };
    static char *ptrs[pieces];
    char *inside = NULL;
    for (int i = 0; i < pieces; i++)
        ptrs[i] = malloc(3000);
    for (int i = 1; i < pieces - 1; i++)
        free(ptrs[i]);
    for (int i = 0; i < tries && inside == NULL; i++)
        inside = within(ptrs + 1, pieces - 2, malloc(size), size);
    CHECK(inside != NULL);
    free(about(inside));
}

static void realloc_freed(void)
{
    CHECK(realloc(about(freed()), small * 2) != NULL);
}

static void realloc_freed_same_size(void)
{
    CHECK(realloc(about(freed()), small) != NULL);
}

static void realloc_freed_to_zero(void)
{
    CHECK(realloc(about(freed()), 0) == NULL);
}

static void realloc_freed_huge(void)
{
    CHECK(realloc(about(freed()), SIZE_MAX) == NULL);
}

static void reallocarray_freed(void)
{
    CHECK(reallocarray(about(freed()), 10, 10) != NULL);
}

static void reallocarray_freed_overflow(void)
{
    CHECK(reallocarray(about(freed()), SIZE_MAX, 2) == NULL);
}

static void usable_size_freed(void)
{
    CHECK(malloc_usable_size(about(freed())) != 0);
}

static void free_sized_freed(void)
{
    void (*sized)(void *, size_t) = (void (*)(void *, size_t))victim_symbol("free_sized");
    sized(about(freed()), small);
}

static void cfree_freed(void)
{
    void (*old)(void *) = (void (*)(void *))victim_symbol("cfree");
    old(about(freed()));
}

/* Looks like the header of a block to an allocator that believes what it finds. */
static char *forged(void)
{
    uintptr_t *words = (uintptr_t *)(void *)malloc(1024);
    for (size_t i = 0; i < 1024 / sizeof *words; i++)
        words[i] = i % 2 == 0 ? 64 : 65;
    return (char *)words;
}

static void free_interior(void)
{
    free(about(forged() + 512));
}

static void realloc_interior(void)
{
    CHECK(realloc(about(forged() + 512), 64) != NULL);
}

static void usable_size_interior(void)
{
    CHECK(malloc_usable_size(about(forged() + 512)) != 0);
}

static void free_one_byte_in(void)
{
    free(about(block() + 1));
}

static void free_eight_bytes_in(void)
{
    free(about(block() + 8));
}

/* Where the next block starts at once, that end is its start, and half of it is none's. */
/* The end of a block that no other block, the C library's own included, begins at. */
static void free_at_end(void)
{
    char *ptr = block();
    char *next = block();
    for (int i = 0; i < 16 && ptr + malloc_usable_size(ptr) != next; i++) {
        ptr = next;
        next = block();
    }
    size_t end = malloc_usable_size(ptr);
    free(about(ptr + end == next ? next + malloc_usable_size(next) / 2 : ptr + end));
}

static void *large(void)
{
    void *ptr = malloc(64 << 20);
    CHECK(ptr != NULL);
    return ptr;
}

static void free_large_twice(void)
{
    void *ptr = large();
    free(ptr);
    free(about(ptr));
}

static void free_inside_large(void)
{
    free(about((char *)large() + 5));
}

static void sized_wrong_large(void)
{
    void (*sized)(void *, size_t) = (void (*)(void *, size_t))victim_symbol("free_sized");
    sized(about(large()), 100);
}

static void free_before(void)
{
    free(about(block() - 8));
}

static void free_stack(void)
{
    char local[64];
    free(about(local));
}

static void free_global(void)
{
    free(about(page_aligned + 16));
}

static void free_page_aligned_global(void)
{
    free(about(page_aligned));
}

static void free_constant(void)
{
    free(about((void *)(uintptr_t)constant));
}

static void free_text(void)
{
    free(about((void *)(uintptr_t)free_text));
}

static void free_mapped(void)
{
    char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(map != MAP_FAILED);
    free(about(map + 16));
}

/* Reading through the pointer would end in SIGSEGV. */
static void free_unreadable(void)
{
    char *map = mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(map != MAP_FAILED);
    free(about(map + 4096));
}

static void free_one(void)
{
    free(about((void *)1));
}

static void free_kernel(void)
{
    free(about((void *)(UINTPTR_MAX - 4095)));
}

static void free_top(void)
{
    free(about((void *)(UINTPTR_MAX & ~(uintptr_t)15)));
}

static void free_not_canonical(void)
{
    free(about((void *)(uintptr_t)(UINTPTR_MAX / 2 + 16)));
}

static void realloc_stack(void)
{
    char local[64];
    CHECK(realloc(about(local), 128) != NULL);
}

static void usable_size_stack(void)
{
    char local[64];
    CHECK(malloc_usable_size(about(local)) != 0);
}

static void sized_too_large(void)
{
    void (*sized)(void *, size_t) = (void (*)(void *, size_t))victim_symbol("free_sized");
    sized(about(block()), small * 10);
}

/* What the block before wrote over may be the size that the layout is held against. */
static void sized_after_overflow(void)
{
    void (*sized)(void *, size_t) = (void (*)(void *, size_t))victim_symbol("free_sized");
    char *ptrs[3] = { block(), block(), block() };
    overflow(victim_hide(ptrs[0] < ptrs[1] ? ptrs[0] : ptrs[1]));
    sized(about(ptrs[0] < ptrs[1] ? ptrs[1] : ptrs[0]), small * 10);
}

static void sized_too_small(void)
{
    void (*sized)(void *, size_t) = (void (*)(void *, size_t))victim_symbol("free_sized");
    sized(about(malloc(4000)), small);
}

static void sized_wrong_alignment(void)
{
    void (*sized)(void *, size_t, size_t) =
        (void (*)(void *, size_t, size_t))victim_symbol("free_aligned_sized");
    char *ptr = block();
    size_t align = 16;
    while ((uintptr_t)ptr % align == 0)
        align *= 2;
    sized(about(ptr), align, small);
}

static void *free_it(void *ptr)
{
    free(ptr);
    return NULL;
}

static void free_here_then_there(void)
{
    pthread_t thread;
    char *ptr = block();
    char *wall = block();
    CHECK(wall != NULL && pthread_create(&thread, NULL, free_it, ptr) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    free(about(ptr));
}

static void free_there_after_here(void)
{
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, free_it, about(freed())) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
}

static pthread_barrier_t barrier;

static void *free_together(void *ptr)
{
    pthread_barrier_wait(&barrier);
    free(ptr);
    return NULL;
}

/* Both free one block at a time; the one that comes second stops the process. */
static void free_from_two_threads(void)
{
    pthread_t threads[2];
    void *ptr = about(block());
    char *wall = block();
    CHECK(wall != NULL && pthread_barrier_init(&barrier, NULL, 2) == 0);
    for (int i = 0; i < 2; i++)
        CHECK(pthread_create(&threads[i], NULL, free_together, ptr) == 0);
    for (int i = 0; i < 2; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
}

static void *make_block(void *argument)
{
    (void)argument;
    return block();
}

static void *in_thread(void *(*run)(void *), void *argument)
{
    pthread_t thread;
    void *result = NULL;
    CHECK(pthread_create(&thread, NULL, run, argument) == 0);
    CHECK(pthread_join(thread, &result) == 0);
    return result;
}

/* Both frees by a thread that does not own the block. */
static void free_there_twice(void)
{
    char *ptr = about(block());
    char *wall = block();
    CHECK(wall != NULL);
    in_thread(free_it, ptr);
    in_thread(free_it, ptr);
}

static void *free_and_end(void *argument)
{
    char *ptr = block();
    char *wall = block();
    CHECK(wall != NULL);
    (void)argument;
    free(ptr);
    return ptr;
}

/* The second free is by the thread that takes over the heap of the one that ended. */
static void free_by_heir(void)
{
    in_thread(free_it, about(in_thread(free_and_end, NULL)));
}

/* The owner has ended before both. */
static void free_of_ended_thread(void)
{
    char *ptr = about(in_thread(make_block, NULL));
    free(ptr);
    in_thread(free_it, ptr);
}

static void allocate_in_handler(int number)
{
    (void)number;
    free(malloc(100)); /* NOLINT(bugprone-signal-handler,cert-sig30-c): the fault under test */
}

/* The timer ticks until a tick falls into the allocator. */
static void malloc_in_handler(void)
{
    struct itimerval often = { .it_interval = { 0, 100 }, .it_value = { 0, 100 } };
    CHECK(signal(SIGPROF, allocate_in_handler) != SIG_ERR);
    CHECK(setitimer(ITIMER_PROF, &often, NULL) == 0);
    for (;;)
        free(malloc(1000));
}

static jmp_buf out;
static char told[1024];

static void take_line(const char *line)
{
    strncpy(told, line, sizeof told - 1);
    free(malloc(100));
    longjmp(out, 1);
}

/* The hook takes over: it may allocate, and leave. */
static void hook_overrides(void)
{
    typedef void hook_fn(const char *line);
    hook_fn *(*set)(hook_fn *) = (hook_fn * (*)(hook_fn *)) victim_symbol("acre_malloc_on_misuse");
    CHECK(set(take_line) == NULL);
    size_t used = victim_used();
    for (int i = 0; i < 3; i++)
        if (setjmp(out) == 0) {
            free(victim_hide(page_aligned));
            CHECK(!"carried on");
        }
    CHECK(strstr(told, "acre: free(0x") == told && strchr(told, '\n') == NULL);
    CHECK(victim_used() == used);
    CHECK(set(NULL) == take_line);
}

static void return_from_hook(const char *line)
{
    CHECK(strstr(line, "acre: ") == line);
    CHECK(write(2, "hook\n", 5) == 5);
}

static void hook_returns(void)
{
    typedef void hook_fn(const char *line);
    hook_fn *(*set)(hook_fn *) = (hook_fn * (*)(hook_fn *)) victim_symbol("acre_malloc_on_misuse");
    CHECK(set(return_from_hook) == NULL);
    free(about(page_aligned));
}

const struct victim_case victim_misuse[] = {
    { "free_twice", free_twice },
    { "free_twice_after_overflow", free_twice_after_overflow },
    { "free_twice_late", free_twice_late },
    { "free_twice_interleaved", free_twice_interleaved },
    { "free_merged", free_merged },
    { "free_reissued_larger", free_reissued_larger },
    { "realloc_freed", realloc_freed },
    { "realloc_freed_same_size", realloc_freed_same_size },
    { "realloc_freed_to_zero", realloc_freed_to_zero },
    { "realloc_freed_huge", realloc_freed_huge },
    { "reallocarray_freed", reallocarray_freed },
    { "reallocarray_freed_overflow", reallocarray_freed_overflow },
    { "usable_size_freed", usable_size_freed },
    { "free_sized_freed", free_sized_freed },
    { "cfree_freed", cfree_freed },
    { "free_interior", free_interior },
    { "realloc_interior", realloc_interior },
    { "usable_size_interior", usable_size_interior },
    { "free_one_byte_in", free_one_byte_in },
    { "free_eight_bytes_in", free_eight_bytes_in },
    { "free_at_end", free_at_end },
    { "free_before", free_before },
    { "free_large_twice", free_large_twice },
    { "free_inside_large", free_inside_large },
    { "sized_wrong_large", sized_wrong_large },
    { "free_stack", free_stack },
    { "free_global", free_global },
    { "free_page_aligned_global", free_page_aligned_global },
    { "free_constant", free_constant },
    { "free_text", free_text },
    { "free_mapped", free_mapped },
    { "free_unreadable", free_unreadable },
    { "free_one", free_one },
    { "free_kernel", free_kernel },
    { "free_top", free_top },
    { "free_not_canonical", free_not_canonical },
    { "realloc_stack", realloc_stack },
    { "usable_size_stack", usable_size_stack },
    { "sized_too_large", sized_too_large },
    { "sized_after_overflow", sized_after_overflow },
    { "sized_too_small", sized_too_small },
    { "sized_wrong_alignment", sized_wrong_alignment },
    { "free_here_then_there", free_here_then_there },
    { "free_there_after_here", free_there_after_here },
    { "free_from_two_threads", free_from_two_threads },
    { "free_there_twice", free_there_twice },
    { "free_by_heir", free_by_heir },
    { "free_of_ended_thread", free_of_ended_thread },
    { "malloc_in_handler", malloc_in_handler },
    { "hook_overrides", hook_overrides },
    { "hook_returns", hook_returns },
    { NULL, NULL },
};
