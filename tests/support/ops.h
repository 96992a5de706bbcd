/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Operations on a byte allocator as data. The model test, the fuzzer and the replay of regressions
 * speak only these. As text, one operation a line ('#' starts a comment):
 *
 *     init PTR SIZE               make anew, with one region
 *     add PTR SIZE                give one more region
 *     remove PTR                  take a region back
 *     reset                       free everything at once
 *     alloc sN SIZE ALIGN         put a new block in slot N
 *     free PTR
 *     free_sized PTR SIZE ALIGN
 *     resize PTR SIZE
 *     realloc PTR SIZE ALIGN      if it moves, the slots that named the block follow
 *     usable PTR
 *
 * PTR is a place and a distance in bytes, `s3`, `s3+8`, `r0-16`, `a+4096` or `w5`: what slot 3 last
 * held (live or not), where region 0 begins, the arena, or the 5th of a table of wild addresses.
 * SIZE is bytes, or a base and a distance: `max-5` from SIZE_MAX, `largest+1` from the largest free
 * block, `usable-1` and `asked+3` from what PTR's block can hold and was asked for.
 */
#ifndef ACRE_TESTS_SUPPORT_OPS_H
#define ACRE_TESTS_SUPPORT_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum op_verb {
    OP_INIT,
    OP_ADD,
    OP_REMOVE,
    OP_RESET,
    OP_ALLOC,
    OP_FREE,
    OP_FREE_SIZED,
    OP_RESIZE,
    OP_REALLOC,
    OP_USABLE,
    OP_VERBS
};

enum op_place { PLACE_SLOT, PLACE_REGION, PLACE_ARENA, PLACE_WILD, PLACES };

enum op_base { BASE_ZERO, BASE_MAX, BASE_LARGEST, BASE_USABLE, BASE_ASKED, BASES };

enum { OP_SLOTS = 64 };

struct op {
    enum op_verb verb;
    enum op_place place;
    unsigned index; /* of the slot, region or wild address */
    int64_t offset; /* bytes from there */
    enum op_base base;
    int64_t size; /* bytes from the base */
    uint64_t align;
};

/* Which parts of an operation its verb uses. */
bool op_has_ptr(enum op_verb verb);
bool op_has_size(enum op_verb verb);
bool op_has_align(enum op_verb verb);

/* Longest line that op_print writes, with its terminator. */
enum { OP_TEXT = 128 };

/* Writes one operation as text, without a newline. */
void op_print(char text[OP_TEXT], const struct op *op);

void ops_write(FILE *file, const struct op *ops, size_t count);

/* Reads a line: 1 an operation, 0 nothing but blanks and comment, -1 not an operation. */
int op_parse(const char *line, struct op *op);

/* Reads a whole file, at most `room` operations. Returns their number; on a bad line or too many
 * operations it returns SIZE_MAX with *line set to the line's number, from 1. */
size_t ops_read(FILE *file, struct op *ops, size_t room, size_t *line);

#endif
