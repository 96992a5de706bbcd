/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Lua (5.1 and newer, LuaJIT) over a handle: every state can have its own pool. When the pool is
 * exhausted, Lua collects garbage, tries again, and raises "not enough memory" (LUA_ERRMEM).
 *
 *     struct acre_bytes bytes = acre_tlsf_bytes(&tlsf);
 *     lua_State *lua = lua_newstate(acre_hook_lua_alloc, &bytes);
 *     lua_close(lua);
 *
 * A state is used by one thread at a time, and so is its handle. See acre/hooks/hook.h for misuse.
 */
#ifndef ACRE_HOOKS_LUA_H
#define ACRE_HOOKS_LUA_H

#include <acre/hooks/hook.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A lua_Alloc. Needs no header of Lua.
 * @param bytes    a struct acre_bytes that outlives the state.
 * @param ptr      a block, or null for a new one.
 * @param old_size the size that Lua believes the block has; not used.
 * @param size     the new size in bytes; 0 frees.
 * @return the block; null when it was freed, or when there is no memory. A block that does not grow
 *         never fails: Lua relies on it.
 */
static inline void *acre_hook_lua_alloc(void *bytes, void *ptr, size_t old_size, size_t size)
{
    (void)old_size;
    if (ptr == NULL && size == 0)
        return NULL;
    return acre_hook_realloc(acre_hook_bytes(bytes), ptr, size, "lua_Alloc");
}

#ifdef __cplusplus
}
#endif

#endif
