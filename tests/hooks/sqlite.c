/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * SQLite with every block from a pool: inserts, an index, joins and an integrity check, in enough
 * memory, with each request refused in turn, and in pools that are too small.
 */
#include "hooks/pool.h"

#include <acre/hooks/sqlite.h>

enum { CITIES = 50, POOL = 16 << 20 };

/* A shop's database: `people` rows, each in one of CITIES cities. */
struct shop {
    sqlite3 *db;
    int people;
};

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    assert_true(result == SQLITE_OK || result == SQLITE_NOMEM);
    assert_int_equal(statement != NULL, result == SQLITE_OK);
    return statement;
}

/* Ends a statement; says how its last step ended. */
static enum outcome finish(sqlite3_stmt *statement, int step)
{
    assert_true(step == SQLITE_DONE || step == SQLITE_ROW || step == SQLITE_NOMEM);
    int result = sqlite3_finalize(statement);
    assert_int_equal(result == SQLITE_NOMEM, step == SQLITE_NOMEM);
    return result == SQLITE_OK ? DONE : NO_MEMORY;
}

static enum outcome execute(sqlite3 *db, const char *sql)
{
    int result = sqlite3_exec(db, sql, NULL, NULL, NULL);
    assert_true(result == SQLITE_OK || result == SQLITE_NOMEM);
    return result == SQLITE_OK ? DONE : NO_MEMORY;
}

/* Runs a query of one row and one column of numbers. */
static enum outcome ask(sqlite3 *db, const char *sql, sqlite3_int64 expected)
{
    sqlite3_stmt *statement = prepare(db, sql);
    if (statement == NULL)
        return NO_MEMORY;
    int step = sqlite3_step(statement);
    if (step == SQLITE_ROW)
        assert_int_equal(sqlite3_column_int64(statement, 0), expected);
    return finish(statement, step);
}

static enum outcome insert_people(const struct shop *shop)
{
    sqlite3_stmt *insert = prepare(shop->db, "INSERT INTO person VALUES(?1, ?2, ?3)");
    int step = SQLITE_DONE;
    if (insert == NULL)
        return NO_MEMORY;
    for (int id = 1; id <= shop->people && step == SQLITE_DONE; id++) {
        char name[64];
        int length = sqlite3_snprintf(sizeof name, name, "person %d of a certain length",
                         id * 7919 % shop->people)
                         ? (int)strlen(name)
                         : 0;
        sqlite3_bind_int(insert, 1, id);
        if (sqlite3_bind_text(insert, 2, name, length, SQLITE_TRANSIENT) == SQLITE_NOMEM)
            step = SQLITE_NOMEM;
        sqlite3_bind_int(insert, 3, id % CITIES);
        if (step == SQLITE_DONE)
            step = sqlite3_step(insert);
        if (step == SQLITE_DONE)
            sqlite3_reset(insert);
    }
    return sqlite3_finalize(insert) == SQLITE_OK && step == SQLITE_DONE ? DONE : NO_MEMORY;
}

static enum outcome fill(const struct shop *shop)
{
    if (execute(shop->db, "PRAGMA temp_store=MEMORY; BEGIN;"
                          "CREATE TABLE city(id INTEGER PRIMARY KEY, name TEXT);"
                          "CREATE TABLE person(id INTEGER PRIMARY KEY, name TEXT, city INTEGER);"
                          "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i<49)"
                          " INSERT INTO city SELECT i, 'city ' || i FROM n;") == NO_MEMORY)
        return NO_MEMORY;
    if (insert_people(shop) == NO_MEMORY)
        return NO_MEMORY;
    return execute(shop->db, "CREATE INDEX by_name ON person(name); COMMIT;");
}

static enum outcome query(const struct shop *shop)
{
    int people = shop->people;
    if (ask(shop->db, "SELECT count(*) FROM person", people) == NO_MEMORY ||
        ask(shop->db,
            "SELECT count(DISTINCT city.name) FROM person JOIN city ON city.id = person.city",
            people < CITIES ? people : CITIES) == NO_MEMORY ||
        ask(shop->db, "SELECT sum(a.id) FROM person a JOIN person b ON a.name = b.name",
            (sqlite3_int64)people * (people + 1) / 2) == NO_MEMORY ||
        execute(shop->db, "DELETE FROM person WHERE id % 2 = 0;"
                          "UPDATE person SET name = name || ' and more text';") == NO_MEMORY)
        return NO_MEMORY;
    return ask(shop->db, "SELECT count(*) FROM (SELECT name FROM person ORDER BY name DESC)",
        (people + 1) / 2);
}

static enum outcome verify(sqlite3 *db)
{
    sqlite3_stmt *statement = prepare(db, "PRAGMA integrity_check");
    if (statement == NULL)
        return NO_MEMORY;
    int step = sqlite3_step(statement);
    if (step == SQLITE_ROW)
        assert_string_equal((const char *)sqlite3_column_text(statement, 0), "ok");
    return finish(statement, step);
}

static enum outcome run_shop(struct pool *pool, int people)
{
    struct shop shop = { NULL, people };
    enum outcome outcome = NO_MEMORY;
    assert_int_equal(acre_hook_sqlite_install(pool->bytes), SQLITE_OK);
    int opened = sqlite3_open(":memory:", &shop.db);
    assert_true(opened == SQLITE_OK || opened == SQLITE_NOMEM);
    if (opened == SQLITE_OK && fill(&shop) == DONE && query(&shop) == DONE)
        outcome = verify(shop.db);
    if (opened == SQLITE_OK)
        assert_int_equal(acre_hook_sqlite_install(pool->bytes), SQLITE_MISUSE);
    assert_int_equal(sqlite3_close(shop.db), SQLITE_OK);
    assert_int_equal(sqlite3_memory_used(), 0);
    assert_int_equal(sqlite3_shutdown(), SQLITE_OK);
    return outcome;
}

static enum outcome small(struct pool *pool)
{
    return run_shop(pool, 20);
}

static enum outcome large(struct pool *pool)
{
    return run_shop(pool, 4000);
}

static void thousands_of_rows(void **state)
{
    pool_does(*state, POOL, large);
}

static void each_request_refused(void **state)
{
    pool_refuses_each(*state, POOL, SIZE_MAX, small);
}

static void pools_too_small(void **state)
{
    pool_grows(*state, 1 << 16, POOL, large);
}

/* A statement that finds no memory leaves the connection of use. */
static void carries_on_after_exhaustion(void **state)
{
    struct pool pool;
    sqlite3 *db = NULL;
    assert_true(pool_open(&pool, *state, POOL));
    assert_int_equal(acre_hook_sqlite_install(pool.bytes), SQLITE_OK);
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    assert_int_equal(execute(db, "CREATE TABLE t(x); INSERT INTO t VALUES(17)"), DONE);
    assert_int_equal(execute(db, "INSERT INTO t SELECT zeroblob(100000000)"), NO_MEMORY);
    assert_int_equal(sqlite3_errcode(db), SQLITE_NOMEM);
    assert_int_equal(ask(db, "SELECT sum(x) FROM t", 17), DONE);
    assert_int_equal(verify(db), DONE);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_int_equal(sqlite3_shutdown(), SQLITE_OK);
    pool_assert_empty(&pool);
    pool_close(&pool);
}

int main(void)
{
    static const struct pool_case cases[] = {
        { "thousands of rows, an index, joins", thousands_of_rows },
        { "each request refused", each_request_refused },
        { "pools too small", pools_too_small },
        { "carries on after exhaustion", carries_on_after_exhaustion },
    };
    return pool_run("sqlite", cases, sizeof cases / sizeof cases[0]);
}
