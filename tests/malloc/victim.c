/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "victim.h"

#include <dlfcn.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A case that hangs ends by a signal instead. Seconds, far above what any case takes. */
enum { patience = 300 };

void victim_check(int holds, const char *text, const char *file, int line)
{
    if (holds)
        return;
    char message[512];
    int length = snprintf(message, sizeof message, "%s:%d: %s\n", file, line, text);
    if (write(2, message, (size_t)length) != length)
        _exit(2);
    _exit(1);
}

void *victim_symbol(const char *name)
{
    void *symbol = dlsym(RTLD_DEFAULT, name);
    CHECK(symbol != NULL);
    return symbol;
}

int victim_is_ours(void *function)
{
    Dl_info info;
    return dladdr(function, &info) != 0 && strstr(info.dli_fname, "libacre-malloc.so") != NULL;
}

void *victim_hide(void *ptr)
{
    void *volatile hidden = ptr;
    return hidden;
}

void victim_fill(void *ptr, size_t size, unsigned seed)
{
    unsigned char *bytes = ptr;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(seed + i * 7);
}

int victim_holds(const void *ptr, size_t size, unsigned seed)
{
    const unsigned char *bytes = ptr;
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != (unsigned char)(seed + i * 7))
            return 0;
    return 1;
}

size_t victim_used(void)
{
    return mallinfo2().uordblks;
}

static int run(const struct victim_case *cases, const char *name)
{
    for (; cases->name != NULL; cases++)
        if (strcmp(cases->name, name) == 0) {
            cases->run();
            return 1;
        }
    return 0;
}

int main(int count, char **arguments)
{
    const char *name = count == 2 ? arguments[1] : "";
    alarm(patience);
    if (run(victim_sizes, name) || run(victim_misuse, name) || run(victim_process, name) ||
        run(victim_memory, name) || run(victim_harden, name) || run(victim_owner, name))
        return 0;
    fprintf(stderr, "victim: no case named '%s'\n", name);
    return 2;
}
