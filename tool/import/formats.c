/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The lines of three tools:
 *   mtrace of the GNU C library, in the file that MALLOC_TRACE names;
 *   ltrace, or whatever else prints "malloc(24) = 0x5581", as gdb and printf do;
 *   heaptrack --raw, before heaptrack_interpret has been at it.
 */
#include "tool/import/import.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- words and numbers ---- */

#define MOST_WORDS 3

struct word {
    const char *start;
    size_t length;
};

/* The last words of a line, the last one first. @return how many there are, up to MOST_WORDS. */
static size_t last_words(const char *line, struct word words[MOST_WORDS])
{
    size_t count = 0;
    const char *end = line + strlen(line);
    while (count < MOST_WORDS) {
        while (end > line && end[-1] == ' ')
            end--;
        const char *start = end;
        while (start > line && start[-1] != ' ')
            start--;
        if (start == end)
            break;
        words[count++] = (struct word){ start, (size_t)(end - start) };
        end = start;
    }
    return count;
}

static unsigned digit_of(char letter)
{
    if (letter >= '0' && letter <= '9')
        return (unsigned)(letter - '0');
    letter |= 0x20;
    return letter >= 'a' && letter <= 'f' ? (unsigned)(letter - 'a' + 10) : 16;
}

/* Reads digits and moves past them. @return false: there is none, or they are too many. */
static bool read_digits(const char **at, unsigned base, uint64_t *number)
{
    const char *start = *at;
    *number = 0;
    for (; digit_of(**at) < base; ++*at) {
        if (*number > (UINT64_MAX - digit_of(**at)) / base)
            return false;
        *number = *number * base + digit_of(**at);
    }
    return *at > start;
}

/* A number as C writes it, or a null pointer as printf and ltrace write it. */
static bool read_number(const char **at, uint64_t *number)
{
    static const char *const nulls[] = { "(nil)", "nil", "NULL" };
    for (size_t i = 0; i < sizeof nulls / sizeof *nulls; i++) {
        size_t length = strlen(nulls[i]);
        if (strncmp(*at, nulls[i], length) != 0)
            continue;
        *at += length;
        *number = 0;
        return true;
    }
    if ((*at)[0] == '0' && ((*at)[1] == 'x' || (*at)[1] == 'X')) {
        *at += 2;
        return read_digits(at, 16, number);
    }
    return read_digits(at, 10, number);
}

static bool word_number(const struct word *word, uint64_t *number)
{
    const char *at = word->start;
    return read_number(&at, number) && at == word->start + word->length;
}

/* ---- mtrace ---- */

static bool is_mark(const struct word *word, const char *marks)
{
    return word->length == 1 && strchr(marks, word->start[0]);
}

static const char *mtrace_two(const struct word words[], struct import_call *call)
{
    char mark = words[2].start[0];
    if (!word_number(&words[1], &call->block) || !word_number(&words[0], &call->size))
        return "no address and size after the mark";
    if (mark == '!') {
        call->verb = IMPORT_FAILED;
        call->old = call->block;
    } else if (!call->block) {
        call->verb = IMPORT_FAILED;
    } else {
        call->verb = mark == '+' ? IMPORT_ALLOC : IMPORT_RESIZE;
    }
    return NULL;
}

static const char *mtrace_one(const struct word words[], struct import_call *call)
{
    if (!word_number(&words[0], &call->block))
        return "no address after the mark";
    if (words[1].start[0] == '-') {
        call->verb = call->block ? IMPORT_FREE : IMPORT_NOTHING;
        return NULL;
    }
    call->verb = IMPORT_RESIZE_BEGINS;
    call->old = call->block;
    return call->old ? NULL : "the block to resize is none";
}

static const char *parse_mtrace(const char *line, struct import_call *call)
{
    struct word words[MOST_WORDS];
    size_t count = last_words(line, words);
    if (!count || line[0] == '=')
        return NULL;
    if (count == 3 && is_mark(&words[2], "+>!"))
        return mtrace_two(words, call);
    if (count >= 2 && is_mark(&words[1], "-<"))
        return mtrace_one(words, call);
    return "neither '+ ADDRESS SIZE' nor '- ADDRESS', '< ADDRESS', '> ADDRESS SIZE' or "
           "'! ADDRESS SIZE' ends it";
}

/* ---- ltrace ---- */

/* What a call takes: b a block, s a size, n a count to multiply it with, a an alignment. */
struct signature {
    const char *name, *takes;
    char letter;
};

static const struct signature signatures[] = {
    { "malloc", "s", 'm' },
    { "calloc", "ns", 'c' },
    { "realloc", "bs", 'm' },
    { "reallocarray", "bns", 'm' },
    { "memalign", "as", 'a' },
    { "aligned_alloc", "as", 'a' },
    { "free", "b", 0 },
};

#define SIGNATURES (sizeof signatures / sizeof *signatures)

static bool goes_on_name(char letter)
{
    return isalnum((unsigned char)letter) || letter == '_';
}

/* Whether the name ends at `open`, and is a word of its own outside of any string. */
static bool is_name(const char *line, const char *open, const char *name)
{
    size_t length = strlen(name);
    if ((size_t)(open - line) < length)
        return false;
    const char *start = open - length;
    bool alone = start == line || !goes_on_name(start[-1]);
    return alone && strncmp(start, name, length) == 0 && !memchr(line, '"', (size_t)(start - line));
}

/* The first call of a line that is one of ours. @param at set behind its "(". */
static const struct signature *find_call(const char *line, const char **at)
{
    for (const char *open = strchr(line, '('); open; open = strchr(open + 1, '(')) {
        for (size_t i = 0; i < SIGNATURES; i++) {
            if (!is_name(line, open, signatures[i].name))
                continue;
            *at = open + 1;
            return &signatures[i];
        }
    }
    return NULL;
}

static void skip(const char **at, const char *letters)
{
    *at += strspn(*at, letters);
}

static const char *multiply(uint64_t count, uint64_t *size)
{
    if (count && *size > UINT64_MAX / count)
        return "count times size is more than a size can be";
    *size *= count;
    return NULL;
}

static const char *read_arguments(
    const char **at, const struct signature *signature, struct import_call *call)
{
    uint64_t count = 1;
    for (const char *take = signature->takes; *take; take++) {
        uint64_t *where = *take == 'b'   ? &call->old
                          : *take == 's' ? &call->size
                          : *take == 'n' ? &count
                                         : &call->align;
        skip(at, " ");
        if (!read_number(at, where))
            return "an argument of the call is no number";
        skip(at, " ");
        if (take[1] && *(*at)++ != ',')
            return "the call has too few arguments";
    }
    if (*(*at)++ != ')')
        return "the call does not end with ')'";
    return multiply(count, &call->size);
}

static const char *read_result(const char *at, struct import_call *call)
{
    skip(&at, " ");
    if (*at++ != '=')
        return "the call has no '= ADDRESS'";
    skip(&at, " ");
    if (!read_number(&at, &call->block))
        return "the result of the call is no address";
    if (call->block)
        call->verb = call->old ? IMPORT_RESIZE : IMPORT_ALLOC;
    else
        call->verb = IMPORT_FAILED;
    return NULL;
}

static const char *parse_ltrace(const char *line, struct import_call *call)
{
    const char *at;
    const struct signature *signature = find_call(line, &at);
    if (!signature)
        return strstr(line, "alloc resumed>") ? "the end of a call that another thread's cut"
                                              : NULL;
    if (strstr(at, "<unfinished"))
        return "the call is cut by another thread's: trace one thread, or print whole calls";
    const char *fault = read_arguments(&at, signature, call);
    if (fault)
        return fault;
    bool resizes = signature->takes[0] == 'b' && signature->letter;
    if (!signature->letter) {
        call->block = call->old;
        call->verb = call->block ? IMPORT_FREE : IMPORT_NOTHING;
        return NULL;
    }
    call->letter = signature->letter;
    fault = read_result(at, call);
    if (!fault && resizes && call->verb == IMPORT_FAILED && !call->size && call->old) {
        call->verb = IMPORT_FREE; /* that is what it means to the C library */
        call->block = call->old;
    }
    return fault;
}

/* ---- heaptrack ---- */

static bool next_hex(const char **at, uint64_t *number)
{
    skip(at, " ");
    return read_digits(at, 16, number) && (**at == ' ' || **at == '\0');
}

static const char *parse_heaptrack(const char *line, struct import_call *call)
{
    uint64_t trace;
    const char *at = line + 1;
    if (line[0] == 'a' && line[1] == ' ')
        return "this is what heaptrack_interpret makes, without addresses: record with --raw";
    if (line[0] == '+') {
        call->verb = IMPORT_ALLOC;
        if (!next_hex(&at, &call->size) || !next_hex(&at, &trace) || !next_hex(&at, &call->block))
            return "'+' has no size, trace and address in hexadecimal after it";
        call->verb = call->block ? IMPORT_ALLOC : IMPORT_FAILED;
    } else if (line[0] == '-') {
        if (!next_hex(&at, &call->block))
            return "'-' has no address in hexadecimal after it";
        call->verb = call->block ? IMPORT_FREE : IMPORT_NOTHING;
    }
    return NULL;
}

const struct import_format import_formats[] = {
    { "mtrace", parse_mtrace },
    { "ltrace", parse_ltrace },
    { "heaptrack", parse_heaptrack },
    { NULL, NULL },
};
