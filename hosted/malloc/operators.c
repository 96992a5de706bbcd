/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The operators new and delete of C++, all twenty forms, by the names that the Itanium C++ ABI
 * gives them. They are served here so that a sized or aligned delete is held to what the block is.
 *
 * A program may replace any of them, and the standard says which of the others then call its own:
 * the arrays and the nothrow forms call the plain ones, the sized deletes the unsized. The C++
 * library knows how; so a form that another one not ours stands behind is handed on to that
 * library, and so is a new that finds no memory, since the new-handler and the exception live
 * there.
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

typedef void new_handler_fn(void);
typedef new_handler_fn *get_new_handler_fn(void);

/* What std::get_new_handler says. */
static new_handler_fn *get_new_handler(void)
{
    get_new_handler_fn *get;
    *(void **)&get = find_next("_ZSt15get_new_handlerv");
    new_handler_fn *handler = get();
    return handler;
}

/* One that others are made of: as the program is bound to it, and as it is here. Read anew each
 * time: the compiler would take both for the same. */
#define IS_OURS(name, symbol)                                                                      \
    static __typeof__(name) *const volatile bound_##name = (name);                                 \
    static __typeof__(name) own_##name __attribute__((alias(symbol)));                             \
    static bool name##_is_ours(void)                                                               \
    {                                                                                              \
        return bound_##name == own_##name;                                                         \
    }

IS_OURS(new_plain, "_Znw" SIZE)
IS_OURS(new_array, "_Zna" SIZE)
IS_OURS(new_aligned, "_Znw" SIZE ALIGN)
IS_OURS(new_array_aligned, "_Zna" SIZE ALIGN)
IS_OURS(delete_plain, "_ZdlPv")
IS_OURS(delete_array, "_ZdaPv")
IS_OURS(delete_aligned, "_ZdlPv" ALIGN)
IS_OURS(delete_array_aligned, "_ZdaPv" ALIGN)

static bool new_arrays_are_ours(void)
{
    return new_plain_is_ours() && new_array_is_ours();
}

static bool new_aligned_arrays_are_ours(void)
{
    return new_aligned_is_ours() && new_array_aligned_is_ours();
}

/* Where new is the program's, what it took for a block is its own affair, and no size is known. */
static bool sizes_are_ours(void)
{
    return delete_plain_is_ours() && new_plain_is_ours();
}

static bool array_sizes_are_ours(void)
{
    return sizes_are_ours() && delete_array_is_ours() && new_array_is_ours();
}

static bool aligned_sizes_are_ours(void)
{
    return delete_aligned_is_ours() && new_aligned_is_ours();
}

static bool aligned_array_sizes_are_ours(void)
{
    return aligned_sizes_are_ours() && delete_array_aligned_is_ours() &&
           new_array_aligned_is_ours();
}

/* A block, or null when the C++ library is to go on: with the new-handler, or with its answer to an
 * alignment that is none. */
static void *new_block(size_t size, size_t align)
{
    return ACRE_LIKELY(acre_is_pow2(align)) ? acre_serve_alloc_aligned(size, align) : NULL;
}

void *new_plain(size_t size)
{
    void *ptr = new_block(size, ACRE_NATURAL_ALIGN);
    return ACRE_LIKELY(ptr != NULL) ? ptr : next_new_plain()(size);
}

void *new_array(size_t size)
{
    void *ptr = new_plain_is_ours() ? new_block(size, ACRE_NATURAL_ALIGN) : NULL;
    return ACRE_LIKELY(ptr != NULL) ? ptr : next_new_array()(size);
}

void *new_plain_nothrow(size_t size, const void *tag)
{
    void *ptr = new_plain_is_ours() ? new_block(size, ACRE_NATURAL_ALIGN) : NULL;
    return ACRE_LIKELY(ptr != NULL) ? ptr : next_new_plain_nothrow()(size, tag);
}

void *new_array_nothrow(size_t size, const void *tag)
{
    void *ptr = new_arrays_are_ours() ? new_block(size, ACRE_NATURAL_ALIGN) : NULL;
    return ACRE_LIKELY(ptr != NULL) ? ptr : next_new_array_nothrow()(size, tag);
}

/* The C++ library would round the size up to the alignment, and a sized delete would then name
 * another one than the block's: so it is asked only to throw, for more than is ever served. */
static ACRE_NOINLINE void *new_aligned_slow(size_t size, size_t align)
{
    new_handler_fn *handler = acre_is_pow2(align) ? get_new_handler() : NULL;
    void *ptr = NULL;
    while (ptr == NULL && handler != NULL) {
        handler();
        ptr = new_block(size, align);
        handler = get_new_handler();
    }
    return ptr != NULL ? ptr : next_new_aligned()(ACRE_SERVE_MOST + 1, align);
}

void *new_aligned(size_t size, size_t align)
{
    void *ptr = new_block(size, align);
    return ACRE_LIKELY(ptr != NULL) ? ptr : new_aligned_slow(size, align);
}

void *new_array_aligned(size_t size, size_t align)
{
    void *ptr = new_aligned_is_ours() ? new_block(size, align) : NULL;
    return ACRE_LIKELY(ptr != NULL) ? ptr : next_new_array_aligned()(size, align);
}

void *new_aligned_nothrow(size_t size, size_t align, const void *tag)
{
    void *ptr = new_aligned_is_ours() ? new_block(size, align) : NULL;
    return ACRE_LIKELY(ptr != NULL) ? ptr : next_new_aligned_nothrow()(size, align, tag);
}

void *new_array_aligned_nothrow(size_t size, size_t align, const void *tag)
{
    void *ptr = new_aligned_arrays_are_ours() ? new_block(size, align) : NULL;
    return ACRE_LIKELY(ptr != NULL) ? ptr : next_new_array_aligned_nothrow()(size, align, tag);
}

static const char delete_name[] = "operator delete";
static const char delete_array_name[] = "operator delete[]";

/* Without a size there is only the alignment to hold the block to. */
static void delete_aligned_block(const char *call, void *ptr, size_t align)
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
    if (delete_plain_is_ours())
        acre_serve_free(delete_array_name, ptr);
    else
        next_delete_array()(ptr);
}

void delete_sized(void *ptr, size_t size)
{
    if (sizes_are_ours())
        acre_serve_free_sized(delete_name, ptr, acre_layout(size, ACRE_NATURAL_ALIGN));
    else
        next_delete_sized()(ptr, size);
}

void delete_array_sized(void *ptr, size_t size)
{
    if (array_sizes_are_ours())
        acre_serve_free_sized(delete_array_name, ptr, acre_layout(size, ACRE_NATURAL_ALIGN));
    else
        next_delete_array_sized()(ptr, size);
}

void delete_nothrow(void *ptr, const void *tag)
{
    if (delete_plain_is_ours())
        acre_serve_free(delete_name, ptr);
    else
        next_delete_nothrow()(ptr, tag);
}

void delete_array_nothrow(void *ptr, const void *tag)
{
    if (delete_plain_is_ours() && delete_array_is_ours())
        acre_serve_free(delete_array_name, ptr);
    else
        next_delete_array_nothrow()(ptr, tag);
}

void delete_aligned(void *ptr, size_t align)
{
    delete_aligned_block(delete_name, ptr, align);
}

void delete_array_aligned(void *ptr, size_t align)
{
    if (delete_aligned_is_ours())
        delete_aligned_block(delete_array_name, ptr, align);
    else
        next_delete_array_aligned()(ptr, align);
}

void delete_aligned_sized(void *ptr, size_t size, size_t align)
{
    if (aligned_sizes_are_ours())
        acre_serve_free_sized(delete_name, ptr, acre_layout(size, align));
    else
        next_delete_aligned_sized()(ptr, size, align);
}

void delete_array_aligned_sized(void *ptr, size_t size, size_t align)
{
    if (aligned_array_sizes_are_ours())
        acre_serve_free_sized(delete_array_name, ptr, acre_layout(size, align));
    else
        next_delete_array_aligned_sized()(ptr, size, align);
}

void delete_aligned_nothrow(void *ptr, size_t align, const void *tag)
{
    if (delete_aligned_is_ours())
        delete_aligned_block(delete_name, ptr, align);
    else
        next_delete_aligned_nothrow()(ptr, align, tag);
}

void delete_array_aligned_nothrow(void *ptr, size_t align, const void *tag)
{
    if (delete_aligned_is_ours() && delete_array_aligned_is_ours())
        delete_aligned_block(delete_array_name, ptr, align);
    else
        next_delete_array_aligned_nothrow()(ptr, align, tag);
}
