/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * /proc/self/maps, read a buffer at a time with nothing but system calls. A line is
 * "START-END PERMS OFFSET DEVICE INODE   NAME", the numbers that matter in hexadecimal.
 */
#include "os/os.h"

#include "os/call_linux.h"

#include <errno.h>
#include <fcntl.h>

struct reader {
    int fd;
    size_t next;
    size_t end;
    char buffer[512];
};

/* The next byte, or -1 at the end. */
static int next_byte(struct reader *reader)
{
    if (reader->next == reader->end) {
        long got = os_call(SYS_read, reader->fd, (long)(uintptr_t)reader->buffer,
            (long)sizeof reader->buffer, 0, 0, 0);
        if (got <= 0)
            return -1;
        reader->next = 0;
        reader->end = (size_t)got;
    }
    return (unsigned char)reader->buffer[reader->next++];
}

/* Value of a hexadecimal digit as the kernel writes it, or -1. */
static int hex_digit(int byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* Reads a hexadecimal number and the byte behind it, which is returned. */
static int read_hex_number(struct reader *reader, uintptr_t *number)
{
    int byte = next_byte(reader);
    for (*number = 0; hex_digit(byte) >= 0; byte = next_byte(reader))
        *number = *number << 4 | (uintptr_t)hex_digit(byte);
    return byte;
}

/* Skips a field, of which `byte` is the first, and the spaces behind it. Returns the byte after
 * them. */
static int skip_field(struct reader *reader, int byte)
{
    while (byte >= 0 && byte != ' ' && byte != '\n')
        byte = next_byte(reader);
    while (byte == ' ')
        byte = next_byte(reader);
    return byte;
}

/* Skips the four fields between the range and the name, and the spaces around them; returns the
 * first byte of the name, or what ends the line. The second field is the offset, of eight digits at
 * least. */
static int skip_to_name(struct reader *reader, uintptr_t *offset)
{
    int byte = next_byte(reader);
    while (byte >= 0 && byte != ' ' && byte != '\n')
        byte = next_byte(reader);
    read_hex_number(reader, offset);
    byte = skip_field(reader, skip_field(reader, next_byte(reader)));
    return byte;
}

/* Reads the rest of a line into `name`; an empty one reads "anonymous memory". */
static void read_name(struct reader *reader, char *name, size_t size, uintptr_t *offset)
{
    size_t length = 0;
    int byte = skip_to_name(reader, offset);
    for (; byte >= 0 && byte != '\n'; byte = next_byte(reader))
        if (length + 1 < size)
            name[length++] = (char)byte;
    name[length] = '\0';
    if (length == 0) {
        static const char anonymous[] = "anonymous memory";
        while (length + 1 < size && anonymous[length] != '\0') {
            name[length] = anonymous[length];
            length++;
        }
        name[length] = '\0';
    }
}

static int find_mapping(
    struct reader *reader, uintptr_t address, char *name, size_t size, uintptr_t *offset)
{
    uintptr_t start;
    uintptr_t end;
    while (read_hex_number(reader, &start) == '-') {
        int byte = read_hex_number(reader, &end);
        if (address >= start && address < end) {
            read_name(reader, name, size, offset);
            *offset += address - start;
            return 0;
        }
        while (byte >= 0 && byte != '\n')
            byte = next_byte(reader);
    }
    return ENOENT;
}

int acre_os_mapping_name(uintptr_t address, char *name, size_t size, uintptr_t *offset)
{
    uintptr_t unused;
    struct reader reader = { .next = 0, .end = 0 };
    long fd = os_call(
        SYS_openat, AT_FDCWD, (long)(uintptr_t) "/proc/self/maps", O_RDONLY | O_CLOEXEC, 0, 0, 0);
    int error = ENOENT;
    if (fd >= 0) {
        reader.fd = (int)fd;
        error = find_mapping(&reader, address, name, size, offset != NULL ? offset : &unused);
        os_call(SYS_close, fd, 0, 0, 0, 0, 0);
    }
    return error;
}
