/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The lines of three tools:
 *   mtrace of the GNU C library, in the file that MALLOC_TRACE names;
 *   ltrace, or whatever else prints "malloc(24) = 0x5581", as gdb and printf do;
 *   heaptrack, as it records (--raw) and as heaptrack_interpret leaves it.
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

static unsigned value_of_digit(char letter)
{
    if (letter >= '0' && letter <= '9')
        return (unsigned)(letter - '0');
    letter |= 0x20;
    return letter >= 'a' && letter <= 'f' ? (unsigned)(letter - 'a' + 10) : 16;
}

/* Reads digits and moves past them. @return false: there is none, or they are too many. */
static bool scan_digits(const char **at, unsigned base, uint64_t *number)
{
    const char *start = *at;
    *number = 0;
    for (; value_of_digit(**at) < base; ++*at) {
        if (*number > (UINT64_MAX - value_of_digit(**at)) / base)
            return false;
        *number = *number * base + value_of_digit(**at);
    }
    return *at > start;
}

/* A number as C writes it, or a null pointer as printf and ltrace write it. */
static bool scan_number(const char **at, uint64_t *number)
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
        return scan_digits(at, 16, number);
    }
    return scan_digits(at, 10, number);
}

static bool word_number(const struct word *word, uint64_t *number)
{
    const char *at = word->start;
    return scan_number(&at, number) && at == word->start + word->length;
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
    return call->old ? NULL : "no block to resize";
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
    return "expected '+ ADDRESS SIZE', '- ADDRESS', '< ADDRESS', '> ADDRESS SIZE' or "
           "'! ADDRESS SIZE'";
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

/* Where a name ends before `open`: ltrace -x writes "malloc@libc.so.6(". */
static const char *end_of_name(const char *line, const char *open)
{
    const char *at = open;
    while (at != line && (goes_on_name(at[-1]) || strchr(".-+", at[-1])))
        at--;
    return at != line && at[-1] == '@' ? at - 1 : open;
}

/* Whether the name ends before `open`, and is a word of its own outside of any string. */
static bool is_name(const char *line, const char *open, const char *name)
{
    size_t length = strlen(name);
    open = end_of_name(line, open);
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
        return "count times size overflows";
    *size *= count;
    return NULL;
}

/* ltrace says "no return" when a thread ends meanwhile, though the call may return yet. */
static bool is_cut(const char *at)
{
    static const char *const marks[] = { "<unfinished", "<no return" };
    return strncmp(at, marks[0], strlen(marks[0])) == 0 ||
           strncmp(at, marks[1], strlen(marks[1])) == 0;
}

/* @param at set behind the ")" that ends them; `*cut`: there is none, another line has the rest. */
static const char *read_arguments(
    const char **at, const struct signature *signature, struct import_call *call, bool *cut)
{
    uint64_t count = 1;
    for (const char *take = signature->takes; *take; take++) {
        uint64_t *where = *take == 'b'   ? &call->old
                          : *take == 's' ? &call->size
                          : *take == 'n' ? &count
                                         : &call->align;
        skip(at, " ");
        if (!scan_number(at, where))
            return "an argument of the call is not a number";
        skip(at, " ");
        if (take[1] && *(*at)++ != ',')
            return "the call has too few arguments";
    }
    *cut = is_cut(*at);
    if (!*cut && *(*at)++ != ')')
        return "the call does not end with ')'";
    return multiply(count, &call->size);
}

static const char *scan_result(const char *at, struct import_call *call)
{
    skip(&at, " ");
    if (*at++ != '=')
        return "the call has no '= ADDRESS'";
    skip(&at, " ");
    if (!scan_number(&at, &call->block))
        return "the result of the call is not an address";
    return NULL;
}

void import_finish(struct import_call *call)
{
    if (call->block) {
        call->verb = call->old ? IMPORT_RESIZE : IMPORT_ALLOC;
    } else if (call->old && !call->size) {
        call->verb = IMPORT_FREE; /* that is what it means to the C library */
        call->block = call->old;
    } else {
        call->verb = IMPORT_FAILED;
    }
}

/* The number that begins a line, or stands there as "[pid 7]"; 0: there is none. */
static uint64_t thread_of(const char *line)
{
    static const char word[] = "[pid ";
    uint64_t thread = 0;
    skip(&line, " ");
    if (strncmp(line, word, strlen(word)) == 0)
        line += strlen(word);
    skip(&line, " ");
    return scan_digits(&line, 10, &thread) ? thread : 0;
}

/* The rest of a call that was cut. @param at behind "<... ". */
static const char *parse_resumed(const char *at, struct import_call *call)
{
    static const char mark[] = " resumed>";
    const struct signature *signature = NULL;
    for (size_t i = 0; i < SIGNATURES; i++) {
        size_t length = strlen(signatures[i].name);
        if (strncmp(at, signatures[i].name, length) == 0 &&
            strncmp(at + length, mark, strlen(mark)) == 0)
            signature = &signatures[i];
    }
    if (!signature || !signature->letter)
        return NULL; /* a free was done when it began */
    at += strlen(signature->name) + strlen(mark);
    skip(&at, " ");
    if (*at++ != ')')
        return "the call does not end with ')'";
    call->verb = IMPORT_RESUMED;
    call->function = signature->name;
    return scan_result(at, call);
}

static const char *find_resumed(const char *line)
{
    static const char mark[] = "<... ";
    const char *found = strstr(line, mark);
    return found && !memchr(line, '"', (size_t)(found - line)) ? found + strlen(mark) : NULL;
}

static const char *parse_ltrace(const char *line, struct import_call *call)
{
    const char *at = find_resumed(line);
    bool cut = false;
    call->thread = thread_of(line);
    if (at)
        return parse_resumed(at, call);
    const struct signature *signature = find_call(line, &at);
    const char *fault = signature ? read_arguments(&at, signature, call, &cut) : NULL;
    if (!signature || fault)
        return fault;
    if (!signature->letter) {
        call->block = call->old;
        call->verb = call->block ? IMPORT_FREE : IMPORT_NOTHING;
        return NULL;
    }
    call->letter = signature->letter;
    call->function = signature->name;
    call->verb = IMPORT_CUT;
    if (cut)
        return NULL;
    fault = scan_result(at, call);
    import_finish(call);
    return fault;
}

/* ---- heaptrack ---- */

static bool next_hex(const char **at, uint64_t *number)
{
    skip(at, " ");
    return scan_digits(at, 16, number) && (**at == ' ' || **at == '\0');
}

/* "+ SIZE TRACE ADDRESS" as it was recorded, "+ KIND" once it was interpreted. */
static const char *parse_heaptrack_alloc(const char *at, struct import_call *call)
{
    uint64_t trace;
    if (!next_hex(&at, &call->kind))
        return "'+' has no number in hexadecimal after it";
    call->verb = IMPORT_ALLOC_OF;
    if (!*at)
        return NULL;
    call->size = call->kind;
    if (!next_hex(&at, &trace) || !next_hex(&at, &call->block))
        return "'+' is not followed by a size, a trace and an address in hexadecimal";
    call->verb = call->block ? IMPORT_ALLOC : IMPORT_FAILED;
    return NULL;
}

static const char *parse_heaptrack(const char *line, struct import_call *call)
{
    const char *at = line + 1;
    if (line[0] == '+')
        return parse_heaptrack_alloc(at, call);
    if (line[0] == '-') {
        call->verb = IMPORT_FREE;
        return next_hex(&at, &call->block) ? NULL : "'-' has no number in hexadecimal after it";
    }
    if (line[0] != 'a' || line[1] != ' ')
        return NULL;
    call->verb = IMPORT_KIND;
    return next_hex(&at, &call->size) ? NULL : "'a' is not followed by a size in hexadecimal";
}

const struct import_format import_formats[] = {
    { "mtrace", parse_mtrace, false },
    { "ltrace", parse_ltrace, false },
    { "heaptrack", parse_heaptrack, true },
    { NULL, NULL, false },
};
