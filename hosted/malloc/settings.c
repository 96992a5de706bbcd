/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "malloc/settings.h"

#include "malloc/text.h"
#include "os/os.h"

#include <stdint.h>
#include <string.h>

enum { standard_error = 2 };

static void add_kinds(struct acre_text *text)
{
    for (const struct acre_kind *kind = acre_kinds; kind->name != NULL; kind++) {
        acre_text_add(text, kind == acre_kinds ? "" : ", ");
        acre_text_add(text, kind->name);
    }
}

/* Ends the process. `expected` null: the names of the allocators are expected. */
static _Noreturn void refuse(const char *name, const char *value, const char *expected)
{
    struct acre_text text = { 0 };
    acre_text_add(&text, "acre: ");
    acre_text_add(&text, name);
    acre_text_add(&text, "=");
    acre_text_add(&text, value);
    acre_text_add(&text, ": expected ");
    if (expected != NULL)
        acre_text_add(&text, expected);
    else
        add_kinds(&text);
    acre_text_write(&text, standard_error);
    acre_os_exit(ACRE_SETTINGS_EXIT);
}

static bool read_switch(const char *name)
{
    const char *value = acre_os_env(name);
    if (value == NULL || *value == '\0' || strcmp(value, "0") == 0)
        return false;
    if (strcmp(value, "1") != 0)
        refuse(name, value, "0 or 1");
    return true;
}

static const struct acre_kind *read_kind(void)
{
    static const char name[] = "ACRE_ALLOCATOR";
    const char *value = acre_os_env(name);
    const struct acre_kind *kind = acre_kinds;
    if (value != NULL && *value != '\0')
        kind = acre_kind_find(value);
    if (kind == NULL || kind->name == NULL)
        refuse(name, value != NULL ? value : "", NULL);
    return kind;
}

/* log2 of what a unit's letter stands for, or -1. */
static int unit_log2(char letter)
{
    switch (letter) {
    case 'k':
    case 'K':
        return 10;
    case 'm':
    case 'M':
        return 20;
    case 'g':
    case 'G':
        return 30;
    case 't':
    case 'T':
        return 40;
    default:
        return -1;
    }
}

static bool multiply(size_t number, int shift, size_t *product)
{
    if (shift >= (int)sizeof number * 8 || number > SIZE_MAX >> shift)
        return false;
    *product = number << shift;
    return true;
}

/* Digits, then K, M, G or T, then iB; or digits, then B. */
static bool parse_size(const char *text, size_t *size)
{
    size_t number = 0;
    int unit = 0;
    if (*text < '0' || *text > '9')
        return false;
    for (; *text >= '0' && *text <= '9'; text++)
        if (__builtin_mul_overflow(number, (size_t)10, &number) ||
            __builtin_add_overflow(number, (size_t)(*text - '0'), &number))
            return false;
    if (unit_log2(*text) >= 0) {
        unit = unit_log2(*text++);
        if (*text == 'i' && text[1] == 'B')
            text += 2;
    } else if (*text == 'B') {
        text++;
    }
    return *text == '\0' && multiply(number, unit, size);
}

static size_t read_limit(void)
{
    static const char name[] = "ACRE_POOL";
    const char *value = acre_os_env(name);
    size_t size = 0;
    if (value == NULL || *value == '\0')
        return SIZE_MAX;
    if (!parse_size(value, &size) || size > PTRDIFF_MAX)
        refuse(name, value, "a size in bytes, such as 64M");
    if (size < acre_os_page_size() * 4)
        refuse(name, value, "four pages or more");
    return size;
}

struct acre_settings acre_settings_read(void)
{
    struct acre_settings settings;
    settings.kind = read_kind();
    settings.limit = read_limit();
    settings.stats = read_switch("ACRE_STATS");
    settings.help = read_switch("ACRE_HELP");
    return settings;
}

static void write_line(const char *line)
{
    struct acre_text text = { 0 };
    acre_text_add(&text, line);
    acre_text_write(&text, standard_error);
}

void acre_settings_help(void)
{
    struct acre_text kinds = { 0 };
    write_line("acre: this process's malloc is served by acre; these variables change how:");
    acre_text_add(&kinds, "  ACRE_ALLOCATOR=NAME  the allocator, the first by default: ");
    add_kinds(&kinds);
    acre_text_write(&kinds, standard_error);
    write_line(
        "  ACRE_POOL=SIZE       most memory it may take, metadata included (64M, 2G; no limit)");
    write_line("  ACRE_STATS=1         print its accounts when the process exits");
    write_line("  ACRE_HELP=1          print this list when the process starts");
}
