/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Memory that runs out, and a system that refuses it.
 */
#include "victim.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { most = 1 << 20, mebibyte = 1 << 20 };

static unsigned char *slots[most];

/* A size between 16 and 5000 that depends on the index alone. */
static size_t size_of(size_t index)
{
    return 16 + (index * 2654435761u >> 7) % 4985;
}

/* Allocates until there is no more; the number of blocks. */
static size_t exhaust(void)
{
    size_t count = 0;
    errno = 0;
    while (count < most && (slots[count] = malloc(size_of(count))) != NULL) {
        slots[count][0] = (unsigned char)count;
        slots[count][size_of(count) - 1] = (unsigned char)count;
        count++;
    }
    CHECK(count < most && errno == ENOMEM);
    return count;
}

static void free_slot(size_t index)
{
    CHECK(slots[index][0] == (unsigned char)index);
    CHECK(slots[index][size_of(index) - 1] == (unsigned char)index || size_of(index) == 1);
    free(slots[index]);
}

static void free_forward(size_t count)
{
    for (size_t i = 0; i < count; i++)
        free_slot(i);
}

static void free_backward(size_t count)
{
    while (count != 0)
        free_slot(--count);
}

/* A step that has no factor in common with the count visits every slot. */
static void free_scattered(size_t count)
{
    size_t step = 7919;
    while (count % step == 0)
        step += 2;
    for (size_t i = 0, at = 0; i < count; i++, at = (at + step) % count)
        free_slot(at);
}

/* Whatever the order of frees, everything comes back in one piece. What is handed out again
 * unmerged may cost a hundredth. */
static void exhaust_and_free(void)
{
    static void (*const orders[])(size_t) = { free_forward, free_backward, free_scattered };
    size_t used = victim_used();
    size_t first = exhaust();
    free_forward(first);
    struct mallinfo2 whole = mallinfo2();
    CHECK(whole.uordblks == used && first > 1000);
    for (int round = 0; round < 6; round++) {
        size_t count = exhaust();
        CHECK(count <= first + first / 100 && first <= count + first / 100);
        orders[round % 3](count);
        struct mallinfo2 info = mallinfo2();
        CHECK(info.uordblks == used && info.arena == whole.arena);
        CHECK(info.fordblks == whole.fordblks && info.keepcost == whole.keepcost);
    }
    void *largest = malloc(whole.keepcost);
    CHECK(largest != NULL && malloc(whole.keepcost) == NULL && errno == ENOMEM);
    free(largest);
    CHECK(victim_used() == used);
}

/* The same of allocators that keep something back from block to block: chunks, slabs at hand. */
static void exhaust_again(void)
{
    static void (*const orders[])(size_t) = { free_forward, free_backward, free_scattered };
    size_t used = victim_used();
    size_t first = exhaust();
    free_backward(first);
    for (int round = 0; round < 6; round++) {
        size_t count = exhaust();
        CHECK(count > first / 10 * 9);
        orders[round % 3](count);
        CHECK(victim_used() == used);
        void *largest = malloc(mallinfo2().keepcost);
        CHECK(largest != NULL);
        free(largest);
    }
}

/* The limit counts all that the allocator was given, and all of it is given, but for a part of what
 * pages do not divide. */
static void pool_is_capped(void)
{
    size_t limit = strtoul(getenv("ACRE_POOL"), NULL, 10);
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t count = exhaust();
    CHECK(mallinfo2().arena <= limit && mallinfo2().arena + 2 * page > limit);
    CHECK(calloc(1, limit) == NULL && errno == ENOMEM);
    CHECK(realloc(slots[0], limit) == NULL && errno == ENOMEM);
    CHECK(aligned_alloc(4096, limit) == NULL && errno == ENOMEM);
    free_forward(count);
}

/* One block may take nearly all of a pool, however that grew. */
static void block_across_seams(void)
{
    size_t used = victim_used();
    for (size_t i = 0; i < 30000; i++)
        CHECK((slots[i] = malloc(size_of(i))) != NULL);
    for (size_t i = 0; i < 30000; i++)
        free(slots[i]);
    struct mallinfo2 info = mallinfo2();
    CHECK(info.uordblks == used && info.arena > 32 * (size_t)mebibyte);
    CHECK(info.keepcost > info.arena / 10 * 9);
}

/* A request that is refused, however large it is and however often it is made, takes no memory. */
static void try_large(size_t align, size_t size)
{
    size_t arena = mallinfo2().arena;
    void *ptr = aligned_alloc(align, size);
    CHECK(ptr != NULL || mallinfo2().arena == arena);
    free(ptr);
}

static void refused_costs_nothing(void)
{
    enum { bits = sizeof(size_t) * 8 };
    free(malloc(1));
    for (int i = 0; i < 3; i++) {
        try_large(1, (size_t)1 << (bits / 2 + 2));
        try_large(1, (size_t)3 << (bits / 2 + 1));
        try_large((size_t)1 << (bits / 2 + 1), (size_t)1 << (bits / 2 + 1));
        try_large(1, (size_t)1 << (bits - 4));
    }
}

/* Touched memory goes back to the system and the contents of live blocks stay. */
static size_t resident(void)
{
    char line[128] = { 0 };
    int fd = open("/proc/self/statm", O_RDONLY);
    CHECK(fd >= 0 && read(fd, line, sizeof line - 1) > 0 && close(fd) == 0);
    char *second = strchr(line, ' ');
    CHECK(second != NULL);
    return strtoul(second, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

static void trim_gives_back(void)
{
    enum { count = 128, size = mebibyte / 2 };
    for (int i = 0; i < count; i++) {
        CHECK((slots[i] = malloc(size)) != NULL);
        victim_fill(slots[i], size, (unsigned)i);
    }
    size_t before = resident();
    for (int i = 0; i < count; i++)
        if (i % 8 != 0)
            free(slots[i]);
    CHECK(malloc_trim(0) == 1);
    CHECK(resident() + 50 * (size_t)mebibyte < before);
    for (int i = 0; i < count; i += 8)
        CHECK(victim_holds(slots[i], size, (unsigned)i));
    for (int i = 0; i < count; i++)
        if (i % 8 != 0)
            CHECK((slots[i] = malloc(size)) != NULL);
    for (int i = 0; i < count; i++)
        free(slots[i]);
}

/* All is free: nearly all memory goes back, whichever backend served it. */
static void trim_gives_all_back(void)
{
    enum { count = 100000, size = 500 };
    size_t before = resident();
    for (int i = 0; i < count; i++) {
        CHECK((slots[i] = malloc(size)) != NULL);
        memset(slots[i], 1, size);
    }
    for (int i = 0; i < count; i++)
        free(slots[i]);
    CHECK(malloc_trim(0) == 1);
    CHECK(resident() < before + 8 * (size_t)mebibyte);
    for (int i = 0; i < count; i++)
        CHECK((slots[i] = malloc(size)) != NULL);
    for (int i = 0; i < count; i++)
        free(slots[i]);
}

static size_t untouched_cost(size_t size)
{
    size_t before = resident();
    char *ptr = malloc(size);
    CHECK(ptr != NULL);
    ptr[0] = ptr[size - 1] = 1;
    size_t cost = resident() - before;
    char *zeroed = calloc(1, size);
    CHECK(zeroed != NULL && zeroed[0] == 0 && zeroed[size / 2] == 0 && zeroed[size - 1] == 0);
    free(zeroed);
    free(ptr);
    return cost;
}

/* Large blocks cost what is touched, and go back when they are freed. */
/* Small blocks that are all freed go back without a call, but for what is kept for reuse. */
static void freed_memory_goes_back(void)
{
    enum { count = 200000, size = 500 };
    size_t before = resident();
    for (size_t i = 0; i < count; i++)
        memset(slots[i] = malloc(size), 1, size);
    CHECK(resident() > before + 80 * (size_t)mebibyte);
    for (size_t i = 0; i < count; i++)
        free(slots[i]);
    CHECK(resident() < before + 24 * (size_t)mebibyte);
}

static void large_blocks(void)
{
    CHECK(untouched_cost((size_t)1 << 30) < mebibyte);
    size_t before = resident();
    char *ptr = malloc(200 * (size_t)mebibyte);
    CHECK(ptr != NULL && malloc_usable_size(ptr) >= 200 * (size_t)mebibyte);
    memset(ptr, 1, 200 * (size_t)mebibyte);
    free(ptr);
    CHECK(resident() < before + mebibyte);
}

/* A block that grows in steps moves its pages; its old places do not stay. */
static void growth_moves_pages(void)
{
    size_t before = resident();
    char *ptr = malloc(100);
    victim_fill(ptr, 100, 3);
    for (size_t size = 65536; size <= 128 * (size_t)mebibyte; size += 65536) {
        ptr = realloc(ptr, size);
        CHECK(ptr != NULL);
        ptr[size - 1] = 1;
        CHECK(malloc(64) != NULL);
    }
    CHECK(victim_holds(ptr, 100, 3));
    CHECK(resident() < before + 40 * (size_t)mebibyte);
    ptr = realloc(ptr, 1000);
    CHECK(ptr != NULL && victim_holds(ptr, 100, 3));
    free(ptr);
    CHECK(resident() < before + 8 * (size_t)mebibyte);
}

/* Free blocks of many sizes that lie side by side, merged or not, stay what they are. */
static void trim_among_small_blocks(void)
{
    enum { count = 30000, kept = 64 };
    size_t used = victim_used();
    for (int round = 0; round < 4; round++) {
        for (size_t i = 0; i < count; i++) {
            CHECK(slots[i] != NULL || (slots[i] = malloc(size_of(i) / 10)) != NULL);
            victim_fill(slots[i], size_of(i) / 10, (unsigned)i);
        }
        for (size_t i = 0; i < count; i++) {
            if (i % kept == 0)
                continue;
            free(slots[i]);
            slots[i] = NULL;
        }
        CHECK(malloc_trim(0) == 1);
        for (size_t i = 0; i < count; i += kept)
            CHECK(victim_holds(slots[i], size_of(i) / 10, (unsigned)i));
    }
    for (size_t i = 0; i < count; i += kept)
        free(slots[i]);
    CHECK(victim_used() == used);
}

/* Free blocks that start and end at the edge of a page keep what the allocator knows of them. */
static void trim_at_page_edges(void)
{
    enum { count = 20, size = 65532 };
    for (int i = 0; i < count; i++)
        CHECK((slots[i] = aligned_alloc(65536, size)) != NULL);
    for (int i = 0; i < count; i += 2)
        free(slots[i]);
    malloc_trim(0);
    for (int i = 0; i < count; i += 2) {
        CHECK((slots[i] = malloc(size)) != NULL);
        memset(slots[i], 1, size);
    }
    for (int i = 0; i < count; i++)
        free(slots[i]);
}

/* Started with a limit on addresses: the heap takes what it needs and leaves room for others. */
static void limited_addresses(void)
{
    size_t used = victim_used();
    char *map = mmap(NULL, 200 * (size_t)mebibyte, PROT_READ,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(map != MAP_FAILED && munmap(map, 200 * (size_t)mebibyte) == 0);
    for (int round = 0; round < 3; round++) {
        size_t count = exhaust();
        CHECK(count * 2500 > 64 * (size_t)mebibyte);
        for (int i = 0; i < 100; i++)
            CHECK(malloc(64 * (size_t)mebibyte) == NULL && errno == ENOMEM);
        free_scattered(count);
        CHECK(victim_used() == used);
    }
}

/* The limit comes while the process runs: what was reserved before stays usable. */
static void late_limit(void)
{
    struct rlimit limit = { .rlim_cur = 512 * (rlim_t)mebibyte, .rlim_max = RLIM_INFINITY };
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
    for (int i = 0; i < 10; i++) {
        char *ptr = malloc(64 * (size_t)mebibyte);
        CHECK(ptr != NULL);
        memset(ptr, 1, 64 * (size_t)mebibyte);
        free(ptr);
    }
}

/* The k-th request to the system fails, for every k that one call makes. */
static int fail_one(void *(*take)(size_t), int k, size_t size)
{
    void (*arm)(int) = (void (*)(int))victim_symbol("failing_arm");
    int (*fired)(void) = (int (*)(void))victim_symbol("failing_fired");
    struct mallinfo2 before = mallinfo2();
    errno = 0;
    arm(k);
    void *ptr = take(size);
    int hit = fired();
    arm(0);
    CHECK(ptr == NULL || errno == 0);
    if (ptr == NULL) {
        CHECK(hit && errno == ENOMEM);
        CHECK(mallinfo2().uordblks == before.uordblks && mallinfo2().arena == before.arena);
        CHECK((ptr = take(size)) != NULL);
    }
    memset(ptr, 1, size);
    free(ptr);
    CHECK(mallinfo2().uordblks == before.uordblks);
    return hit;
}

/* Fills the pool until it has no room for a block of `size` bytes. Returns how many blocks it
 * took. */
static size_t fill_pool(size_t size)
{
    size_t count = 0;
    while (mallinfo2().keepcost >= size)
        CHECK((slots[count++] = malloc(size / 4)) != NULL);
    return count;
}

/* What was refused once has cost nothing: memory that was got since is there. A block that fits the
 * pool makes it grow; a larger one has a mapping of its own. */
static void fail_each(void *(*take)(size_t), size_t size)
{
    int hit = 1;
    int k;
    for (k = 1; hit; k++) {
        size_t fillers = size < mebibyte ? fill_pool(size) : 0;
        CHECK(k < 10);
        hit = fail_one(take, k, size);
        while (fillers != 0)
            free(slots[--fillers]);
    }
    CHECK(k > 2 && (size >= mebibyte || mallinfo2().keepcost >= size));
}

static void *take_zeroed(size_t size)
{
    return calloc(size, 1);
}

static void *take_aligned(size_t size)
{
    return aligned_alloc(65536, size);
}

static void *take_by_growing(size_t size)
{
    char *small = malloc(100);
    victim_fill(small, 100, 8);
    char *ptr = realloc(small, size);
    CHECK(victim_holds(ptr != NULL ? ptr : small, 100, 8));
    if (ptr == NULL) {
        int saved = errno;
        free(small);
        errno = saved;
    }
    return ptr;
}

static void failing_malloc(void)
{
    fail_each(malloc, mebibyte / 8 * 7);
    fail_each(malloc, 64 * (size_t)mebibyte);
}

static void failing_calloc(void)
{
    fail_each(take_zeroed, mebibyte / 8 * 7);
    fail_each(take_zeroed, 64 * (size_t)mebibyte);
}

static void failing_aligned(void)
{
    fail_each(take_aligned, mebibyte / 8 * 7);
    fail_each(take_aligned, 64 * (size_t)mebibyte);
}

static void failing_realloc(void)
{
    fail_each(take_by_growing, mebibyte / 8 * 7);
    fail_each(take_by_growing, 64 * (size_t)mebibyte);
}

/* Free may give memory back, but needs nothing of the system: where that is refused at the k-th
 * free, every block is free all the same, and so is memory for the next round. */
static void free_cannot_fail(void)
{
    void (*arm)(int) = (void (*)(int))victim_symbol("failing_arm");
    size_t used = victim_used();
    for (size_t round = 0; round < 4; round++) {
        for (size_t i = 0; i < 20000; i++)
            CHECK((slots[i] = malloc(size_of(i))) != NULL);
        for (size_t i = 0; i < 20000; i++) {
            arm(i % 5000 >= 1250 * round);
            free(slots[i]);
        }
        arm(0);
        CHECK(victim_used() == used);
    }
}

/* Started with the k-th request failing: whatever call it falls on, the next one succeeds. */
static void failing_start(void)
{
    void *first = malloc(1000);
    void *second = malloc(1000);
    CHECK(second != NULL);
    free(first);
    free(second);
}

/* In a sandbox that permits the system calls of the C library's own malloc. */
static void sandboxed(void)
{
#define PERMIT(call)                                                                               \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1),                                         \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
    struct sock_filter filter[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                        offsetof(struct seccomp_data, nr)),
        PERMIT(brk), PERMIT(mmap), PERMIT(munmap), PERMIT(mremap), PERMIT(madvise), PERMIT(futex),
        PERMIT(write), PERMIT(exit_group), PERMIT(rt_sigprocmask),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS) };
    struct sock_fprog program = { sizeof filter / sizeof *filter, filter };
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
    for (size_t i = 0; i < 20000; i++)
        CHECK((slots[i] = malloc(size_of(i))) != NULL);
    for (size_t i = 0; i < 20000; i++)
        CHECK((slots[i] = realloc(slots[i], 2 * size_of(i))) != NULL);
    for (size_t i = 0; i < 20000; i++)
        free(slots[i]);
    free(calloc(64, mebibyte));
    malloc_trim(0);
}

static size_t address_space(void)
{
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file != NULL && fscanf(file, "%zu", &pages) == 1);
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* No addresses are reserved: a debugger's core, mlockall() and limits see what is used. */
static void reserves_nothing(void)
{
    size_t before = address_space();
    CHECK(before < 64 * (size_t)mebibyte);
    char *ptr = malloc(100 * (size_t)mebibyte);
    CHECK(ptr != NULL && address_space() < before + 1024 * (size_t)mebibyte);
    free(ptr);
}

/* Under functions of the C library that were replaced by ones that allocate. */
static void replaced_functions(void)
{
    int (*calls)(void) = (int (*)(void))victim_symbol("hostile_calls");
    for (size_t i = 0; i < 20000; i++)
        CHECK((slots[i] = malloc(size_of(i))) != NULL);
    for (size_t i = 0; i < 20000; i++)
        free(slots[i]);
    free(calloc(64, mebibyte));
    free(realloc(calloc(100, 100), 100000));
    malloc_trim(0);
    CHECK(getenv("PATH") != NULL && calls() > 0);
}

static void accounts(void)
{
    struct mallinfo2 before = mallinfo2();
    void *ptr = malloc(1000);
    struct mallinfo2 during = mallinfo2();
    CHECK(during.uordblks >= before.uordblks + 1000);
    CHECK(during.fordblks + during.uordblks <= during.arena && during.keepcost <= during.fordblks);
    free(ptr);
    CHECK(mallinfo2().uordblks == before.uordblks);
    CHECK(mallopt(M_ARENA_MAX, 1) == 1 && mallopt(M_PERTURB, 1) == 0 && mallopt(12345, 0) == 0);
    malloc_stats();
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    CHECK(malloc_info(0, stream) == 0 && malloc_info(1, stream) == EINVAL && fclose(stream) == 0);
    CHECK(
        strstr(text, "<malloc version=\"acre-1\"") == text && strstr(text, "</malloc>\n") != NULL);
    free(text);
}

/* Nothing to do but to exit: what is tested is what the environment makes of it. */
static void nothing(void)
{
    free(malloc(100));
}

static void close_everything(void)
{
    for (int fd = 0; fd < 3; fd++)
        close(fd);
}

/* All but standard error, as daemons do. */
static void close_the_others(void)
{
    for (int fd = 3; fd < 4096; fd++)
        close(fd);
}

const struct victim_case victim_memory[] = {
    { "exhaust_and_free", exhaust_and_free },
    { "exhaust_again", exhaust_again },
    { "pool_is_capped", pool_is_capped },
    { "block_across_seams", block_across_seams },
    { "refused_costs_nothing", refused_costs_nothing },
    { "trim_gives_back", trim_gives_back },
    { "trim_gives_all_back", trim_gives_all_back },
    { "freed_memory_goes_back", freed_memory_goes_back },
    { "large_blocks", large_blocks },
    { "growth_moves_pages", growth_moves_pages },
    { "trim_among_small_blocks", trim_among_small_blocks },
    { "trim_at_page_edges", trim_at_page_edges },
    { "limited_addresses", limited_addresses },
    { "late_limit", late_limit },
    { "failing_malloc", failing_malloc },
    { "failing_calloc", failing_calloc },
    { "failing_aligned", failing_aligned },
    { "failing_realloc", failing_realloc },
    { "free_cannot_fail", free_cannot_fail },
    { "failing_start", failing_start },
    { "replaced_functions", replaced_functions },
    { "sandboxed", sandboxed },
    { "reserves_nothing", reserves_nothing },
    { "accounts", accounts },
    { "nothing", nothing },
    { "close_everything", close_everything },
    { "close_the_others", close_the_others },
    { NULL, NULL },
};
