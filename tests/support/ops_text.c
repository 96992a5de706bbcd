/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "support/ops.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const verbs[OP_VERBS] = {
    [OP_INIT] = "init",
    [OP_ADD] = "add",
    [OP_REMOVE] = "remove",
    [OP_RESET] = "reset",
    [OP_ALLOC] = "alloc",
    [OP_FREE] = "free",
    [OP_FREE_SIZED] = "free_sized",
    [OP_RESIZE] = "resize",
    [OP_REALLOC] = "realloc",
    [OP_USABLE] = "usable",
};

static const char places[PLACES + 1] = "sraw";

static const char *const bases[BASES] = {
    [BASE_ZERO] = "",
    [BASE_MAX] = "max",
    [BASE_LARGEST] = "largest",
    [BASE_USABLE] = "usable",
    [BASE_ASKED] = "asked",
};

bool op_has_ptr(enum op_verb verb)
{
    return verb != OP_RESET;
}

bool op_has_size(enum op_verb verb)
{
    return verb != OP_RESET && verb != OP_REMOVE && verb != OP_FREE && verb != OP_USABLE;
}

bool op_has_align(enum op_verb verb)
{
    return verb == OP_ALLOC || verb == OP_FREE_SIZED || verb == OP_REALLOC;
}

/* Appends to a line; what does not fit is cut off. */
struct line {
    char *text;
    size_t used;
};

static void append(struct line *line, const char *piece)
{
    size_t length = strlen(piece);
    if (length > OP_TEXT - 1 - line->used)
        length = OP_TEXT - 1 - line->used;
    memcpy(line->text + line->used, piece, length);
    line->used += length;
    line->text[line->used] = '\0';
}

static void append_number(struct line *line, const char *sign, uint64_t number)
{
    char digits[32];
    snprintf(digits, sizeof digits, "%s%" PRIu64, sign, number);
    append(line, digits);
}

/* +N or -N, or nothing for 0. */
static void append_distance(struct line *line, int64_t distance)
{
    if (distance > 0)
        append_number(line, "+", (uint64_t)distance);
    if (distance < 0)
        append_number(line, "-", -(uint64_t)distance);
}

static void append_ptr(struct line *line, const struct op *op)
{
    char name[] = { ' ', places[op->place], '\0' };
    append(line, name);
    if (op->place != PLACE_ARENA)
        append_number(line, "", op->index);
    append_distance(line, op->offset);
}

static void append_size(struct line *line, const struct op *op)
{
    append(line, " ");
    append(line, bases[op->base]);
    if (op->base == BASE_ZERO)
        append_number(line, "", (uint64_t)op->size);
    else
        append_distance(line, op->size);
}

void op_print(char text[OP_TEXT], const struct op *op)
{
    struct line line = { text, 0 };
    append(&line, verbs[op->verb]);
    if (op_has_ptr(op->verb))
        append_ptr(&line, op);
    if (op_has_size(op->verb))
        append_size(&line, op);
    if (op_has_align(op->verb))
        append_number(&line, " ", op->align);
}

void ops_write(FILE *file, const struct op *ops, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[OP_TEXT];
        op_print(text, &ops[i]);
        fprintf(file, "%s\n", text);
    }
}

static bool parse_u64(const char *text, uint64_t *number)
{
    char *end;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return errno == 0 && text[0] >= '0' && text[0] <= '9' && *end == '\0';
}

static bool parse_distance(const char *text, int64_t *distance)
{
    char *end;
    if (*text == '\0') {
        *distance = 0;
        return true;
    }
    errno = 0;
    *distance = strtoll(text, &end, 10);
    return errno == 0 && (text[0] == '+' || text[0] == '-') && *end == '\0';
}

static bool parse_ptr(const char *text, struct op *op)
{
    const char *place = text[0] == '\0' ? NULL : strchr(places, text[0]);
    if (place == NULL)
        return false;
    op->place = (enum op_place)(place - places);
    text++;
    if (op->place != PLACE_ARENA) {
        char *end;
        if (*text < '0' || *text > '9')
            return false;
        op->index = (unsigned)strtoul(text, &end, 10);
        text = end;
    }
    return parse_distance(text, &op->offset) && (op->place != PLACE_SLOT || op->index < OP_SLOTS);
}

static bool parse_size(const char *text, struct op *op)
{
    for (int base = BASE_MAX; base < BASES; base++) {
        size_t length = strlen(bases[base]);
        if (strncmp(text, bases[base], length) == 0) {
            op->base = (enum op_base)base;
            return parse_distance(text + length, &op->size);
        }
    }
    uint64_t bytes;
    bool ok = parse_u64(text, &bytes) && bytes <= INT64_MAX;
    op->base = BASE_ZERO;
    op->size = ok ? (int64_t)bytes : 0;
    return ok;
}

static bool parse_verb(const char *text, struct op *op)
{
    for (int verb = 0; verb < OP_VERBS; verb++) {
        if (strcmp(text, verbs[verb]) == 0) {
            op->verb = (enum op_verb)verb;
            return true;
        }
    }
    return false;
}

int op_parse(const char *line, struct op *op)
{
    char copy[2 * OP_TEXT];
    char *rest = copy;
    if (strlen(line) >= sizeof copy)
        return -1;
    strcpy(copy, line);
    copy[strcspn(copy, "#\r\n")] = '\0';
    const char *word = strtok_r(copy, " \t", &rest);
    if (word == NULL)
        return 0;
    *op = (struct op){ .align = 1 };
    bool ok = parse_verb(word, op);
    if (ok && op_has_ptr(op->verb))
        ok = (word = strtok_r(NULL, " \t", &rest)) != NULL && parse_ptr(word, op);
    if (ok && op_has_size(op->verb))
        ok = (word = strtok_r(NULL, " \t", &rest)) != NULL && parse_size(word, op);
    if (ok && op_has_align(op->verb))
        ok = (word = strtok_r(NULL, " \t", &rest)) != NULL && parse_u64(word, &op->align);
    return ok && strtok_r(NULL, " \t", &rest) == NULL ? 1 : -1;
}

size_t ops_read(FILE *file, struct op *ops, size_t room, size_t *line)
{
    char text[512];
    size_t count = 0;
    for (*line = 1; fgets(text, sizeof text, file) != NULL; ++*line) {
        struct op op;
        int found = op_parse(text, &op);
        if (found < 0 || (found > 0 && count == room))
            return SIZE_MAX;
        if (found > 0)
            ops[count++] = op;
    }
    return count;
}
