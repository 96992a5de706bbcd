/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "kernel/console.h"
#include "kernel/kernel.h"

#include <stdbool.h>

struct output {
    console_sink *sink;
    void *arg;
};

static void put_text(struct output out, const char *text)
{
    for (text = text != NULL ? text : "(null)"; *text != '\0'; text++)
        out.sink(out.arg, *text);
}

static void put_number(struct output out, uintmax_t number, unsigned base)
{
    char digits[3 * sizeof number];
    size_t count = 0;
    do {
        digits[count++] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number != 0);
    while (count > 0)
        out.sink(out.arg, digits[--count]);
}

static void put_signed(struct output out, intmax_t number)
{
    if (number < 0)
        out.sink(out.arg, '-');
    put_number(out, number < 0 ? 0 - (uintmax_t)number : (uintmax_t)number, 10);
}

/* The next argument, as long as the letter in front of the conversion says. */
static uintmax_t next_unsigned(va_list *args, char length)
{
    if (length == 'l')
        return va_arg(*args, unsigned long);
    if (length == 'z')
        return va_arg(*args, size_t);
    if (length == 'j')
        return va_arg(*args, uintmax_t);
    return va_arg(*args, unsigned);
}

static intmax_t next_signed(va_list *args, char length)
{
    return length == 'l' ? va_arg(*args, long) : va_arg(*args, int);
}

static void put_conversion(struct output out, char what, char length, va_list *args)
{
    switch (what) {
    case 's':
        put_text(out, va_arg(*args, const char *));
        break;
    case 'c':
        out.sink(out.arg, (char)va_arg(*args, int));
        break;
    case 'd':
        put_signed(out, next_signed(args, length));
        break;
    case 'u':
        put_number(out, next_unsigned(args, length), 10);
        break;
    case 'x':
        put_number(out, next_unsigned(args, length), 16);
        break;
    case 'p':
        put_text(out, "0x");
        put_number(out, (uintptr_t)va_arg(*args, void *), 16);
        break;
    default:
        out.sink(out.arg, what);
    }
}

void console_format(console_sink *sink, void *arg, const char *format, va_list given)
{
    struct output out = { sink, arg };
    va_list args;
    va_copy(args, given);
    for (; *format != '\0'; format++) {
        if (*format != '%' || format[1] == '\0') {
            sink(arg, *format);
            continue;
        }
        format++;
        bool long_one = (*format == 'l' || *format == 'z' || *format == 'j') && format[1] != '\0';
        char length = long_one ? *format++ : ' ';
        put_conversion(out, *format, length, &args);
    }
    va_end(args);
}

/* A terminal at the other end wants both characters. */
static void put_serial(void *arg, char byte)
{
    (void)arg;
    if (byte == '\n')
        machine_put('\r');
    machine_put(byte);
}

void console_print(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    console_format(put_serial, NULL, format, args);
    va_end(args);
}
