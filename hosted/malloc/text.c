/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "malloc/text.h"

#include "os/os.h"

/* Bytes kept for the line end and a null. */
enum { ending = 2 };

static void append_byte(struct acre_text *text, char byte)
{
    if (text->length < sizeof text->bytes - ending)
        text->bytes[text->length++] = byte;
}

void acre_text_add(struct acre_text *text, const char *string)
{
    while (*string != '\0')
        append_byte(text, *string++);
}

static void append_digits(struct acre_text *text, uintmax_t number, unsigned base)
{
    char digits[sizeof number * 8];
    size_t count = 0;
    do {
        digits[count++] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number != 0);
    while (count != 0)
        append_byte(text, digits[--count]);
}

void acre_text_add_number(struct acre_text *text, uintmax_t number)
{
    append_digits(text, number, 10);
}

void acre_text_add_address(struct acre_text *text, uintptr_t address)
{
    acre_text_add(text, "0x");
    append_digits(text, address, 16);
}

const char *acre_text_string(struct acre_text *text)
{
    text->bytes[text->length] = '\0';
    return text->bytes;
}

void acre_text_write(struct acre_text *text, int fd)
{
    text->bytes[text->length] = '\n';
    acre_os_write(fd, text->bytes, text->length + 1);
}
