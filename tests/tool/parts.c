/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The tool's pure parts: sizes, nearest words, options, tables, percentiles, stamps. */
#include "cli/options.h"
#include "cli/size.h"
#include "cli/table.h"
#include "number/number.h"
#include "registry/nearest.h"
#include "replay/stamp.h"
#include "replay/statistics.h"
#include "replay/worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void sizes_parse(void **state)
{
    static const struct {
        const char *text;
        enum acre_number_status status;
        size_t bytes;
    } cases[] = {
        { "0", ACRE_NUMBER_OK, 0 },
        { "1", ACRE_NUMBER_OK, 1 },
        { "17B", ACRE_NUMBER_OK, 17 },
        { "4096", ACRE_NUMBER_OK, 4096 },
        { "3k", ACRE_NUMBER_OK, 3072 },
        { "3K", ACRE_NUMBER_OK, 3072 },
        { "3KiB", ACRE_NUMBER_OK, 3072 },
        { "16M", ACRE_NUMBER_OK, (size_t)16 << 20 },
        { "1G", ACRE_NUMBER_OK, (size_t)1 << 30 },
        { "0T", ACRE_NUMBER_OK, 0 },
        { "18446744073709551616", ACRE_NUMBER_TOO_LARGE, 0 },
        { "99999999999999999999999999", ACRE_NUMBER_TOO_LARGE, 0 },
        { "99999999999999999999999999x", ACRE_NUMBER_MALFORMED, 0 },
        { "18446744073709551615K", ACRE_NUMBER_TOO_LARGE, 0 },
        { "16777216T", ACRE_NUMBER_TOO_LARGE, 0 },
        { "", ACRE_NUMBER_MALFORMED, 0 },
        { "K", ACRE_NUMBER_MALFORMED, 0 },
        { "-1", ACRE_NUMBER_MALFORMED, 0 },
        { "+1", ACRE_NUMBER_MALFORMED, 0 },
        { " 1", ACRE_NUMBER_MALFORMED, 0 },
        { "1 ", ACRE_NUMBER_MALFORMED, 0 },
        { "1KB", ACRE_NUMBER_MALFORMED, 0 },
        { "1Ki", ACRE_NUMBER_MALFORMED, 0 },
        { "1.5M", ACRE_NUMBER_OK, 3u << 19 },
        { "22.4 MiB", ACRE_NUMBER_OK, 23488103 },
        { "0.000001K", ACRE_NUMBER_OK, 1 },
        { "1.0K", ACRE_NUMBER_OK, 1024 },
        { "1.5", ACRE_NUMBER_MALFORMED, 0 },
        { "1.5B", ACRE_NUMBER_MALFORMED, 0 },
        { "1.M", ACRE_NUMBER_MALFORMED, 0 },
        { ".5M", ACRE_NUMBER_MALFORMED, 0 },
        { "1.0000001M", ACRE_NUMBER_MALFORMED, 0 },
        { "1  M", ACRE_NUMBER_MALFORMED, 0 },
        { "1.5.1M", ACRE_NUMBER_MALFORMED, 0 },
        { "0x10", ACRE_NUMBER_MALFORMED, 0 },
        { "1P", ACRE_NUMBER_MALFORMED, 0 },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t bytes = 77;
        enum acre_number_status status = acre_parse_size(cases[i].text, &bytes);
        if (status != cases[i].status)
            fail_msg("'%s' parses as %d", cases[i].text, status);
        assert_int_equal(bytes, status == ACRE_NUMBER_OK ? cases[i].bytes : 77);
    }
}

static void largest_size_parses(void **state)
{
    char text[32];
    size_t bytes = 0;
    (void)state;
    snprintf(text, sizeof text, "%zu", SIZE_MAX);
    assert_int_equal(acre_parse_size(text, &bytes), ACRE_NUMBER_OK);
    assert_true(bytes == SIZE_MAX);
    snprintf(text, sizeof text, "%zuK", SIZE_MAX >> 10);
    assert_int_equal(acre_parse_size(text, &bytes), ACRE_NUMBER_OK);
    assert_true(bytes == SIZE_MAX >> 10 << 10);
    snprintf(text, sizeof text, "%zuK", (SIZE_MAX >> 10) + 1);
    assert_int_equal(acre_parse_size(text, &bytes), ACRE_NUMBER_TOO_LARGE);
}

static void bytes_format(void **state)
{
    static const struct {
        size_t bytes;
        const char *text;
    } cases[] = { { 0, "0 B" }, { 1023, "1023 B" }, { 1024, "1.00 KiB" }, { 1536, "1.50 KiB" },
        { 10240, "10.0 KiB" }, { 204800, "200 KiB" }, { (size_t)5 << 20, "5.00 MiB" } };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[ACRE_FORMAT_BYTES_ROOM];
        acre_format_bytes(text, cases[i].bytes);
        assert_string_equal(text, cases[i].text);
    }
}

/* A size as it is printed suffices when it is given back. */
static void sizes_that_must_suffice_round_up(void **state)
{
    (void)state;
    for (size_t bytes = 1000; bytes < (size_t)1 << 30; bytes += bytes / 8 + 1) {
        char text[ACRE_FORMAT_BYTES_ROOM];
        size_t again = 0;
        acre_format_bytes_up(text, bytes);
        assert_int_equal(acre_parse_size(text, &again), ACRE_NUMBER_OK);
        assert_true(again >= bytes && again - bytes <= bytes / 100 + 1);
    }
}

static void edit_distances(void **state)
{
    (void)state;
    assert_int_equal(acre_edit_distance("", ""), 0);
    assert_int_equal(acre_edit_distance("run", "run"), 0);
    assert_int_equal(acre_edit_distance("", "run"), 3);
    assert_int_equal(acre_edit_distance("rum", "run"), 1);
    assert_int_equal(acre_edit_distance("relpay", "replay"), 1);
    assert_int_equal(acre_edit_distance("reply", "replay"), 1);
    assert_int_equal(acre_edit_distance("recorder", "record"), 2);
    assert_int_equal(acre_edit_distance("a", "abcdefghijabcdefghijabcdefghijab"), 99);
}

static void nearest_words(void **state)
{
    static const char *const long_words[] = { "no-pool-search", NULL };
    static const char *const words[] = { "run", "record", "replay", "bench", NULL };
    (void)state;
    assert_string_equal(acre_nearest("relpay", words), "replay");
    assert_string_equal(acre_nearest("rum", words), "run");
    assert_string_equal(acre_nearest("bnech", words), "bench");
    assert_null(acre_nearest("xyz", words));
    assert_null(acre_nearest("ab", words));
    assert_null(acre_nearest("", words));
    assert_string_equal(acre_nearest("no-pool-sear", long_words), "no-pool-search");
    assert_null(acre_nearest("no-pool-sea", long_words));
}

/* A command line with one option of each kind. */
struct values {
    bool flag;
    const char *text;
    size_t size, count;
    struct acre_text_list list;
};

static enum acre_parsed parse(struct values *values, bool runs_command, int *argc, char **argv)
{
    const struct acre_option options[] = {
        { "flag", 'f', ACRE_OPTION_FLAG, NULL, "", &values->flag },
        { "text", 't', ACRE_OPTION_TEXT, "TEXT", "", &values->text },
        { "size", 0, ACRE_OPTION_SIZE, "SIZE", "", &values->size },
        { "count", 'c', ACRE_OPTION_COUNT, "N", "", &values->count },
        { "list", 'l', ACRE_OPTION_LIST, "TEXT", "", &values->list },
        { .name = NULL },
    };
    const struct acre_usage usage = { "test", "", "", options, runs_command };
    return acre_options_parse(&usage, argc, argv);
}

#define ARGV(...)                                                                                  \
    (char *[])                                                                                     \
    {                                                                                              \
        (char[]){ "test" }, __VA_ARGS__, NULL                                                      \
    }
#define WORD(text)                                                                                 \
    (char[])                                                                                       \
    {                                                                                              \
        text                                                                                       \
    }

static void options_parse(void **state)
{
    struct values values = { 0 };
    int argc = 12;
    char **argv = ARGV(WORD("one"), WORD("--flag"), WORD("--text=a=b"), WORD("--size"), WORD("2K"),
        WORD("-c7"), WORD("-l"), WORD("x"), WORD("two"), WORD("--list=y"), WORD("-"));
    (void)state;
    assert_int_equal(parse(&values, false, &argc, argv), ACRE_PARSED_OK);
    assert_true(values.flag);
    assert_string_equal(values.text, "a=b");
    assert_int_equal(values.size, 2048);
    assert_int_equal(values.count, 7);
    assert_int_equal(values.list.count, 2);
    assert_string_equal(values.list.items[0], "x");
    assert_string_equal(values.list.items[1], "y");
    assert_int_equal(argc, 3);
    assert_string_equal(argv[0], "one");
    assert_string_equal(argv[1], "two");
    assert_string_equal(argv[2], "-");
    assert_null(argv[3]);
}

static void letters_run_together(void **state)
{
    struct values values = { 0 };
    int argc = 3;
    char **argv = ARGV(WORD("-fc7"), WORD("-ffl-x"));
    (void)state;
    assert_int_equal(parse(&values, false, &argc, argv), ACRE_PARSED_OK);
    assert_true(values.flag);
    assert_int_equal(values.count, 7);
    assert_string_equal(values.list.items[0], "-x");
    assert_int_equal(argc, 0);
    argc = 2;
    assert_int_equal(parse(&values, false, &argc, ARGV(WORD("-fx"))), ACRE_PARSED_WRONG);
    argc = 2;
    assert_int_equal(parse(&values, false, &argc, ARGV(WORD("-f-"))), ACRE_PARSED_WRONG);
}

static void options_end_at_the_command(void **state)
{
    struct values values = { 0 };
    int argc = 5;
    char **argv = ARGV(WORD("-f"), WORD("ls"), WORD("-t"), WORD("--size"));
    (void)state;
    assert_int_equal(parse(&values, true, &argc, argv), ACRE_PARSED_OK);
    assert_int_equal(argc, 3);
    assert_string_equal(argv[0], "ls");
    assert_string_equal(argv[2], "--size");
    assert_null(values.text);
}

static void dashes_end_the_options(void **state)
{
    struct values values = { 0 };
    int argc = 5;
    char **argv = ARGV(WORD("--"), WORD("--flag"), WORD("--"), WORD("-x"));
    (void)state;
    assert_int_equal(parse(&values, true, &argc, argv), ACRE_PARSED_OK);
    assert_false(values.flag);
    assert_int_equal(argc, 3);
    assert_string_equal(argv[0], "--flag");
    assert_string_equal(argv[1], "--");
}

static void wrong_options_are_refused(void **state)
{
    static const char *const wrong[] = { "--unknown", "-x", "--flag=1", "--text",
        "--text=", "--size=0", "--size=1X", "--size=99999999999999999999", "--count=1K",
        "--count=", "-xf", "--fla", "--flagg", "--=x" };
    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct values values = { 0 };
        char word[64];
        int argc = 2;
        snprintf(word, sizeof word, "%s", wrong[i]);
        char **argv = ARGV(word);
        if (parse(&values, false, &argc, argv) != ACRE_PARSED_WRONG)
            fail_msg("'%s' is taken", wrong[i]);
        assert_false(values.flag || values.text || values.size || values.count);
    }
}

static void too_many_repetitions_are_refused(void **state)
{
    struct values values = { 0 };
    size_t most = COUNT(values.list.items);
    (void)state;
    for (size_t i = 0; i <= most; i++) {
        int argc = 2;
        char **argv = ARGV(WORD("-lx"));
        enum acre_parsed parsed = parse(&values, false, &argc, argv);
        assert_int_equal(parsed, i < most ? ACRE_PARSED_OK : ACRE_PARSED_WRONG);
    }
    assert_int_equal(values.list.count, most);
}

static void numbers_are_grouped(void **state)
{
    static const struct {
        uint64_t number;
        const char *text;
    } cases[] = { { 0, "0" }, { 999, "999" }, { 1000, "1,000" }, { 123456, "123,456" },
        { 1234567, "1,234,567" }, { UINT64_MAX, "18,446,744,073,709,551,615" } };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char cell[ACRE_CELL_ROOM];
        acre_cell_number(cell, cases[i].number);
        assert_string_equal(cell, cases[i].text);
    }
}

static void tables_align(void **state)
{
    static const struct acre_table_row rows[] = { { { "name", "value", "" } },
        { { "a", "1", "x" } }, { { "longest", "", "" } } };
    char text[128] = "";
    (void)state;
    FILE *out = fmemopen(text, sizeof text, "w");
    acre_table_print(out, rows, COUNT(rows), 3);
    fclose(out);
    assert_string_equal(text, "name     value\na            1  x\nlongest\n");
}

static void percentiles_are_exact(void **state)
{
    static uint32_t ticks[1000];
    struct replay_results results = { 0 };
    struct replay_ticks all = { .items = ticks, .file = -1, .count = 1000 };
    (void)state;
    for (uint32_t i = 0; i < 1000; i++)
        ticks[(i * 7919) % 1000] = (i + 1) * 100000;
    replay_summarise(&results, &all);
    assert_int_equal(results.median, 500 * 100000);
    assert_int_equal(results.p99, 990 * 100000);
    assert_int_equal(results.p999, 999 * 100000);
    assert_int_equal(results.worst, 1000 * 100000);
    assert_int_equal(ticks[results.worst_op], 1000 * 100000);
}

static void percentiles_of_one(void **state)
{
    uint32_t ticks[] = { 42 };
    struct replay_results results = { 0 };
    struct replay_ticks all = { .items = ticks, .file = -1, .count = 1 };
    (void)state;
    replay_summarise(&results, &all);
    assert_int_equal(results.median, 42);
    assert_int_equal(results.p999, 42);
    assert_int_equal(results.worst, 42);
}

/* How well the least of several rounds is known: halves that alternate, each with its own least. */
static void noise_is_that_of_the_least(void **state)
{
    const double one[] = { 7.0 };
    const double two[] = { 7.0, 9.5 };
    const double five[] = { 90.0, 8.0, 7.0, 80.0, 60.0 };
    const double four[] = { 8.0, 90.0, 60.0, 7.0 };
    (void)state;
    assert_int_equal(replay_least_noise(NULL, 0) * 10.0, 0);
    assert_int_equal(replay_least_noise(one, COUNT(one)) * 10.0, 0);
    assert_int_equal(replay_least_noise(two, COUNT(two)) * 10.0, 25);
    assert_int_equal(replay_least_noise(five, COUNT(five)) * 10.0, 10);
    assert_int_equal(replay_least_noise(four, COUNT(four)) * 10.0, 10);
    const double steady[] = { 100.0, 300.0, 200.0, 101.9 };
    assert_true(replay_is_unsettled(four, COUNT(four), REPLAY_KNOWN_WELL));
    assert_false(replay_is_unsettled(steady, COUNT(steady), REPLAY_KNOWN_WELL));
    assert_false(replay_is_unsettled(four, 1, REPLAY_KNOWN_WELL));
}

/* Any byte of a small block, and any of a large one's ends, is missed by no check. */
static void stamps_see_each_byte(void **state)
{
    static unsigned char block[200];
    (void)state;
    for (size_t size = 1; size <= sizeof block; size++) {
        replay_stamp(block, 0, size, 5);
        for (size_t at = 0; at < size; at++) {
            block[at] ^= 1;
            assert_int_equal(replay_stamp_check(block, 0, size, 5), at / 8 * 8);
            block[at] ^= 1;
        }
        assert_true(replay_stamp_check(block, 0, size, 5) == SIZE_MAX);
        assert_true(replay_stamp_check_tail(block, size, 5) == SIZE_MAX);
        assert_int_equal(replay_stamp_check(block, 0, size, 6), 0);
    }
}

/* A block that grows step by step is stamped as if it had been that large from the start. */
static void stamps_grow(void **state)
{
    static unsigned char block[300000];
    size_t before = 0;
    (void)state;
    for (size_t size = 1; size < sizeof block; size += size / 3 + 1) {
        replay_stamp(block, before, size, 9);
        assert_true(replay_stamp_check(block, 0, size, 9) == SIZE_MAX);
        assert_true(replay_stamp_check_tail(block, size, 9) == SIZE_MAX);
        before = size;
    }
    block[before - 1] ^= 1;
    assert_true(replay_stamp_check_tail(block, before, 9) != SIZE_MAX);
}

/* Pages that were given back hold zeros when they are touched again. */
static void pools_are_refreshed(void **state)
{
    struct replay_pool pool = { 0 };
    (void)state;
    replay_pool_refresh(&pool);
    assert_true(replay_pool_reserve(&pool, 100000));
    memset(pool.start, 1, pool.size);
    replay_pool_refresh(&pool);
    for (size_t i = 0; i < pool.size; i++)
        assert_int_equal(((const char *)pool.start)[i], 0);
    replay_pool_give_up(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_parse),
        cmocka_unit_test(largest_size_parses),
        cmocka_unit_test(bytes_format),
        cmocka_unit_test(sizes_that_must_suffice_round_up),
        cmocka_unit_test(edit_distances),
        cmocka_unit_test(nearest_words),
        cmocka_unit_test(options_parse),
        cmocka_unit_test(letters_run_together),
        cmocka_unit_test(options_end_at_the_command),
        cmocka_unit_test(dashes_end_the_options),
        cmocka_unit_test(wrong_options_are_refused),
        cmocka_unit_test(too_many_repetitions_are_refused),
        cmocka_unit_test(numbers_are_grouped),
        cmocka_unit_test(tables_align),
        cmocka_unit_test(percentiles_are_exact),
        cmocka_unit_test(percentiles_of_one),
        cmocka_unit_test(noise_is_that_of_the_least),
        cmocka_unit_test(stamps_see_each_byte),
        cmocka_unit_test(stamps_grow),
        cmocka_unit_test(pools_are_refreshed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
