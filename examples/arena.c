/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A parser on an arena: it allocates a node for each sum in parentheses, and frees none of them.
 * What an expression took is released at once; a mark inside takes back the nodes of a wrong one.
 */
#include <acre/arena.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEMORY = 16 * 1024 };

static _Alignas(max_align_t) char memory[MEMORY];
static struct acre_arena arena;

struct node {
    struct node *left; /* null: a number */
    struct node *right;
    int number;
};

static struct node *new_node(struct node *left, struct node *right, int number)
{
    struct node *node = acre_arena_alloc(&arena, ACRE_LAYOUT(struct node)).ptr;
    if (node == NULL) {
        fprintf(stderr, "arena: no memory\n");
        exit(EXIT_FAILURE);
    }
    *node = (struct node){ left, right, number };
    return node;
}

/* A number; null when there is none. */
static struct node *parse_number(const char **text)
{
    if (!isdigit((unsigned char)**text))
        return NULL;
    char *end;
    int number = (int)strtol(*text, &end, 10);
    *text = end;
    return new_node(NULL, NULL, number);
}

/* Numbers with '+' between them; null when the text is no sum. */
static struct node *parse_sum(const char **text)
{
    struct node *sum = parse_number(text);
    while (sum != NULL && **text == '+') {
        ++*text;
        struct node *right = parse_number(text);
        sum = right != NULL ? new_node(sum, right, 0) : NULL;
    }
    return sum;
}

static int value_of(const struct node *node)
{
    int value = 0;
    for (; node->left != NULL; node = node->left)
        value += node->right->number;
    return value + node->number;
}

/* Parses one line; everything it took is released, whether it was right or wrong. */
static int evaluate(const char *text, int if_wrong)
{
    struct acre_ptr mark = acre_arena_mark(&arena);
    const struct node *sum = parse_sum(&text);
    int value = sum != NULL && *text == '\0' ? value_of(sum) : if_wrong;
    if (mark.status != ACRE_OK || acre_arena_release(&arena, mark.ptr) != ACRE_OK)
        exit(EXIT_FAILURE);
    return value;
}

int main(void)
{
    static const char *const lines[] = { "1+2+3", "10+", "7", "40+2" };
    int sum = 0;
    if (acre_arena_init(&arena, memory, sizeof memory) != ACRE_OK)
        return 1;
    void *kept = acre_arena_alloc(&arena, acre_layout(100, 1)).ptr; /* lives through it all */
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        sum += evaluate(lines[i], 0);
    struct acre_stats stats = acre_arena_stats(&arena);
    printf("sum %d, %zu block left, %zu bytes at most\n", sum, stats.live_blocks, stats.peak);
    return sum == 55 && stats.live_blocks == 1 && acre_arena_dealloc(&arena, kept) == ACRE_OK ? 0
                                                                                              : 1;
}
