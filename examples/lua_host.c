/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A program that gives a script a quarter of a megabyte and not a byte more. */
#include <acre/hooks/lua.h>
#include <acre/tlsf.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>

static _Alignas(max_align_t) char memory[256 * 1024];
static struct acre_tlsf tlsf;

static int open_libraries(lua_State *lua)
{
    luaL_openlibs(lua);
    return 0;
}

/* Prints what the script returned or why it failed; returns what Lua said. */
static int run(lua_State *lua, const char *script)
{
    int result = luaL_loadstring(lua, script);
    if (result == LUA_OK)
        result = lua_pcall(lua, 0, 1, 0);
    printf("%-46s %s\n", script, lua_tostring(lua, -1));
    lua_pop(lua, 1);
    return result;
}

/* A script that takes all there is gets Lua's own error, and the next one runs. */
static int run_all(lua_State *lua)
{
    lua_pushcfunction(lua, open_libraries);
    return lua_pcall(lua, 0, 0, 0) == LUA_OK && run(lua, "return 6 * 7") == LUA_OK &&
           run(lua, "local t = {} while true do t[#t + 1] = {} end") == LUA_ERRMEM &&
           run(lua, "return 'still here'") == LUA_OK;
}

int main(void)
{
    if (acre_tlsf_init(&tlsf, memory, sizeof memory) != ACRE_OK)
        return 1;
    struct acre_bytes heap = acre_tlsf_bytes(&tlsf);
    lua_State *lua = lua_newstate(acre_hook_lua_alloc, &heap);
    if (lua == NULL)
        return 1;
    int fine = run_all(lua);
    printf("most ever in use: %zu bytes\n", acre_bytes_stats(heap).peak);
    lua_close(lua);
    return fine && acre_used_bytes(heap) == 0 ? 0 : 1;
}
