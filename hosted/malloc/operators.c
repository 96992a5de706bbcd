/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The operators new and delete of C++, all twenty forms, by the names that the Itanium C++ ABI
 * gives them. They are served here so that a sized or aligned delete is held to what the block is.
 *
 * A program may replace any of them, and the standard says which of the others then call its own:
 * the arrays and the nothrow forms call the plain ones, the sized deletes the unsized. The C++
 * library knows how; so a form whose plain one is not ours is handed on to that library, and so is
 * a new that finds no memory, since the new-handler and the exception live there.
 */
#include "malloc/serve.h"

#include "base/arith.h"

#include <dlfcn.h>
#include <stdlib.h>

#if SIZE_MAX > 0xffffffffu
#define SIZE "m"
#else
#define SIZE "j"
#endif
#define ALIGN "St11align_val_t"
#define NOTHROW "RKSt9nothrow_t"

/* A form's mangled name, and the function in the next library that bears it. */
#define DECLARE(result, name, symbol, parameters)                                                  \
    ACRE_EXPORT result name parameters __asm__(symbol);                                            \
    typedef result name##_fn parameters;                                                           \
    static name##_fn *next_##name(void)                                                            \
    {                                                                                              \
        name##_fn *function;                                                                       \
        *(void **)&function = find_next(symbol);                                                   \
        return function;                                                                           \
    }

/* Only C++ code comes here, so a C++ library is there; a program without one cannot be served. */
static void *find_next(const char *symbol)
{
    void *function = dlsym(RTLD_NEXT, symbol);
    if (function == NULL)
        abort();
    return function;
}

/* clang-format off */
DECLARE(void *, new_plain, "_Znw" SIZE, (size_t size))
DECLARE(void *, new_array, "_Zna" SIZE, (size_t size))
DECLARE(void *, new_plain_nothrow, "_Znw" SIZE NOTHROW, (size_t size, const void *tag))
DECLARE(void *, new_array_nothrow, "_Zna" SIZE NOTHROW, (size_t size, const void *tag))
DECLARE(void *, new_aligned, "_Znw" SIZE ALIGN, (size_t size, size_t align))
DECLARE(void *, new_array_aligned, "_Zna" SIZE ALIGN, (size_t size, size_t align))
DECLARE(void *, new_aligned_nothrow, "_Znw" SIZE ALIGN NOTHROW,
    (size_t size, size_t align, const void *tag))
DECLARE(void *, new_array_aligned_nothrow, "_Zna" SIZE ALIGN NOTHROW,
    (size_t size, size_t align, const void *tag))
ACRE_EXPORT void delete_plain(void *ptr) __asm__("_ZdlPv");
ACRE_EXPORT void delete_aligned(void *ptr, size_t align) __asm__("_ZdlPv" ALIGN);
DECLARE(void, delete_array, "_ZdaPv", (void *ptr))
DECLARE(void, delete_sized, "_ZdlPv" SIZE, (void *ptr, size_t size))
DECLARE(void, delete_array_sized, "_ZdaPv" SIZE, (void *ptr, size_t size))
DECLARE(void, delete_nothrow, "_ZdlPv" NOTHROW, (void *ptr, const void *tag))
DECLARE(void, delete_array_nothrow, "_ZdaPv" NOTHROW, (void *ptr, const void *tag))
DECLARE(void, delete_array_aligned, "_ZdaPv" ALIGN, (void *ptr, size_t align))
DECLARE(void, delete_aligned_sized, "_ZdlPv" SIZE ALIGN, (void *ptr, size_t size, size_t align))
DECLARE(void, delete_array_aligned_sized, "_ZdaPv" SIZE ALIGN,
    (void *ptr, size_t size, size_t align))
DECLARE(void, delete_aligned_nothrow, "_ZdlPv" ALIGN NOTHROW,
    (void *ptr, size_t align, const void *tag))
DECLARE(void, delete_array_aligned_nothrow, "_ZdaPv" ALIGN NOTHROW,
    (void *ptr, size_t align, const void *tag))
/* clang-format on */

/* The four that others are made of, as the program is bound to them and as they are here. Read anew
 * each time: the compiler would take both for the same. */
static __typeof__(new_plain) *const volatile bound_new = new_plain;
static __typeof__(new_aligned) *const volatile bound_new_aligned = new_aligned;
static __typeof__(delete_plain) *const volatile bound_delete = delete_plain;
static __typeof__(delete_aligned) *const volatile bound_delete_aligned = delete_aligned;

static void *own_new(size_t size) __attribute__((alias("_Znw" SIZE)));
static void *own_new_aligned(size_t size, size_t align) __attribute__((alias("_Znw" SIZE ALIGN)));
static void own_delete(void *ptr) __attribute__((alias("_ZdlPv")));
static void own_delete_aligned(void *ptr, size_t align) __attribute__((alias("_ZdlPv" ALIGN)));

static bool new_is_ours(void)
{
    return bound_new == own_new;
}

static bool new_aligned_is_ours(void)
{
    return bound_new_aligned == own_new_aligned;
}

static bool delete_is_ours(void)
{
    return bound_delete == own_delete;
}

static bool delete_aligned_is_ours(void)
{
    return bound_delete_aligned == own_delete_aligned;
}

/* A block, or null when the C++ library is to go on: with the new-handler, or with its answer to an
 * alignment that is none. */
static void *take(size_t size, size_t align)
{
    return ACRE_LIKELY(acre_is_pow2(align)) ? acre_serve_alloc(size, align) : NULL;
}

void *new_plain(size_t size)
{
    void *ptr = take(size, ACRE_NATURAL_ALIGN);
    return ACRE_LIKELY(ptr != NULL) ? ptr : next_new_plain()(size);
}

void *new_array(size_t size)
{
    void *ptr = new_is_ours() ? take(size, ACRE_NATURAL_ALIGN) : NULL;
    return ACRE_LIKELY(ptr != NULL) ? ptr : next_new_array()(size);
}

void *new_plain_nothrow(size_t size, const void *tag)
{
    void *ptr = new_is_ours() ? take(size, ACRE_NATURAL_ALIGN) : NULL;
    return ACRE_LIKELY(ptr != NULL) ? ptr : next_new_plain_nothrow()(size, tag);
}

void *new_array_nothrow(size_t size, const void *tag)
{
    void *ptr = new_is_ours() ? take(size, ACRE_NATURAL_ALIGN) : NULL;
    return ACRE_LIKELY(ptr != NULL) ? ptr : next_new_array_nothrow()(size, tag);
}

void *new_aligned(size_t size, size_t align)
{
    void *ptr = take(size, align);
    return ACRE_LIKELY(ptr != NULL) ? ptr : next_new_aligned()(size, align);
}

void *new_array_aligned(size_t size, size_t align)
{
    void *ptr = new_aligned_is_ours() ? take(size, align) : NULL;
    return ACRE_LIKELY(ptr != NULL) ? ptr : next_new_array_aligned()(size, align);
}

void *new_aligned_nothrow(size_t size, size_t align, const void *tag)
{
    void *ptr = new_aligned_is_ours() ? take(size, align) : NULL;
    return ACRE_LIKELY(ptr != NULL) ? ptr : next_new_aligned_nothrow()(size, align, tag);
}

void *new_array_aligned_nothrow(size_t size, size_t align, const void *tag)
{
    void *ptr = new_aligned_is_ours() ? take(size, align) : NULL;
    return ACRE_LIKELY(ptr != NULL) ? ptr : next_new_array_aligned_nothrow()(size, align, tag);
}

static const char delete_name[] = "operator delete";
static const char delete_array_name[] = "operator delete[]";

/* Without a size there is only the alignment to hold the block to. */
static void give_back_aligned(const char *call, void *ptr, size_t align)
{
    if (ACRE_LIKELY(acre_is_pow2(align) && ((uintptr_t)ptr & (align - 1)) == 0))
        acre_serve_free(call, ptr);
    else
        acre_serve_free_sized(call, ptr, acre_layout(acre_serve_usable_size(call, ptr), align));
}

void delete_plain(void *ptr)
{
    acre_serve_free(delete_name, ptr);
}

void delete_array(void *ptr)
{
    if (delete_is_ours())
        acre_serve_free(delete_array_name, ptr);
    else
        next_delete_array()(ptr);
}

void delete_sized(void *ptr, size_t size)
{
    if (delete_is_ours())
        acre_serve_free_sized(delete_name, ptr, acre_layout(size, ACRE_NATURAL_ALIGN));
    else
        next_delete_sized()(ptr, size);
}

void delete_array_sized(void *ptr, size_t size)
{
    if (delete_is_ours())
        acre_serve_free_sized(delete_array_name, ptr, acre_layout(size, ACRE_NATURAL_ALIGN));
    else
        next_delete_array_sized()(ptr, size);
}

void delete_nothrow(void *ptr, const void *tag)
{
    if (delete_is_ours())
        acre_serve_free(delete_name, ptr);
    else
        next_delete_nothrow()(ptr, tag);
}

void delete_array_nothrow(void *ptr, const void *tag)
{
    if (delete_is_ours())
        acre_serve_free(delete_array_name, ptr);
    else
        next_delete_array_nothrow()(ptr, tag);
}

void delete_aligned(void *ptr, size_t align)
{
    give_back_aligned(delete_name, ptr, align);
}

void delete_array_aligned(void *ptr, size_t align)
{
    if (delete_aligned_is_ours())
        give_back_aligned(delete_array_name, ptr, align);
    else
        next_delete_array_aligned()(ptr, align);
}

void delete_aligned_sized(void *ptr, size_t size, size_t align)
{
    if (delete_aligned_is_ours())
        acre_serve_free_sized(delete_name, ptr, acre_layout(size, align));
    else
        next_delete_aligned_sized()(ptr, size, align);
}

void delete_array_aligned_sized(void *ptr, size_t size, size_t align)
{
    if (delete_aligned_is_ours())
        acre_serve_free_sized(delete_array_name, ptr, acre_layout(size, align));
    else
        next_delete_array_aligned_sized()(ptr, size, align);
}

void delete_aligned_nothrow(void *ptr, size_t align, const void *tag)
{
    if (delete_aligned_is_ours())
        give_back_aligned(delete_name, ptr, align);
    else
        next_delete_aligned_nothrow()(ptr, align, tag);
}

void delete_array_aligned_nothrow(void *ptr, size_t align, const void *tag)
{
    if (delete_aligned_is_ours())
        give_back_aligned(delete_array_name, ptr, align);
    else
        next_delete_array_aligned_nothrow()(ptr, align, tag);
}
