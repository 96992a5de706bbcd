/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/import/foreign.h"

#include "cli/options.h"
#include "replay/script.h"
#include "tool/import/unpack.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST_LINE_ROOM = 64 };

/* "v 10400 3": heaptrack's version and that of its format, in hexadecimal. */
static bool is_heaptrack(const char *line)
{
    size_t first = line[0] == 'v' && line[1] == ' ' ? strspn(line + 2, "0123456789abcdef") : 0;
    const char *second = line + 2 + first;
    return first && *second == ' ' && isxdigit((unsigned char)second[1]);
}

static const char *format_of_line(const char *line)
{
    if (is_heaptrack(line))
        return "heaptrack";
    return strncmp(line, "= Start", strlen("= Start")) == 0 ? "mtrace" : NULL;
}

/* The first bytes of a file, unpacked, as a string; "": there are none. */
static void read_beginning(FILE *in, char line[FIRST_LINE_ROOM])
{
    struct import_unpacker *unpacker = NULL;
    FILE *text = import_unpack(in, &unpacker);
    size_t size = text ? fread(line, 1, FIRST_LINE_ROOM - 1, text) : 0;
    line[size] = '\0';
    if (text)
        fclose(text);
    import_unpack_end(unpacker);
}

const struct import_format *foreign_recognise(const char *path)
{
    char line[FIRST_LINE_ROOM] = "";
    struct stat about;
    FILE *in = stat(path, &about) == 0 && S_ISREG(about.st_mode) ? fopen(path, "r") : NULL;
    if (!in)
        return NULL;
    read_beginning(in, line);
    fclose(in);
    const char *name = format_of_line(line);
    return name ? import_find(name) : NULL;
}

/* What another tool wrote, unpacked, as a trace. @return false, having complained. */
static bool import_stream(
    const char *command, FILE *in, const char *name, const struct import_format *format, FILE *out)
{
    char message[IMPORT_MESSAGE_ROOM];
    struct import_unpacker *unpacker = NULL;
    FILE *text = import_unpack(in, &unpacker);
    bool imported = text && import_text(text, name, format, out, message);
    if (!text)
        acre_complain(command, "%s: %s", name, strerror(errno));
    else if (import_unpack_fault(unpacker))
        acre_complain(command, "%s: %s", name, import_unpack_fault(unpacker));
    else if (!imported)
        acre_complain(command, "%s", message);
    if (text)
        fclose(text);
    import_unpack_end(unpacker);
    return imported;
}

/* The same into the open file `out`, which is closed if that fails. */
static bool import_into(
    const char *command, const char *path, const struct import_format *format, FILE *out)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *in = standard ? stdin : fopen(path, "r");
    if (!in)
        acre_complain(command, "%s: %s", path, strerror(errno));
    bool imported =
        in && import_stream(command, in, standard ? "standard input" : path, format, out);
    if (in && !standard)
        fclose(in);
    return imported;
}

const char *foreign_import(const char *command, const char *path,
    const struct import_format *format, char room[FOREIGN_PATH_ROOM])
{
    int file = replay_nameless_file();
    FILE *out = file >= 0 ? fdopen(file, "w") : NULL;
    if (out && import_into(command, path, format, out)) {
        snprintf(room, FOREIGN_PATH_ROOM, "/dev/fd/%d", file);
        return room;
    }
    if (!out)
        acre_complain(command, "cannot create a temporary file: %s", strerror(errno));
    if (out)
        fclose(out);
    else if (file >= 0)
        close(file);
    return NULL;
}

const char *foreign_open(const char *command, const char *path, char room[FOREIGN_PATH_ROOM])
{
    const struct import_format *format = foreign_recognise(path);
    return format ? foreign_import(command, path, format, room) : path;
}
