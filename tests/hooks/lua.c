/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Lua with every block from a pool: a script that builds tables until memory is exhausted, sees
 * Lua's own error, drops them and goes on.
 */
#include "hooks/pool.h"

#include <acre/hooks/lua.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <string.h>

enum { POOL = 1 << 20 };

static const char exhausting[] =
    "local function fill()\n"
    "    local tables = {}\n"
    "    for i = 1, math.huge do\n"
    "        tables[i] = { number = i, text = 'row ' .. i, list = { i, i + 1, i + 2 } }\n"
    "    end\n"
    "end\n"
    "for round = 1, 5 do\n"
    "    local fine, message = pcall(fill)\n"
    "    assert(not fine and message == 'not enough memory', message)\n"
    "    collectgarbage()\n"
    "    local drop = {}\n"
    "    for i = 1, 500 do drop[i % 50] = { string.rep('x', i), i } end\n"
    "end\n"
    "return 'went on'\n";

static const char modest[] = "local seen = {}\n"
                             "for i = 1, 200 do seen[i] = ('%d squared'):format(i * i) end\n"
                             "table.sort(seen)\n"
                             "local co = coroutine.wrap(function(a) return a .. seen[200] end)\n"
                             "return co('last: ')\n";

static int open_libraries(lua_State *lua)
{
    luaL_openlibs(lua);
    return 0;
}

static enum outcome outcome_of(lua_State *lua, int result)
{
    if (result == LUA_OK)
        return DONE;
    assert_int_equal(result, LUA_ERRMEM);
    assert_string_equal(lua_tostring(lua, -1), "not enough memory");
    return NO_MEMORY;
}

static enum outcome run(lua_State *lua, const char *script, const char *expected)
{
    lua_pushcfunction(lua, open_libraries);
    if (outcome_of(lua, lua_pcall(lua, 0, 0, 0)) == NO_MEMORY)
        return NO_MEMORY;
    if (outcome_of(lua, luaL_loadstring(lua, script)) == NO_MEMORY)
        return NO_MEMORY;
    int result = lua_pcall(lua, 0, 1, 0);
    if (result == LUA_ERRRUN)
        fail_msg("%s", lua_tostring(lua, -1));
    if (outcome_of(lua, result) == NO_MEMORY)
        return NO_MEMORY;
    assert_string_equal(lua_tostring(lua, -1), expected);
    return DONE;
}

static enum outcome run_script(struct pool *pool, const char *script, const char *expected)
{
    lua_State *lua = lua_newstate(acre_hook_lua_alloc, &pool->bytes);
    if (lua == NULL)
        return NO_MEMORY;
    enum outcome outcome = run(lua, script, expected);
    lua_close(lua);
    return outcome;
}

static enum outcome work(struct pool *pool)
{
    return run_script(pool, modest, "last: 9801 squared");
}

static enum outcome exhaust(struct pool *pool)
{
    enum outcome outcome = run_script(pool, exhausting, "went on");
    assert_true(acre_stats(pool->base).failed >= 5);
    return outcome;
}

static void builds_until_memory_is_exhausted(void **state)
{
    const struct acre_backend *backend = *state;
    if (strcmp(backend->name, "arena") == 0)
        skip(); /* what the script frees, an arena does not use again */
    pool_does(*state, POOL, exhaust);
}

static void pools_too_small(void **state)
{
    pool_grows(*state, 4096, POOL, work);
}

static void each_request_refused(void **state)
{
    pool_refuses_each(*state, POOL, 2000, work);
}

int main(void)
{
    static const struct pool_case cases[] = {
        { "builds tables until memory is exhausted", builds_until_memory_is_exhausted },
        { "pools too small", pools_too_small },
        { "each request refused", each_request_refused },
    };
    return pool_run("lua", cases, sizeof cases / sizeof cases[0]);
}
