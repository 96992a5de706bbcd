/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/import/import.h"

#include "tool/import/live.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LINE_ROOM 4096
#define MOST_BYTES (UINT64_MAX >> 1)
#define MOST_CUTS 4096

/* A call that another thread's has cut. */
struct cut {
    struct import_call call;
    uint64_t block; /* that it resizes, */
    bool known;     /* if that is known */
};

struct importer {
    const struct import_format *format;
    FILE *in, *out;
    const char *name;
    char *message;
    char line[LINE_ROOM];
    uint64_t number; /* of the line, from 1 */
    struct import_live live;
    struct import_kinds kinds; /* not empty: frees name kinds, not addresses */
    uint64_t blocks;           /* so many were named */
    uint64_t calls, lost, unmatched;
    uint64_t begun; /* the block of a resize whose second half is awaited */
    struct cut *cuts;
    size_t cut_count;
};

static bool import_complain(struct importer *importer, const char *what)
{
    snprintf(importer->message, IMPORT_MESSAGE_ROOM, "%s: line %" PRIu64 ": %s", importer->name,
        importer->number, what);
    return false;
}

static bool import_no_memory(struct importer *importer)
{
    return import_complain(importer, "out of memory for live blocks");
}

/* ---- calls ---- */

static void emit_free(struct importer *importer, uint64_t block)
{
    fprintf(importer->out, "f %" PRIu64 "\n", block);
}

/* @return the number of the block allocated. */
static uint64_t emit_alloc(struct importer *importer, const struct import_call *call)
{
    uint64_t block = importer->blocks++;
    fprintf(importer->out, "%c %" PRIu64 " %" PRIu64, call->letter, block, call->size);
    if (call->letter == 'a')
        fprintf(importer->out, " %" PRIu64, call->align);
    fputc('\n', importer->out);
    return block;
}

/* What is handed out now was free, whoever freed it. */
static void free_unseen(struct importer *importer, uint64_t address)
{
    uint64_t unseen;
    if (!import_live_take(&importer->live, address, &unseen))
        return;
    emit_free(importer, unseen);
    importer->lost++;
}

/* Notes where a block lies. */
static bool note_address(struct importer *importer, uint64_t address, uint64_t block)
{
    free_unseen(importer, address);
    return import_live_add(&importer->live, address, block) || import_no_memory(importer);
}

static bool put_alloc(struct importer *importer, const struct import_call *call)
{
    free_unseen(importer, call->block);
    return note_address(importer, call->block, emit_alloc(importer, call));
}

static bool put_free(struct importer *importer, const struct import_call *call)
{
    uint64_t block;
    bool known = importer->kinds.count ? import_kinds_take(&importer->kinds, call->block, &block)
                                       : import_live_take(&importer->live, call->block, &block);
    if (known)
        emit_free(importer, block);
    importer->unmatched += !known;
    return true;
}

/* The block was taken from its address before. */
static bool import_resize_end(
    struct importer *importer, const struct import_call *call, uint64_t block, bool known)
{
    if (!known) {
        importer->unmatched++;
        return call->verb != IMPORT_RESIZE || put_alloc(importer, call);
    }
    if (call->verb == IMPORT_FREE) {
        emit_free(importer, block);
        return true;
    }
    bool failed = call->verb == IMPORT_FAILED;
    free_unseen(importer, failed ? call->old : call->block);
    fprintf(importer->out, "%s %" PRIu64 " %" PRIu64 "\n", failed ? "x r" : "r", block, call->size);
    return note_address(importer, failed ? call->old : call->block, block);
}

static bool import_resize(struct importer *importer, const struct import_call *call)
{
    uint64_t block = 0;
    bool known = import_live_take(&importer->live, call->old, &block);
    return import_resize_end(importer, call, block, known);
}

static bool import_failed_call(struct importer *importer, const struct import_call *call)
{
    if (call->old)
        return import_resize(importer, call);
    fprintf(importer->out, "x m %" PRIu64 "\n", call->size);
    return true;
}

static bool put_kind(struct importer *importer, const struct import_call *call)
{
    return import_kinds_add(&importer->kinds, call->size) ||
           import_complain(importer, "too many kinds of allocations");
}

static bool put_alloc_of(struct importer *importer, const struct import_call *call)
{
    struct import_call of = *call;
    of.size = import_kinds_size(&importer->kinds, call->kind);
    return import_kinds_put(&importer->kinds, call->kind, emit_alloc(importer, &of)) ||
           import_no_memory(importer);
}

/* ---- calls that are cut ---- */

static bool put_cut(struct importer *importer, const struct import_call *call)
{
    if (importer->cut_count == MOST_CUTS)
        return import_complain(importer, "too many unfinished calls");
    struct cut *cut = &importer->cuts[importer->cut_count++];
    *cut = (struct cut){ .call = *call };
    if (call->old)
        cut->known = import_live_take(&importer->live, call->old, &cut->block);
    return true;
}

/* The last cut call of that function in that thread; null: there is none. */
static struct cut *find_cut(const struct importer *importer, const struct import_call *end)
{
    for (size_t i = importer->cut_count; i-- > 0;)
        if (importer->cuts[i].call.thread == end->thread &&
            importer->cuts[i].call.function == end->function)
            return &importer->cuts[i];
    return NULL;
}

static bool put_resumed(struct importer *importer, const struct import_call *end)
{
    struct cut *found = find_cut(importer, end);
    if (!found)
        return import_complain(importer, "a resumed call without its beginning");
    struct cut cut = *found;
    *found = importer->cuts[--importer->cut_count];
    cut.call.block = end->block;
    import_finish(&cut.call);
    if (cut.call.old)
        return import_resize_end(importer, &cut.call, cut.block, cut.known);
    return cut.call.verb == IMPORT_ALLOC ? put_alloc(importer, &cut.call)
                                         : import_failed_call(importer, &cut.call);
}

static bool import_call(struct importer *importer, const struct import_call *call)
{
    importer->calls += call->verb != IMPORT_KIND;
    switch (call->verb) {
    case IMPORT_ALLOC:
        return put_alloc(importer, call);
    case IMPORT_FREE:
        return put_free(importer, call);
    case IMPORT_RESIZE:
        return import_resize(importer, call);
    case IMPORT_FAILED:
        return import_failed_call(importer, call);
    case IMPORT_RESIZE_BEGINS:
        importer->begun = call->old;
        break;
    case IMPORT_CUT:
        return put_cut(importer, call);
    case IMPORT_RESUMED:
        return put_resumed(importer, call);
    case IMPORT_KIND:
        return put_kind(importer, call);
    case IMPORT_ALLOC_OF:
        return put_alloc_of(importer, call);
    case IMPORT_NOTHING:
        break;
    }
    return true;
}

/* ---- lines ---- */

static bool is_power_of_two(uint64_t number)
{
    return number && !(number & (number - 1));
}

/* What a line of one kind of file cannot say in the other. */
static const char *check_kinds(const struct importer *importer, const struct import_call *call)
{
    size_t kinds = importer->kinds.count;
    if (call->verb == IMPORT_ALLOC_OF && !kinds)
        return "'+' is not followed by a size, a trace and an address in hexadecimal";
    if (call->verb == IMPORT_ALLOC_OF && call->kind >= kinds)
        return "'+' names an allocation that no 'a' before it describes";
    if (call->verb == IMPORT_FREE && kinds && call->block >= kinds)
        return "'-' names an allocation that no 'a' before it describes";
    if (call->verb == IMPORT_ALLOC && kinds)
        return "an allocation with an address after allocations without";
    if (call->verb == IMPORT_KIND && !kinds && importer->calls)
        return "an allocation without an address after allocations with";
    return NULL;
}

/* Freeing no block is nothing, but the first kind has the number 0. */
static bool is_nothing(const struct importer *importer, const struct import_call *call)
{
    return call->verb == IMPORT_NOTHING ||
           (call->verb == IMPORT_FREE && !call->block && !importer->kinds.count);
}

static bool import_line(struct importer *importer)
{
    struct import_call call = { .letter = 'm' };
    const char *fault = importer->format->parse(importer->line, &call);
    if (!fault)
        fault = check_kinds(importer, &call);
    if (fault)
        return import_complain(importer, fault);
    if (call.size > MOST_BYTES)
        return import_complain(importer, "the size exceeds any possible block");
    if (call.letter == 'a' && !is_power_of_two(call.align))
        return import_complain(importer, "the alignment is not a power of two");
    if (is_nothing(importer, &call))
        return true;
    bool second = call.verb == IMPORT_RESIZE && !call.old;
    if (second != (importer->begun != 0))
        return import_complain(
            importer, second ? "'>' without '<' before it" : "'<' without '>' after it");
    if (second)
        call.old = importer->begun;
    importer->begun = 0;
    return import_call(importer, &call);
}

/* Whether the first `count` bytes of the file are those of one compressed by gzip. */
static bool is_packed(const struct importer *importer, size_t count)
{
    static const char gzip[] = "\x1f\x8b";
    return importer->number == 1 && count >= 2 && memcmp(importer->line, gzip, 2) == 0;
}

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
            return import_complain(importer, "not a text file");
        if (count == LINE_ROOM - 1)
            return import_complain(importer, "the line is too long for a call");
        importer->line[count++] = (char)byte;
        if (count <= 4 && is_packed(importer, count))
            return import_complain(importer, "the file is compressed: unpack it first (gzip -dc)");
    }
    if (byte == EOF && importer->format->ends_lines && !ferror(importer->in))
        return import_complain(importer, "the line has no end: the file is truncated");
    if (count && importer->line[count - 1] == '\r')
        count--;
    importer->line[count] = '\0';
    return true;
}

static bool end_import(struct importer *importer)
{
    if (ferror(importer->in)) {
        snprintf(importer->message, IMPORT_MESSAGE_ROOM, "%s: %s", importer->name, strerror(errno));
        return false;
    }
    if (importer->begun)
        return import_complain(importer, "'<' without '>' after it");
    if (!importer->calls) {
        snprintf(importer->message, IMPORT_MESSAGE_ROOM, "%s: no %s call found", importer->name,
            importer->format->name);
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
    static struct cut cuts[MOST_CUTS];
    importer = (struct importer){
        .format = format, .in = in, .out = out, .name = name, .message = message, .cuts = cuts
    };
    message[0] = '\0';
    fprintf(out, "acre-trace 1\nprocess 1 0 started %s\n", format->name);
    while (!message[0] && read_line(&importer))
        import_line(&importer);
    bool done = !message[0] && end_import(&importer);
    import_live_clear(&importer.live);
    import_kinds_clear(&importer.kinds);
    return done;
}

const struct import_format *import_find(const char *name)
{
    for (const struct import_format *format = import_formats; format->name; format++)
        if (strcmp(format->name, name) == 0)
            return format;
    return NULL;
}
