/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The ports' own memory functions, under other names, beside those of the C library: every size up
 * to several words, every alignment of both sides, and every distance of an overlap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define memcpy port_memcpy
#define memmove port_memmove
#define memset port_memset
#define memcmp port_memcmp
#include "kernel/memory.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp

enum { ROOM = 128, MOST = 40, SKEWS = 2 * sizeof(void *) };

struct pair {
    _Alignas(max_align_t) unsigned char ours[ROOM];
    _Alignas(max_align_t) unsigned char theirs[ROOM];
};

static void paint(struct pair *pair)
{
    for (size_t i = 0; i < ROOM; i++)
        pair->ours[i] = pair->theirs[i] = (unsigned char)(i * 37 + 11);
}

static void copies(void **state)
{
    _Alignas(max_align_t) unsigned char source[ROOM];
    struct pair pair;
    (void)state;
    for (size_t i = 0; i < ROOM; i++)
        source[i] = (unsigned char)(255 - i);
    for (size_t to = 0; to < SKEWS; to++) {
        for (size_t from = 0; from < SKEWS; from++) {
            for (size_t size = 0; size < MOST; size++) {
                paint(&pair);
                void *got = port_memcpy(pair.ours + to, source + from, size);
                assert_ptr_equal(got, pair.ours + to);
                memcpy(pair.theirs + to, source + from, size);
                assert_memory_equal(pair.ours, pair.theirs, ROOM);
            }
        }
    }
}

static void moves(void **state)
{
    struct pair pair;
    (void)state;
    for (size_t to = 0; to < 2 * SKEWS; to++) {
        for (size_t from = 0; from < 2 * SKEWS; from++) {
            for (size_t size = 0; size < MOST; size++) {
                paint(&pair);
                void *got = port_memmove(pair.ours + to, pair.ours + from, size);
                assert_ptr_equal(got, pair.ours + to);
                memmove(pair.theirs + to, pair.theirs + from, size);
                assert_memory_equal(pair.ours, pair.theirs, ROOM);
            }
        }
    }
}

static void sets(void **state)
{
    static const int values[] = { 0, 1, 0x5a, 0xff, -1, 0x1234 };
    struct pair pair;
    (void)state;
    for (size_t at = 0; at < SKEWS; at++) {
        for (size_t size = 0; size < MOST; size++) {
            paint(&pair);
            int value = values[size % (sizeof values / sizeof values[0])];
            assert_ptr_equal(port_memset(pair.ours + at, value, size), pair.ours + at);
            memset(pair.theirs + at, value, size);
            assert_memory_equal(pair.ours, pair.theirs, ROOM);
        }
    }
}

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

static void compare_one(struct pair *pair, size_t at, size_t other, size_t size)
{
    unsigned char *ours = pair->ours + at;
    unsigned char *theirs = pair->theirs + other;
    memmove(theirs, ours, size);
    assert_int_equal(port_memcmp(ours, theirs, size), 0);
    for (size_t i = 0; i < size; i++) {
        unsigned char was = theirs[i];
        theirs[i] = (unsigned char)(was + 100);
        assert_int_equal(sign(port_memcmp(ours, theirs, size)), sign(memcmp(ours, theirs, size)));
        assert_int_not_equal(port_memcmp(ours, theirs, size), 0);
        assert_int_equal(port_memcmp(ours, theirs, i), 0);
        theirs[i] = was;
    }
}

static void compares(void **state)
{
    struct pair pair;
    (void)state;
    paint(&pair);
    for (size_t at = 0; at < SKEWS; at++) {
        for (size_t other = 0; other < SKEWS; other++) {
            for (size_t size = 0; size < MOST; size++)
                compare_one(&pair, at, other, size);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies),
        cmocka_unit_test(moves),
        cmocka_unit_test(sets),
        cmocka_unit_test(compares),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
