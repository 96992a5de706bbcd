/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "malloc/settings.h"

#include "malloc/serve_threads.h"
#include "malloc/text.h"
#include "number/number.h"
#include "os/os.h"

#include <stdint.h>
#include <string.h>

enum { standard_error = 2 };

static const struct acre_backend *default_backend(void)
{
    return threads_backend() != NULL ? threads_backend() : acre_backend_default();
}

static void add_backend_names(struct acre_text *text)
{
    char line[512];
    acre_backend_list(line, sizeof line);
    acre_text_add(text, line);
}

/* ---- what is refused ---- */

static void begin_refusal(struct acre_text *text, const char *name, const char *value)
{
    acre_text_add(text, "acre: invalid ");
    acre_text_add(text, name);
    acre_text_add(text, "='");
    acre_text_add(text, value);
    acre_text_add(text, "'");
}

static _Noreturn void end_refusal(struct acre_text *text)
{
    acre_text_write(text, standard_error);
    acre_os_exit(ACRE_SETTINGS_EXIT);
}

/* Ends the process. */
static _Noreturn void refuse_value(const char *name, const char *value, const char *expected)
{
    struct acre_text text = { 0 };
    begin_refusal(&text, name, value);
    acre_text_add(&text, " (expected ");
    acre_text_add(&text, expected);
    acre_text_add(&text, ")");
    end_refusal(&text);
}

/* Ends the process. */
static _Noreturn void refuse_backend(const char *name, const char *value)
{
    struct acre_text text = { 0 };
    const char *nearest = acre_backend_nearest(value);
    begin_refusal(&text, name, value);
    if (nearest != NULL) {
        acre_text_add(&text, ", did you mean '");
        acre_text_add(&text, nearest);
        acre_text_add(&text, "'?");
    }
    acre_text_add(&text, " (choose from ");
    add_backend_names(&text);
    acre_text_add(&text, ")");
    end_refusal(&text);
}

static bool read_switch(const char *name)
{
    const char *value = acre_os_env(name);
    if (value == NULL || *value == '\0' || strcmp(value, "0") == 0)
        return false;
    if (strcmp(value, "1") != 0)
        refuse_value(name, value, "0 or 1");
    return true;
}

static const struct acre_backend *read_backend(void)
{
    static const char name[] = "ACRE_ALLOCATOR";
    const char *value = acre_os_env(name);
    bool given = value != NULL && *value != '\0';
    const struct acre_backend *backend = given ? acre_backend_find(value) : default_backend();
    if (backend == NULL)
        refuse_backend(name, given ? value : "");
    return backend;
}

static size_t read_limit(void)
{
    static const char name[] = "ACRE_POOL";
    const char *value = acre_os_env(name);
    size_t size = 0;
    if (value == NULL || *value == '\0')
        return SIZE_MAX;
    if (acre_parse_size(value, &size) != ACRE_NUMBER_OK || size > PTRDIFF_MAX)
        refuse_value(name, value, "a size in bytes, such as 64M");
    if (size < acre_os_page_size() * 4)
        refuse_value(name, value, "four pages or more");
    return size;
}

static unsigned read_harden(void)
{
    static const char name[] = "ACRE_HARDEN";
    const char *value = acre_os_env(name);
    if (value == NULL || *value == '\0')
        return 0;
    if (value[0] < '0' || value[0] > '2' || value[1] != '\0')
        refuse_value(name, value, "0, 1 or 2");
    return (unsigned)(value[0] - '0');
}

/* What the heap per thread alone can do. Ends the process with another backend. */
static void need_threads(const struct acre_settings *settings)
{
    if (settings->backend == threads_backend())
        return;
    if (settings->harden != 0)
        refuse_value("ACRE_HARDEN", acre_os_env("ACRE_HARDEN"), "ACRE_ALLOCATOR=threaded with it");
    if (settings->trace_frees)
        refuse_value("ACRE_TRACE_FREES", "1", "ACRE_ALLOCATOR=threaded with it");
}

struct acre_settings acre_settings_read(void)
{
    struct acre_settings settings;
    settings.backend = read_backend();
    settings.limit = read_limit();
    settings.stats = read_switch("ACRE_STATS");
    settings.help = read_switch("ACRE_HELP");
    settings.harden = read_harden();
    settings.trace_frees = read_switch("ACRE_TRACE_FREES");
    need_threads(&settings);
    return settings;
}

static void write_help_line(const char *line)
{
    struct acre_text text = { 0 };
    acre_text_add(&text, line);
    acre_text_write(&text, standard_error);
}

void acre_settings_help(void)
{
    struct acre_text backends = { 0 };
    write_help_line("acre: this process's malloc is served by acre; these variables change how:");
    acre_text_add(&backends, "  ACRE_ALLOCATOR=NAME  the allocator (");
    acre_text_add(&backends, default_backend() ? default_backend()->name : "none");
    acre_text_add(&backends, " when unset): ");
    add_backend_names(&backends);
    acre_text_write(&backends, standard_error);
    write_help_line(
        "  ACRE_POOL=SIZE       most memory it may take, metadata included (64M, 2G; no limit)");
    write_help_line(
        "  ACRE_HARDEN=1        find writes outside of blocks (2: and around large ones; 0)");
    write_help_line(
        "  ACRE_TRACE_FREES=1   name the place of the first free of a block freed twice");
    write_help_line("  ACRE_STATS=1         print its accounts when the process exits");
    write_help_line("  ACRE_HELP=1          print this list when the process starts");
}
