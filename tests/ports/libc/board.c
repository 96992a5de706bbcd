/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A program for a Cortex-M4 board with newlib or picolibc, whose heap is a port's. Prints a line
 * per failed check and, last, how many passed; scripts/check-libc boots it. */
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned passed, failed, misuses;

#define CHECK(holds) check(holds, #holds, __LINE__)

static void check(int holds, const char *text, int line)
{
    passed += holds != 0;
    failed += holds == 0;
    if (!holds)
        printf("FAILED: line %d: %s\n", line, text);
}

/* What the port calls, which is compiled with this name for it. */
void board_misuse(const char *call, const void *ptr);

void board_misuse(const char *call, const void *ptr)
{
    misuses += call != NULL && ptr != NULL;
}

static size_t used(void)
{
    return mallinfo().uordblks;
}

static void serves_blocks(void)
{
    size_t before = used();
    char *text = strdup("acre");
    CHECK(text != NULL && strcmp(text, "acre") == 0);
    text = realloc(text, 1000);
    CHECK(text != NULL && strcmp(text, "acre") == 0);
    CHECK(malloc_usable_size(text) >= 1000);
    CHECK(used() >= before + 1000);
    free(text);
    CHECK(used() == before);
    malloc_stats();
    unsigned *zeros = calloc(100, sizeof *zeros);
    CHECK(zeros != NULL && zeros[0] == 0 && zeros[99] == 0);
    free(zeros);
    void *aligned = memalign(256, 10);
    CHECK(aligned != NULL && (uintptr_t)aligned % 256 == 0);
    free(aligned);
    CHECK(used() == before);
}

static void refuses_what_cannot_be(void)
{
    size_t before = used();
    volatile size_t huge = SIZE_MAX;
    errno = 0;
    CHECK(malloc(huge - 16) == NULL && errno == ENOMEM);
    errno = 0;
    CHECK(calloc(huge / 2 + 2, 2) == NULL && errno == ENOMEM);
    CHECK(memalign(24, 10) == NULL && errno == EINVAL);
    CHECK(used() == before);
}

static void survives_exhaustion(void)
{
    void *volatile first = NULL;
    size_t before = used(), count = 0;
    for (void **block; (block = malloc(1024)) != NULL; count++) {
        *block = first;
        first = block;
    }
    CHECK(count > 50);
    CHECK(errno == ENOMEM);
    while (first != NULL) {
        void *next = *(void **)first;
        free(first);
        first = next;
    }
    CHECK(used() == before);
    CHECK(misuses == 0);
}

static void answers_misuse(void)
{
    static int outside;
    char *volatile ptr = malloc(100);
    char *volatile freed = malloc(100);
    free(freed);
    size_t before = used();
    free(freed);
    free(ptr + 8);
    free(&outside);
    CHECK(realloc(freed, 10) == NULL);
    CHECK(misuses == 4);
    CHECK(used() == before);
    free(ptr);
    CHECK(misuses == 4);
}

int main(void)
{
    printf("C library: %.3f, %s\n", 1.5, "printf works");
    serves_blocks();
    refuses_what_cannot_be();
    survives_exhaustion();
    answers_misuse();
    printf("%u passed, %u failed\n", passed, failed);
    fflush(stdout);
    return failed != 0;
}
