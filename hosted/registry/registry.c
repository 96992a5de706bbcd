/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "registry/registry.h"

#include "registry/nearest.h"

#include <acre/arena.h>
#include <acre/bitmap.h>
#include <acre/buddy.h>
#include <acre/heap.h>
#include <acre/slab.h>
#include <acre/threaded_pool.h>
#include <acre/tlsf_quick.h>
#include <string.h>

/* ---- handles ---- */

#define ACRE_BACKEND(id, name, header, type, verbs, part, compared, setup, text)                   \
    typedef type id##_type;                                                                        \
    static struct acre_bytes id##_bytes(id##_type *self)                                           \
    {                                                                                              \
        return verbs##_bytes(part);                                                                \
    }                                                                                              \
    static struct acre_bytes id##_handle(void *control)                                            \
    {                                                                                              \
        id##_type *self = control;                                                                 \
        *self = (id##_type){ 0 };                                                                  \
        setup;                                                                                     \
        return id##_bytes(self);                                                                   \
    }
#define ACRE_SETTING(id, suffix, name, number, compared, setup, text)                              \
    static struct acre_bytes id##_##suffix##_handle(void *control)                                 \
    {                                                                                              \
        id##_type *self = control;                                                                 \
        *self = (id##_type){ 0 };                                                                  \
        setup;                                                                                     \
        return id##_bytes(self);                                                                   \
    }
#include "registry/allocators.def"

/* ---- the backends ---- */

/* What the settings of a backend share with it. */
#define ACRE_BACKEND(id, name, header, type, verbs, part, compared, setup, text)                   \
    static const char id##_name[] = name;                                                          \
    static const struct acre_backend_code id##_code = { header, #type, #verbs "_bytes(" #part ")" };
#include "registry/allocators.def"

/* Values of fields need no parentheses. NOLINTBEGIN(bugprone-macro-parentheses) */
#define ACRE_BACKEND(id, name_, header_, type_, verbs, part, compared_, setup_, text_)             \
    {                                                                                              \
        .name = id##_name,                                                                         \
        .family = id##_name,                                                                       \
        .setting = "",                                                                             \
        .text = text_,                                                                             \
        .compared = compared_,                                                                     \
        .handle = id##_handle,                                                                     \
        .backing = &acre_##id##_backing,                                                           \
        .code = &id##_code,                                                                        \
        .setup = #setup_,                                                                          \
    },
#define ACRE_SETTING(id, suffix, name_, number_, compared_, setup_, text_)                         \
    {                                                                                              \
        .name = name_,                                                                             \
        .family = id##_name,                                                                       \
        .setting = #suffix,                                                                        \
        .text = text_,                                                                             \
        .number = number_,                                                                         \
        .compared = compared_,                                                                     \
        .handle = id##_##suffix##_handle,                                                          \
        .backing = &acre_##id##_backing,                                                           \
        .code = &id##_code,                                                                        \
        .setup = #setup_,                                                                          \
    },
/* NOLINTEND(bugprone-macro-parentheses) */
const struct acre_backend acre_backends[] = {
#include "registry/allocators.def"
    { .name = NULL },
};

const struct acre_backend *acre_backend_find(const char *name)
{
    for (const struct acre_backend *backend = acre_backends; backend->name != NULL; backend++)
        if (strcmp(backend->name, name) == 0)
            return backend;
    return NULL;
}

const struct acre_backend *acre_backend_default(void)
{
    const struct acre_backend *backend = acre_backend_find("tlsf-quick");
    if (backend == NULL)
        backend = acre_backends;
    return backend->name != NULL ? backend : NULL;
}

const char *acre_backend_nearest(const char *name)
{
    const char *names[sizeof acre_backends / sizeof acre_backends[0]];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        names[i] = acre_backends[i].name;
    return acre_nearest(name, names);
}

static size_t append_name(char *line, size_t size, size_t used, const char *text)
{
    while (*text != '\0' && used + 1 < size)
        line[used++] = *text++;
    line[used] = '\0';
    return used;
}

/* What stands between the name of a backend and that of the entry before it. */
static const char *separator(const struct acre_backend *backend)
{
    bool is_setting = backend->setting[0] != '\0';
    if (backend == acre_backends)
        return "";
    bool after_setting = backend[-1].setting[0] != '\0';
    if (is_setting)
        return after_setting ? ", " : " (";
    return after_setting ? "), " : ", ";
}

void acre_backend_list(char *line, size_t size)
{
    const struct acre_backend *backend = acre_backends;
    size_t used = append_name(line, size, 0, backend->name != NULL ? "" : "none");
    for (; backend->name != NULL; backend++) {
        used = append_name(line, size, used, separator(backend));
        used = append_name(line, size, used, backend->name);
    }
    if (backend != acre_backends && backend[-1].setting[0] != '\0')
        append_name(line, size, used, ")");
}
