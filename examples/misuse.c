/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A program with a fault: it frees a name twice. misuse.sh runs it on the drop-in malloc. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *copy_of(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    return copy != NULL ? memcpy(copy, text, size) : NULL;
}

int main(int argc, char **argv)
{
    char *name = copy_of("a name of more than a few bytes");
    char *alias = name; /* who owns it? */
    if (name == NULL)
        return 1;
    printf("%s\n", name);
    free(name);
    if (argc > 1 && strcmp(argv[1], "twice") == 0)
        free(alias);
    return 0;
}
