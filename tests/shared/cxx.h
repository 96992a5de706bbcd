/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A cmocka program in C++ whose cases run over every byte allocator, each on a shared
 * handle. A test case fails by REQUIRE, by an exception that it lets out, and by anything that it
 * leaves in the heap.
 */
#ifndef ACRE_TESTS_SHARED_CXX_H
#define ACRE_TESTS_SHARED_CXX_H

#include <acre/acre.hpp>

#include <vector>

extern "C" {
#include "support/fixture.h"
}

struct failed {
    const char *condition;
    const char *file;
    int line;
};

#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition))                                                                          \
            throw failed{ #condition, __FILE__, __LINE__ };                                        \
    } while (0)

/* REQUIREs that the statement throws exactly this. */
#define REQUIRE_THROWS(exception, statement)                                                       \
    do {                                                                                           \
        bool thrown = false;                                                                       \
        try {                                                                                      \
            statement;                                                                             \
        } catch (const exception &caught) {                                                        \
            thrown = typeid(caught) == typeid(exception);                                          \
        }                                                                                          \
        if (!thrown)                                                                               \
            throw failed{ #statement " throws " #exception, __FILE__, __LINE__ };                  \
    } while (0)

/* What a test case gets: a heap, and the allocator below it. */
struct ground {
    acre::shared heap;
    acre_bytes bytes;
    unsigned caps; /* of the backend */
};

struct test_case {
    const char *name;
    void (*run)(ground &on);
    unsigned needs; /* capabilities of a backend without which the test case is skipped */
};

/* For main to return. */
int run_cases(const char *group, const std::vector<test_case> &cases);

/* Blocks that are live in the heap. */
inline std::size_t live(const ground &on)
{
    return acre_bytes_stats(on.bytes).live_blocks;
}

#endif
