/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Sizes, alignments and results as the standards define them. Every case leaves as many bytes in
 * use as it found.
 */
#include "victim.h"

#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_aligned(const void *ptr, size_t align)
{
    return ((uintptr_t)ptr & (align - 1)) == 0;
}

/* Whether a call yields null with ENOMEM; the call is made in between. */
#define REFUSED(call) (errno = 0, (call) == NULL && errno == ENOMEM)

static void huge_malloc(void)
{
    size_t used = victim_used();
    for (size_t k = 0; k < 8192; k++) {
        CHECK(REFUSED(malloc(SIZE_MAX - k)));
        CHECK(REFUSED(malloc((size_t)PTRDIFF_MAX + 1 + k)));
        CHECK(REFUSED(malloc((size_t)PTRDIFF_MAX - k)));
    }
    CHECK(victim_used() == used);
}

static void huge_calloc(void)
{
    size_t half = (size_t)1 << (sizeof half * 4);
    size_t used = victim_used();
    CHECK(REFUSED(calloc(SIZE_MAX / 2 + 2, 2)));
    CHECK(REFUSED(calloc(2, SIZE_MAX / 2 + 2)));
    CHECK(REFUSED(calloc(half, half)));
    CHECK(REFUSED(calloc(half * 2, half * 2)));
    CHECK(REFUSED(calloc(SIZE_MAX, SIZE_MAX)));
    CHECK(REFUSED(calloc(1, (size_t)PTRDIFF_MAX + 1)));
    CHECK(victim_used() == used);
}

static void huge_realloc(void)
{
    size_t used = victim_used();
    void *ptr = malloc(100);
    victim_fill(ptr, 100, 1);
    for (size_t k = 0; k < 8192; k++) {
        CHECK(REFUSED(realloc(ptr, SIZE_MAX - k)));
        CHECK(REFUSED(realloc(ptr, (size_t)PTRDIFF_MAX + 1 + k)));
    }
    CHECK(REFUSED(reallocarray(ptr, SIZE_MAX / 2 + 2, 2)));
    CHECK(REFUSED(reallocarray(ptr, SIZE_MAX, SIZE_MAX)));
    CHECK(REFUSED(reallocarray(NULL, SIZE_MAX / 2 + 2, 2)));
    CHECK(victim_holds(ptr, 100, 1));
    free(ptr);
    CHECK(victim_used() == used);
}

static void huge_aligned(void)
{
    size_t used = victim_used();
    for (int shift = 0; shift < (int)sizeof(size_t) * 8; shift++) {
        size_t align = (size_t)1 << shift;
        for (size_t k = 0; k < 64; k++) {
            void *out = &used;
            size_t above = SIZE_MAX - align + (k < align ? k : align);
            CHECK(REFUSED(aligned_alloc(align, above)));
            CHECK(REFUSED(aligned_alloc(align, SIZE_MAX - align - k)));
            CHECK(REFUSED(memalign(align, SIZE_MAX - k)));
            int error = posix_memalign(&out, align, above);
            CHECK(error == (align < sizeof(void *) ? EINVAL : ENOMEM));
            CHECK(out == &used);
        }
    }
    CHECK(victim_used() == used);
}

static void pages(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *(*pvalloc_fn)(size_t) = (void *(*)(size_t))victim_symbol("pvalloc");
    void *(*valloc_fn)(size_t) = (void *(*)(size_t))victim_symbol("valloc");
    size_t used = victim_used();
    for (size_t k = 0; k < 8192; k++) {
        CHECK(REFUSED(pvalloc_fn(SIZE_MAX - k)));
        CHECK(REFUSED(valloc_fn(SIZE_MAX - k)));
        CHECK(REFUSED(pvalloc_fn((size_t)PTRDIFF_MAX - k)));
    }
    for (size_t size = 0; size < 3 * page; size += page / 4) {
        char *ptr = pvalloc_fn(size);
        size_t whole = size == 0 ? page : (size + page - 1) / page * page;
        CHECK(ptr != NULL && is_aligned(ptr, page) && malloc_usable_size(ptr) >= whole);
        memset(ptr, 1, whole);
        free(ptr);
        ptr = valloc_fn(size);
        CHECK(ptr != NULL && is_aligned(ptr, page) && malloc_usable_size(ptr) >= size);
        free(ptr);
    }
    CHECK(victim_used() == used);
}

static void bad_alignments(void)
{
    static const size_t bad[] = { 0, 3, 5, 24, 48, 100, SIZE_MAX, SIZE_MAX / 2, (size_t)3 << 20 };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        void *out = &out;
        errno = 77;
        CHECK(posix_memalign(&out, bad[i], 64) == EINVAL && out == &out && errno == 77);
        errno = 0;
        CHECK(aligned_alloc(bad[i], 64) == NULL && errno == EINVAL);
        errno = 0;
        CHECK(memalign(bad[i], 64) == NULL && errno == EINVAL);
    }
    void *out = &out;
    for (size_t align = 1; align < sizeof(void *); align *= 2)
        CHECK(posix_memalign(&out, align, 64) == EINVAL && out == &out);
}

static void good_alignments(void)
{
    size_t used = victim_used();
    for (size_t align = 1; align <= (size_t)16 << 20; align *= 2) {
        size_t step = align > 4096 ? 37 : 1;
        for (size_t size = 1; size <= 300; size += step) {
            char *ptr = aligned_alloc(align, size);
            CHECK(ptr != NULL && is_aligned(ptr, align) && malloc_usable_size(ptr) >= size);
            victim_fill(ptr, malloc_usable_size(ptr), 3);
            ptr = realloc(ptr, size * 3);
            CHECK(ptr != NULL && is_aligned(ptr, _Alignof(max_align_t)));
            CHECK(victim_holds(ptr, size, 3));
            free(ptr);
        }
    }
    CHECK(victim_used() == used);
}

static void natural_alignment(void)
{
    for (size_t size = 0; size < 2000; size++) {
        void *ptr = malloc(size);
        void *zeroed = calloc(size, 1);
        CHECK(is_aligned(ptr, _Alignof(max_align_t)) && is_aligned(zeroed, _Alignof(max_align_t)));
        free(zeroed);
        free(ptr);
    }
}

static void zero_sizes(void)
{
    enum { count = 100 };
    void *ptrs[3 * count];
    size_t used = victim_used();
    for (int i = 0; i < count; i++) {
        ptrs[3 * i] = malloc(0);
        ptrs[3 * i + 1] = calloc(0, 8);
        ptrs[3 * i + 2] = realloc(NULL, 0);
    }
    for (int i = 0; i < 3 * count; i++) {
        CHECK(ptrs[i] != NULL);
        for (int j = 0; j < i; j++)
            CHECK(ptrs[i] != ptrs[j]);
    }
    for (int i = 0; i < 3 * count; i++)
        free(ptrs[i]);
    free(NULL);
    CHECK(victim_used() == used);
}

/* realloc(p, 0) frees p and returns null, as in the system's C library. */
static void realloc_to_zero(void)
{
    size_t used = victim_used();
    errno = 77;
    for (int i = 0; i < 1000; i++) {
        CHECK(realloc(malloc(100), 0) == NULL);
        CHECK(reallocarray(malloc(100), 0, 8) == NULL);
        CHECK(reallocarray(malloc(100), 8, 0) == NULL);
    }
    CHECK(errno == 77 && victim_used() == used);
}

static void errno_is_kept(void)
{
    errno = 77;
    for (size_t size = 1; size < (size_t)1 << 26; size *= 2) {
        void *ptr = malloc(size);
        CHECK(ptr != NULL);
        free(ptr);
        CHECK(errno == 77);
    }
    void *out;
    CHECK(posix_memalign(&out, 64, SIZE_MAX / 2) == ENOMEM && errno == 77);
}

static void calloc_is_zero(void)
{
    for (int round = 0; round < 3; round++)
        for (size_t size = 1; size < (size_t)1 << 24; size = size * 2 + 13) {
            char *ptr = calloc(1, size);
            CHECK(ptr != NULL);
            for (size_t i = 0; i < size; i++)
                CHECK(ptr[i] == 0);
            memset(ptr, 0xff, size);
            free(ptr);
        }
}

static void realloc_keeps(void)
{
    size_t used = victim_used();
    void *ptr = NULL;
    size_t size = 0;
    for (size_t i = 0; i < 400; i++) {
        size_t next = (i * i * 997) % 100000 + 1;
        ptr = realloc(ptr, next);
        CHECK(ptr != NULL && malloc_usable_size(ptr) >= next);
        CHECK(victim_holds(ptr, size < next ? size : next, (unsigned)i));
        victim_fill(ptr, next, (unsigned)i + 1);
        size = next;
    }
    free(ptr);
    CHECK(victim_used() == used);
}

/* Every size from the one asked for up to the usable one is the block's. */
static void sized_frees(void)
{
    void (*sized)(void *, size_t) = (void (*)(void *, size_t))victim_symbol("free_sized");
    void (*aligned_sized)(void *, size_t, size_t) =
        (void (*)(void *, size_t, size_t))victim_symbol("free_aligned_sized");
    size_t used = victim_used();
    for (size_t size = 0; size < 3000; size += 1 + size / 16) {
        sized(malloc(size), size);
        void *ptr = malloc(size);
        sized(ptr, malloc_usable_size(ptr));
        sized(realloc(malloc(size + 500), size + 1), size + 1);
        sized(realloc(malloc(size), size + 500), size + 500);
        for (size_t align = 1; align <= 65536; align *= 4)
            aligned_sized(aligned_alloc(align, size), align, size);
    }
    sized(NULL, 10);
    aligned_sized(NULL, 64, 10);
    CHECK(victim_used() == used);
}

static void every_name(void)
{
    static const char *const names[] = { "malloc", "free", "calloc", "realloc", "reallocarray",
        "memalign", "aligned_alloc", "posix_memalign", "valloc", "pvalloc", "cfree",
        "malloc_usable_size", "free_sized", "free_aligned_sized", "mallinfo", "mallinfo2",
        "mallopt", "malloc_trim", "malloc_stats", "malloc_info", "__libc_malloc", "__libc_free",
        "__libc_calloc", "__libc_realloc", "__libc_reallocarray", "__libc_memalign",
        "__libc_valloc", "__libc_pvalloc", "__libc_mallinfo", "__libc_mallopt" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        victim_check(victim_is_ours(victim_symbol(names[i])), names[i], __FILE__, __LINE__);
}

const struct victim_case victim_sizes[] = {
    { "huge_malloc", huge_malloc },
    { "huge_calloc", huge_calloc },
    { "huge_realloc", huge_realloc },
    { "huge_aligned", huge_aligned },
    { "pages", pages },
    { "bad_alignments", bad_alignments },
    { "good_alignments", good_alignments },
    { "natural_alignment", natural_alignment },
    { "zero_sizes", zero_sizes },
    { "realloc_to_zero", realloc_to_zero },
    { "errno_is_kept", errno_is_kept },
    { "calloc_is_zero", calloc_is_zero },
    { "realloc_keeps", realloc_keeps },
    { "sized_frees", sized_frees },
    { "every_name", every_name },
    { NULL, NULL },
};
