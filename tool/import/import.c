/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/import/import.h"

#include <errno.h>
#include <inttypes.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#define LINE_ROOM 4096
#define MOST_BYTES (UINT64_MAX >> 1)

struct importer {
    const struct import_format *format;
    FILE *in, *out;
    const char *name;
    char *message;
    char line[LINE_ROOM];
    uint64_t number; /* of the line, from 1 */
    void *live;      /* a tree of addresses */
    uint64_t calls, lost, unmatched;
    uint64_t begun; /* the block of a resize whose second half is awaited */
};

static bool complain(struct importer *importer, const char *what)
{
    snprintf(importer->message, IMPORT_MESSAGE_ROOM, "%s: line %" PRIu64 ": %s", importer->name,
        importer->number, what);
    return false;
}

/* ---- live blocks ---- */

static int by_address(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static bool is_live(const struct importer *importer, uint64_t block)
{
    return tfind(&block, &importer->live, by_address) != NULL;
}

static bool add_live(struct importer *importer, uint64_t block)
{
    uint64_t *key = malloc(sizeof *key);
    if (key)
        *key = block;
    if (key && tsearch(key, &importer->live, by_address))
        return true;
    free(key);
    return complain(importer, "there is not enough memory for its live blocks");
}

static void take_live(struct importer *importer, uint64_t block)
{
    uint64_t **node = tfind(&block, &importer->live, by_address);
    uint64_t *key = *node;
    tdelete(key, &importer->live, by_address);
    free(key);
}

static void forget_live(struct importer *importer)
{
    while (importer->live)
        take_live(importer, **(uint64_t **)importer->live);
}

/* ---- calls ---- */

/* What is handed out now was free, whoever freed it. */
static void free_unseen(struct importer *importer, uint64_t block)
{
    if (!is_live(importer, block))
        return;
    fprintf(importer->out, "f 0x%" PRIx64 "\n", block);
    take_live(importer, block);
    importer->lost++;
}

static bool put_alloc(struct importer *importer, const struct import_call *call)
{
    free_unseen(importer, call->block);
    fprintf(importer->out, "%c 0x%" PRIx64 " %" PRIu64, call->letter, call->block, call->size);
    if (call->letter == 'a')
        fprintf(importer->out, " %" PRIu64, call->align);
    fputc('\n', importer->out);
    return add_live(importer, call->block);
}

static bool put_free(struct importer *importer, const struct import_call *call)
{
    if (!is_live(importer, call->block)) {
        importer->unmatched++;
        return true;
    }
    fprintf(importer->out, "f 0x%" PRIx64 "\n", call->block);
    take_live(importer, call->block);
    return true;
}

static bool put_resize(struct importer *importer, const struct import_call *call)
{
    if (!is_live(importer, call->old)) {
        importer->unmatched++;
        return put_alloc(importer, call);
    }
    if (call->block != call->old)
        free_unseen(importer, call->block);
    fprintf(importer->out, "r 0x%" PRIx64 " %" PRIu64 " 0x%" PRIx64 "\n", call->old, call->size,
        call->block);
    take_live(importer, call->old);
    return add_live(importer, call->block);
}

static bool put_failed(struct importer *importer, const struct import_call *call)
{
    if (!call->old)
        fprintf(importer->out, "x m %" PRIu64 "\n", call->size);
    else if (is_live(importer, call->old))
        fprintf(importer->out, "x r 0x%" PRIx64 " %" PRIu64 "\n", call->old, call->size);
    else
        importer->unmatched++;
    return true;
}

static bool put(struct importer *importer, const struct import_call *call)
{
    importer->calls += call->verb != IMPORT_NOTHING;
    switch (call->verb) {
    case IMPORT_ALLOC:
        return put_alloc(importer, call);
    case IMPORT_FREE:
        return put_free(importer, call);
    case IMPORT_RESIZE:
        return put_resize(importer, call);
    case IMPORT_FAILED:
        return put_failed(importer, call);
    case IMPORT_RESIZE_BEGINS:
        importer->begun = call->old;
        break;
    case IMPORT_NOTHING:
        break;
    }
    return true;
}

static bool is_power_of_two(uint64_t number)
{
    return number && !(number & (number - 1));
}

static bool take_line(struct importer *importer)
{
    struct import_call call = { .letter = 'm' };
    const char *fault = importer->format->parse(importer->line, &call);
    if (fault)
        return complain(importer, fault);
    if (call.size > MOST_BYTES)
        return complain(importer, "the size is larger than any block");
    if (call.letter == 'a' && !is_power_of_two(call.align))
        return complain(importer, "the alignment is not a power of two");
    if (call.verb == IMPORT_NOTHING)
        return true;
    bool second = call.verb == IMPORT_RESIZE && !call.old;
    if (second != (importer->begun != 0))
        return complain(
            importer, second ? "'>' without '<' before it" : "'<' without '>' after it");
    if (second)
        call.old = importer->begun;
    importer->begun = 0;
    return put(importer, &call);
}

/* ---- lines ---- */

/* @return false at the end, or with a message. */
static bool read_line(struct importer *importer)
{
    size_t count = 0;
    int byte = getc(importer->in);
    if (byte == EOF)
        return false;
    importer->number++;
    for (; byte != EOF && byte != '\n'; byte = getc(importer->in)) {
        if (byte == '\0')
            return complain(importer, "this is no text");
        if (count == LINE_ROOM - 1)
            return complain(importer, "the line is longer than any call is");
        importer->line[count++] = (char)byte;
    }
    if (count && importer->line[count - 1] == '\r')
        count--;
    importer->line[count] = '\0';
    return true;
}

static bool finish(struct importer *importer)
{
    if (ferror(importer->in)) {
        snprintf(importer->message, IMPORT_MESSAGE_ROOM, "%s: %s", importer->name, strerror(errno));
        return false;
    }
    if (importer->begun)
        return complain(importer, "'<' without '>' after it");
    if (!importer->calls) {
        snprintf(importer->message, IMPORT_MESSAGE_ROOM, "%s: there is no call of %s's in it",
            importer->name, importer->format->name);
        return false;
    }
    fprintf(importer->out, "end %" PRIu64 " %" PRIu64 "\n", importer->lost, importer->unmatched);
    if (fflush(importer->out) == 0)
        return true;
    snprintf(importer->message, IMPORT_MESSAGE_ROOM, "cannot write a temporary file: %s",
        strerror(errno));
    return false;
}

bool import_text(FILE *in, const char *name, const struct import_format *format, FILE *out,
    char message[IMPORT_MESSAGE_ROOM])
{
    static struct importer importer;
    importer = (struct importer){
        .format = format, .in = in, .out = out, .name = name, .message = message
    };
    message[0] = '\0';
    fprintf(out, "acre-trace 1\nprocess 1 0 started %s\n", format->name);
    while (!message[0] && read_line(&importer))
        take_line(&importer);
    bool done = !message[0] && finish(&importer);
    forget_live(&importer);
    return done;
}

const struct import_format *import_find(const char *name)
{
    for (const struct import_format *format = import_formats; format->name; format++)
        if (strcmp(format->name, name) == 0)
            return format;
    return NULL;
}
