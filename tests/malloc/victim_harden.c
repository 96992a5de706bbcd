/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Writes where no live block is, and what a hardened malloc promises. Cases that name a pointer on
 * standard output must be ended, as test_harden.c says for each level.
 */
#include "victim.h"

#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { small = 100, large = 100001, pages = 25 * 4096, rounds = 5000 };

static char *named(size_t size)
{
    char line[32];
    char *ptr = malloc(size);
    CHECK(ptr != NULL);
    int length = snprintf(line, sizeof line, "0x%lx\n", (unsigned long)(uintptr_t)ptr);
    CHECK(write(1, line, (size_t)length) == length);
    return victim_hide(ptr);
}

static void churn(size_t size)
{
    for (int i = 0; i < rounds; i++)
        free(victim_hide(malloc(size)));
}

/* ---- writes behind and before ---- */

static void overflow_by_one(void)
{
    char *ptr = named(small);
    ptr[small] ^= 1;
    free(ptr);
}

static void overflow_of_zeroes(void)
{
    char *ptr = named(small);
    memset(ptr + small, 0, 4);
    free(ptr);
}

static void overflow_by_twenty(void)
{
    char *ptr = named(1000);
    ptr[1019] ^= 1;
    free(ptr);
}

static void overflow_of_large(void)
{
    char *ptr = named(large);
    ptr[large] ^= 1;
    free(ptr);
}

static void overflow_then_realloc(void)
{
    char *ptr = named(small);
    ptr[small] ^= 1;
    free(realloc(ptr, small * 2));
}

static void overflow_then_resize(void)
{
    char *ptr = named(small);
    ptr[small] ^= 1;
    free(realloc(ptr, small + 1));
}

static void overflow_after_shrink(void)
{
    char *ptr = named(small);
    CHECK(realloc(ptr, small - 1) == ptr);
    ptr[small - 1] ^= 1;
    free(ptr);
}

/* Its block is never freed. */
static void overflow_unseen(void)
{
    char *ptr = named(small);
    ptr[small] ^= 1;
    for (int i = 0; i < rounds; i++)
        CHECK(malloc(16) != NULL);
}

static void overflow_aligned(void)
{
    char *ptr = memalign(64, small);
    char line[32];
    int length = snprintf(line, sizeof line, "0x%lx\n", (unsigned long)(uintptr_t)ptr);
    CHECK(write(1, line, (size_t)length) == length);
    ptr[small] ^= 1;
    free(ptr);
}

static void underflow_by_one(void)
{
    char *ptr = named(small);
    ptr[-1] ^= 1;
    free(ptr);
}

static void underflow_of_next(void)
{
    char *ptrs[3];
    for (int i = 0; i < 3; i++)
        ptrs[i] = malloc(small);
    char *ptr = named(small);
    ptr[-1] ^= 1;
    free(ptr);
    for (int i = 0; i < 3; i++)
        free(ptrs[i]);
}

static void overflow_far(void)
{
    char *ptr = malloc(pages);
    ptr[pages] ^= 1;
    free(ptr);
}

static void underflow_of_large(void)
{
    char *ptr = malloc(pages);
    ptr[-1] ^= 1;
    free(ptr);
}

/* ---- freed blocks ---- */

static void write_after_free(void)
{
    char *ptr = named(small);
    free(ptr);
    ptr[5] = 1;
    churn(small);
}

static void write_after_free_of_large(void)
{
    char *ptr = malloc(large);
    free(ptr);
    ptr[5] = 1;
}

static void read_after_free_of_large(void)
{
    char *ptr = malloc(large);
    free(ptr);
    CHECK(*(volatile char *)ptr == 0);
}

static void free_after_reuse(void)
{
    char *ptr = named(small);
    free(ptr);
    for (int i = 0; i < 50; i++)
        CHECK(malloc(small) != NULL);
    free(ptr);
}

static void free_large_after_reuse(void)
{
    char *ptr = named(large);
    free(ptr);
    for (int i = 0; i < 10; i++)
        CHECK(malloc(large) != NULL);
    free(ptr);
}

static void not_reused_at_once(void)
{
    char *ptr = malloc(small);
    free(ptr);
    for (int i = 0; i < 50; i++)
        CHECK(malloc(small) != ptr);
}

static void reused_in_other_order(void)
{
    enum { count = 2000 };
    static char *ptrs[count];
    int rising = 0;
    for (int i = 0; i < count; i++)
        ptrs[i] = malloc(small);
    for (int i = 0; i < count; i++)
        free(ptrs[i]);
    for (int i = 0; i < count; i++)
        ptrs[i] = malloc(small);
    for (int i = 1; i < count; i++)
        rising += ptrs[i] > ptrs[i - 1];
    CHECK(rising < count - 20 && rising > 20);
}

/* ---- blocks of no bytes ---- */

static void write_no_bytes(void)
{
    char *ptr = malloc(0);
    *ptr = 1;
    free(ptr);
}

static void read_no_bytes(void)
{
    char *ptr = calloc(0, 8);
    CHECK(*(volatile char *)ptr == 0);
    free(ptr);
}

static void free_no_bytes_twice(void)
{
    char *ptr = named(0);
    free(ptr);
    free(ptr);
}

static void many_of_no_bytes(void)
{
    enum { count = 100000 };
    static char *ptrs[count];
    for (int i = 0; i < count; i++) {
        ptrs[i] = malloc(0);
        CHECK(ptrs[i] != NULL && (i == 0 || ptrs[i] != ptrs[i - 1]));
        CHECK(malloc_usable_size(ptrs[i]) == 0);
    }
    for (int i = 0; i < count; i++)
        free(ptrs[i]);
    char *grown = realloc(malloc(0), small);
    memset(grown, 1, small);
    free(grown);
    CHECK(realloc(malloc(0), 0) == NULL);
}

/* ---- what is promised ---- */

static int is_zero(const char *ptr, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (ptr[i] != 0)
            return 0;
    return 1;
}

static void new_blocks_are_zero_to(size_t most)
{
    static char *ptrs[600];
    for (size_t size = 1; size < most; size = size * 3 + 1)
        for (int round = 0; round < 3; round++) {
            int count = size < 40000 ? 600 : 8;
            for (int i = 0; i < count; i++) {
                ptrs[i] = malloc(size);
                CHECK(is_zero(ptrs[i], size));
                memset(ptrs[i], 0xa5, size);
            }
            for (int i = 0; i < count; i++)
                free(ptrs[i]);
        }
}

static void small_blocks_are_zero(void)
{
    new_blocks_are_zero_to(32000);
}

static void all_blocks_are_zero(void)
{
    new_blocks_are_zero_to(4 << 20);
}

static void usable_is_requested(void)
{
    for (size_t size = 1; size < 3 << 20; size = size * 5 / 4 + 1) {
        char *ptr = malloc(size);
        CHECK(malloc_usable_size(ptr) == size);
        memset(ptr, 1, size);
        free(ptr);
    }
}

static void usable_is_a_class(void)
{
    char *ptr = malloc(small);
    CHECK(malloc_usable_size(ptr) == 112);
    free(ptr);
}

static void resized(void)
{
    char *ptr = malloc(1);
    size_t had = 1;
    victim_fill(ptr, 1, 3);
    for (size_t size = 2; size < 5 << 20; size += size / 7 + 1) {
        ptr = realloc(ptr, size);
        CHECK(ptr != NULL && victim_holds(ptr, had, 3) && malloc_usable_size(ptr) >= size);
        victim_fill(ptr, size, 3);
        had = size;
    }
    for (size_t size = had; size > 1; size -= size / 5 + 1) {
        ptr = realloc(ptr, size);
        CHECK(ptr != NULL && victim_holds(ptr, size, 3));
    }
    free(ptr);
}

static void in_place(void)
{
    char *ptr = malloc(small);
    memset(ptr, 1, small);
    CHECK(realloc(ptr, small + 2) == ptr && ptr[small] == 0 && ptr[small + 1] == 0);
    CHECK(realloc(ptr, small - 2) == ptr);
    CHECK(realloc(ptr, small) == ptr && ptr[small - 1] == 0 && ptr[small - 3] == 1);
    free(ptr);
}

static void cleared(void)
{
    for (int round = 0; round < 3; round++)
        for (size_t size = 1; size < 3 << 20; size += size / 3 + 1) {
            char *ptr = calloc(1, size);
            CHECK(ptr != NULL && is_zero(ptr, size));
            memset(ptr, 0xa5, size);
            free(ptr);
        }
}

static void aligned(void)
{
    for (size_t align = 1; align <= 1 << 20; align *= 2)
        for (size_t size = 0; size < 200000; size = size * 3 + 1) {
            char *ptr = memalign(align, size);
            CHECK(ptr != NULL && (uintptr_t)ptr % align == 0);
            memset(ptr, 0xa5, size);
            ptr = realloc(ptr, size + 1);
            CHECK(ptr != NULL && (size == 0 || ptr[size - 1] == (char)0xa5));
            free(ptr);
        }
}

/* ---- threads ---- */

static void in_thread(void *(*run)(void *), void *argument)
{
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, run, argument) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
}

static void *overflow_and_free(void *ptr)
{
    ((char *)ptr)[small] ^= 1;
    free(ptr);
    return NULL;
}

static void overflow_in_thread(void)
{
    in_thread(overflow_and_free, named(small));
}

/* The thread has a heap of its own, whose quarantine ends with it. */
static void *free_it(void *ptr)
{
    free(malloc(small));
    free(ptr);
    return NULL;
}

static void write_after_free_in_thread(void)
{
    char *ptr = named(small);
    in_thread(free_it, ptr);
    ptr[5] = 1;
    for (int i = 0; i < rounds; i++)
        CHECK(malloc(small) != NULL);
}

static void *make_blocks(void *ptrs)
{
    for (int i = 0; i < 1000; i++)
        ((char **)ptrs)[i] = memset(malloc((size_t)i + 1), i, (size_t)i + 1);
    return NULL;
}

static void *free_blocks(void *ptrs)
{
    for (int i = 0; i < 1000; i++) {
        CHECK(((unsigned char **)ptrs)[i][i] == (unsigned char)i);
        free(((char **)ptrs)[i]);
    }
    return NULL;
}

static void blocks_of_other_threads(void)
{
    static char *ptrs[1000];
    for (int round = 0; round < 20; round++) {
        in_thread(make_blocks, ptrs);
        if (round % 2 == 0)
            in_thread(free_blocks, ptrs);
        else
            free_blocks(ptrs);
    }
    CHECK(victim_used() < 1 << 20);
}

/* ---- accounts over threads ---- */

enum { ACCOUNTS = 4, BLOCKS = 200 };

static pthread_barrier_t counted;

static void *hold_blocks(void *ptrs)
{
    for (int i = 0; i < BLOCKS; i++)
        ((char **)ptrs)[i] = memset(malloc(1000), 1, 1000);
    pthread_barrier_wait(&counted);
    pthread_barrier_wait(&counted);
    return NULL;
}

static size_t blocks_in_xml(void)
{
    char text[1024] = "";
    FILE *file = fmemopen(text, sizeof text, "w");
    size_t count = 0;
    CHECK(file != NULL && malloc_info(0, file) == 0);
    fclose(file);
    const char *at = strstr(text, "count=\"");
    CHECK(at != NULL && sscanf(at, "count=\"%zu\"", &count) == 1);
    return count;
}

/* While threads run, after they have ended, and after another has freed what they left. */
static void accounts_of_threads(void)
{
    static char *ptrs[ACCOUNTS][BLOCKS];
    pthread_t threads[ACCOUNTS];
    size_t used = victim_used();
    size_t blocks = blocks_in_xml();
    CHECK(pthread_barrier_init(&counted, NULL, ACCOUNTS + 1) == 0);
    for (int i = 0; i < ACCOUNTS; i++)
        CHECK(pthread_create(&threads[i], NULL, hold_blocks, ptrs[i]) == 0);
    pthread_barrier_wait(&counted);
    CHECK(victim_used() - used >= ACCOUNTS * BLOCKS * (size_t)1000);
    CHECK(blocks_in_xml() - blocks >= ACCOUNTS * (size_t)BLOCKS);
    pthread_barrier_wait(&counted);
    for (int i = 0; i < ACCOUNTS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(victim_used() - used >= ACCOUNTS * BLOCKS * (size_t)1000);
    CHECK(mallinfo2().usmblks >= victim_used() && mallinfo2().arena >= victim_used());
    for (int i = 0; i < ACCOUNTS; i++)
        for (int k = 0; k < BLOCKS; k++)
            free(ptrs[i][k]);
    CHECK(victim_used() - used < 65536 && blocks_in_xml() - blocks < 100);
}

/* ---- a library that has the C library's malloc ---- */

static void *open_deep(void)
{
    char path[4096];
    long length = readlink("/proc/self/exe", path, sizeof path - 32);
    CHECK(length > 0);
    path[length] = '\0';
    strcpy(strrchr(path, '/'), "/libdeep.so");
    void *library = dlopen(path, RTLD_NOW | RTLD_DEEPBIND);
    CHECK(library != NULL);
    return library;
}

static void deep_library(void)
{
    void *library = open_deep();
    CHECK(open_deep() == library);
    void *(*make)(void) = (void *(*)(void))dlsym(library, "deep_make");
    void (*end)(void *) = (void (*)(void *))dlsym(library, "deep_end");
    end(make());
}

static void deep_block(void)
{
    void *(*make)(void) = (void *(*)(void))dlsym(open_deep(), "deep_make");
    free(make());
}

/* ---- writes that reach no metadata ---- */

/* Whether a new block overlaps one that is live. */
static int overlaps(const char *ptr, size_t size, const char *live, size_t live_size)
{
    return ptr < live + live_size && live < ptr + size;
}

static void write_past_end(void)
{
    char *first = malloc(44), *second = malloc(44), *third = malloc(44);
    victim_fill(third, 44, 1);
    ((char *)victim_hide(first))[malloc_usable_size(first)] = 4 * 12;
    free(second);
    for (int i = 0; i < 1000; i++)
        CHECK(!overlaps(victim_hide(malloc(188)), 188, third, 44));
    CHECK(victim_holds(third, 44, 1));
}

/* What was freed is filled with addresses: no block has two owners, and nothing is written there. */
static void write_into_freed(void)
{
    static char *others[64];
    char *target[2] = { "safe", "safe" };
    char *victim = malloc(1000);
    victim_fill(victim, 1000, 2);
    for (int i = 0; i < 64; i++)
        others[i] = malloc(1000);
    for (int i = 0; i < 64; i += 3)
        free(others[i]);
    for (int i = 0; i < 64; i += 3)
        for (int word = 0; word < 8; word++)
            ((void **)victim_hide(others[i]))[word] = word % 2 ? (void *)target : victim;
    for (int i = 1; i < 64; i += 3)
        free(others[i]);
    for (int i = 0; i < 1000; i++)
        CHECK(!overlaps(victim_hide(malloc(1000)), 1000, victim, 1000));
    CHECK(victim_holds(victim, 1000, 2));
    CHECK(strcmp(target[0], "safe") == 0 && strcmp(target[1], "safe") == 0);
}

const struct victim_case victim_harden[] = {
    { "accounts_of_threads", accounts_of_threads },
    { "deep_library", deep_library },
    { "deep_block", deep_block },
    { "overflow_by_one", overflow_by_one },
    { "overflow_of_zeroes", overflow_of_zeroes },
    { "overflow_by_twenty", overflow_by_twenty },
    { "overflow_of_large", overflow_of_large },
    { "overflow_then_realloc", overflow_then_realloc },
    { "overflow_then_resize", overflow_then_resize },
    { "overflow_after_shrink", overflow_after_shrink },
    { "overflow_unseen", overflow_unseen },
    { "overflow_aligned", overflow_aligned },
    { "underflow_by_one", underflow_by_one },
    { "underflow_of_next", underflow_of_next },
    { "overflow_far", overflow_far },
    { "underflow_of_large", underflow_of_large },
    { "write_past_end", write_past_end },
    { "write_into_freed", write_into_freed },
    { "write_after_free", write_after_free },
    { "write_after_free_of_large", write_after_free_of_large },
    { "read_after_free_of_large", read_after_free_of_large },
    { "free_after_reuse", free_after_reuse },
    { "free_large_after_reuse", free_large_after_reuse },
    { "not_reused_at_once", not_reused_at_once },
    { "reused_in_other_order", reused_in_other_order },
    { "write_no_bytes", write_no_bytes },
    { "read_no_bytes", read_no_bytes },
    { "free_no_bytes_twice", free_no_bytes_twice },
    { "many_of_no_bytes", many_of_no_bytes },
    { "small_blocks_are_zero", small_blocks_are_zero },
    { "all_blocks_are_zero", all_blocks_are_zero },
    { "usable_is_requested", usable_is_requested },
    { "usable_is_a_class", usable_is_a_class },
    { "resized", resized },
    { "in_place", in_place },
    { "cleared", cleared },
    { "aligned", aligned },
    { "overflow_in_thread", overflow_in_thread },
    { "write_after_free_in_thread", write_after_free_in_thread },
    { "blocks_of_other_threads", blocks_of_other_threads },
    { NULL, NULL },
};
