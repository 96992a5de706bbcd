/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * One line, one call. A line is only taken once every event that it causes has been handed out: the
 * first call of a text without a process line is preceded by the beginning of a section, and a
 * process line by the end of the last one.
 */
#include "trace_text.h"

#include "trace_blocks.h"
#include "trace_state.h"

#include <string.h>

/* The rest of the current line; no newline in it. */
struct words {
    const unsigned char *at;
    const unsigned char *end;
};

/* ---- lines ---- */

/** Moves what is left to the start of the buffer and fills it up. */
static enum acre_trace_status refill_text(struct acre_trace_reader *reader)
{
    const size_t left = reader->chunk_size - reader->at;
    size_t got;

    memmove(reader->chunk, reader->chunk + reader->at, left);
    reader->chunk_offset += reader->at;
    reader->at = 0;
    reader->chunk_size = left;
    if (acre_trace_pull(reader, reader->chunk + left, ACRE_TRACE_CHUNK_MAX - left, &got))
        return reader->state;
    reader->chunk_size += got;
    return ACRE_TRACE_OK;
}

static const unsigned char *line_end(const struct acre_trace_reader *reader)
{
    const size_t left = reader->chunk_size - reader->at;
    const size_t most = left < ACRE_TRACE_LINE_MAX ? left : ACRE_TRACE_LINE_MAX;

    for (size_t i = 0; i < most; i++)
        if (reader->chunk[reader->at + i] == '\n')
            return reader->chunk + reader->at + i;
    return NULL;
}

/** Finds the current line; none (at and end null) at the end of the text. */
static enum acre_trace_status look_at_line(struct acre_trace_reader *reader, struct words *words)
{
    const unsigned char *end = line_end(reader);

    words->at = words->end = NULL;
    if (!end && refill_text(reader))
        return reader->state;
    reader->offset = reader->chunk_offset + reader->at;
    end = line_end(reader);
    if (!end && reader->at == reader->chunk_size)
        return ACRE_TRACE_OK;
    if (!end && reader->chunk_size - reader->at >= ACRE_TRACE_LINE_MAX)
        return acre_trace_corrupt(reader, "a line is too long");
    if (!end)
        return acre_trace_fail(reader, ACRE_TRACE_TRUNCATED, "the last line has no end");
    words->at = reader->chunk + reader->at;
    words->end = end > words->at && end[-1] == '\r' ? end - 1 : end;
    return ACRE_TRACE_OK;
}

static void read_text_line(struct acre_trace_reader *reader)
{
    reader->at = (size_t)(line_end(reader) - reader->chunk) + 1;
    reader->line++;
}

/* ---- words ---- */

static bool is_blank(unsigned char byte)
{
    return byte == ' ' || byte == '\t';
}

static void skip_blanks(struct words *words)
{
    while (words->at < words->end && is_blank(*words->at))
        words->at++;
}

/** Whether nothing but a comment is left. */
static bool is_empty(struct words *words)
{
    skip_blanks(words);
    return words->at == words->end || *words->at == '#';
}

/** Takes the next word if it is `text`. */
static bool take_word(struct words *words, const char *text)
{
    const size_t length = strlen(text);
    const size_t left = (size_t)(words->end - words->at);

    if (left < length || memcmp(words->at, text, length) != 0 ||
        (left > length && !is_blank(words->at[length])))
        return false;
    words->at += length;
    skip_blanks(words);
    return true;
}

static unsigned text_digit(unsigned char byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - (unsigned)'0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - (unsigned)'a' + 10 : 99;
}

/** Takes a number, decimal or with 0x. */
static bool take_number(struct acre_trace_reader *reader, struct words *words, uint64_t *number)
{
    unsigned base = 10;
    const unsigned char *first;

    if (words->end - words->at > 2 && words->at[0] == '0' && (words->at[1] | 0x20) == 'x') {
        base = 16;
        words->at += 2;
    }
    *number = 0;
    for (first = words->at; words->at < words->end && text_digit(*words->at) < base; words->at++) {
        const unsigned digit = text_digit(*words->at);

        if (*number > (UINT64_MAX - digit) / base) {
            acre_trace_corrupt(reader, "a number has more than 64 bits");
            return false;
        }
        *number = *number * base + digit;
    }
    if (words->at == first || (words->at < words->end && !is_blank(*words->at))) {
        acre_trace_corrupt(reader, "a number is missing or malformed");
        return false;
    }
    skip_blanks(words);
    return true;
}

static bool take_u32(struct acre_trace_reader *reader, struct words *words, uint32_t *number)
{
    uint64_t wide;

    if (!take_number(reader, words, &wide))
        return false;
    if (wide > UINT32_MAX) {
        acre_trace_corrupt(reader, "a number is out of range");
        return false;
    }
    *number = (uint32_t)wide;
    return true;
}

/** Takes the name of a live block. */
static bool take_block(struct acre_trace_reader *reader, struct words *words, uint32_t *slot)
{
    uint64_t name;

    if (!take_number(reader, words, &name))
        return false;
    if (!acre_trace_blocks_find(reader, name, slot)) {
        acre_trace_corrupt(reader, "a line names a block that is not live");
        return false;
    }
    return true;
}

/** Takes a name that no live block has but the one in `own`, if any. */
static bool take_new_name(
    struct acre_trace_reader *reader, struct words *words, uint64_t *name, const uint32_t *own)
{
    uint32_t slot;

    if (!take_number(reader, words, name))
        return false;
    if (acre_trace_blocks_find(reader, *name, &slot) && !(own && slot == *own)) {
        acre_trace_corrupt(reader, "a line gives a name that a live block has");
        return false;
    }
    return true;
}

/** Size, and alignment where the call has one. */
static bool take_request(struct acre_trace_reader *reader, struct words *words,
    enum acre_trace_call call, uint64_t *size, uint64_t *align)
{
    *align = 0;
    if (!take_number(reader, words, size))
        return false;
    if (call != ACRE_TRACE_MEMALIGN)
        return true;
    if (!take_number(reader, words, align))
        return false;
    if (*align == 0 || (*align & (*align - 1)) != 0) {
        acre_trace_corrupt(reader, "an alignment is no power of two");
        return false;
    }
    return true;
}

/* ---- calls ---- */

static const struct {
    const char *word;
    enum acre_trace_call call;
} calls[] = { { "m", ACRE_TRACE_MALLOC }, { "c", ACRE_TRACE_CALLOC },
    { "a", ACRE_TRACE_MEMALIGN } };

static bool take_call(struct words *words, enum acre_trace_call *call)
{
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (take_word(words, calls[i].word)) {
            *call = calls[i].call;
            return true;
        }
    return false;
}

static enum acre_trace_status parse_request(struct acre_trace_reader *reader, struct words *words,
    struct acre_trace_event *event, enum acre_trace_call call)
{
    uint64_t name, size, align;

    if (!take_new_name(reader, words, &name, NULL) ||
        !take_request(reader, words, call, &size, &align))
        return reader->state;
    return acre_trace_on_alloc(reader, event, name, call, size, align);
}

static enum acre_trace_status parse_free(
    struct acre_trace_reader *reader, struct words *words, struct acre_trace_event *event)
{
    uint32_t slot;

    return take_block(reader, words, &slot) ? acre_trace_on_free(reader, event, slot)
                                            : reader->state;
}

static enum acre_trace_status parse_resize(struct acre_trace_reader *reader, struct words *words,
    struct acre_trace_event *event, enum acre_trace_op op)
{
    uint64_t name, size;
    uint32_t slot;

    if (!take_block(reader, words, &slot) || !take_number(reader, words, &size))
        return reader->state;
    name = reader->blocks[slot].ordinal;
    if (op == ACRE_TRACE_RESIZE && !is_empty(words) && !take_new_name(reader, words, &name, &slot))
        return reader->state;
    return acre_trace_on_resize(reader, event, op, slot, name, size);
}

static enum acre_trace_status parse_failed(
    struct acre_trace_reader *reader, struct words *words, struct acre_trace_event *event)
{
    enum acre_trace_call call;
    uint64_t size, align;

    if (take_word(words, "r"))
        return parse_resize(reader, words, event, ACRE_TRACE_FAILED);
    if (!take_call(words, &call))
        return acre_trace_corrupt(reader, "a failed call of an unknown kind");
    if (!take_request(reader, words, call, &size, &align))
        return reader->state;
    return acre_trace_on_failed(reader, event, call, size, align);
}

/** A line that is an event. */
static enum acre_trace_status parse_event(
    struct acre_trace_reader *reader, struct words *words, struct acre_trace_event *event)
{
    enum acre_trace_call call;

    if (take_call(words, &call))
        return parse_request(reader, words, event, call);
    if (take_word(words, "f"))
        return parse_free(reader, words, event);
    if (take_word(words, "r"))
        return parse_resize(reader, words, event, ACRE_TRACE_RESIZE);
    if (take_word(words, "x"))
        return parse_failed(reader, words, event);
    return acre_trace_corrupt(reader, "a line of an unknown kind");
}

/* ---- lines that are no call ---- */

static void take_name(struct acre_trace_reader *reader, struct words *words)
{
    size_t length = (size_t)(words->end - words->at);

    if (length > ACRE_TRACE_NAME_MAX)
        length = ACRE_TRACE_NAME_MAX;
    memcpy(reader->process.name, words->at, length);
    words->at = words->end;
}

static enum acre_trace_status parse_process(
    struct acre_trace_reader *reader, struct words *words, struct acre_trace_event *event)
{
    memset(&reader->process, 0, sizeof reader->process);
    if (!take_u32(reader, words, &reader->process.pid) ||
        !take_u32(reader, words, &reader->process.parent_pid))
        return reader->state;
    if (take_word(words, "forked")) {
        reader->process.origin = ACRE_TRACE_FORKED;
        if (!take_number(reader, words, &reader->process.inherited))
            return reader->state;
    } else if (!take_word(words, "started")) {
        return acre_trace_corrupt(reader, "a process is neither started nor forked");
    }
    take_name(reader, words);
    return acre_trace_on_process(reader, event);
}

/** A line that changes what the next calls say of themselves. False when it is none. */
static bool on_setting(struct acre_trace_reader *reader, struct words *words)
{
    uint64_t time;

    if (take_word(words, "t")) {
        if (take_u32(reader, words, &reader->thread) && reader->thread > ACRE_TRACE_THREAD_MAX)
            acre_trace_corrupt(reader, "a thread number is out of range");
        return true;
    }
    if (!take_word(words, "@"))
        return false;
    if (take_number(reader, words, &time) && time > reader->time_ns)
        reader->time_ns = time;
    return true;
}

static enum acre_trace_status parse_process_end(
    struct acre_trace_reader *reader, struct words *words, struct acre_trace_event *event)
{
    if (!is_empty(words) && (!take_number(reader, words, &reader->section.lost) ||
                                !take_number(reader, words, &reader->section.unmatched)))
        return reader->state;
    return acre_trace_on_process_end(reader, event);
}

/* ---- the text ---- */

/** The end of the text: first that of the section, then that of the trace. */
static enum acre_trace_status end_text(
    struct acre_trace_reader *reader, struct acre_trace_event *event)
{
    if (reader->in_process)
        return acre_trace_on_process_end(reader, event);
    if (reader->ended)
        return acre_trace_fail(reader, ACRE_TRACE_DONE, "");
    acre_trace_fill(reader, event, ACRE_TRACE_END);
    event->totals = reader->totals;
    reader->ended = true;
    return ACRE_TRACE_OK;
}

/** Outside a section; `*taken` says whether the line has had its effect. */
static enum acre_trace_status between_sections(struct acre_trace_reader *reader,
    struct words *words, struct acre_trace_event *event, bool *taken)
{
    *taken = take_word(words, "process");
    if (*taken)
        return parse_process(reader, words, event);
    if (take_word(words, "end"))
        return acre_trace_corrupt(reader, "a section ends that has not begun");
    memset(&reader->process, 0, sizeof reader->process);
    return acre_trace_on_process(reader, event);
}

static enum acre_trace_status in_section(struct acre_trace_reader *reader, struct words *words,
    struct acre_trace_event *event, bool *taken)
{
    *taken = !take_word(words, "process");
    if (!*taken)
        return acre_trace_on_process_end(reader, event);
    if (take_word(words, "end"))
        return parse_process_end(reader, words, event);
    return parse_event(reader, words, event);
}

/** Skips comments and settings; stores the line that comes then. */
static enum acre_trace_status next_line(struct acre_trace_reader *reader, struct words *words)
{
    for (;;) {
        struct words rest;

        if (look_at_line(reader, words) || !words->at)
            return reader->state;
        if (!is_empty(words)) {
            rest = *words;
            if (!reader->in_process || !on_setting(reader, &rest))
                return reader->state;
            if (!reader->state && !is_empty(&rest))
                acre_trace_corrupt(reader, "a line has more words than it should");
            if (reader->state)
                return reader->state;
        }
        read_text_line(reader);
    }
}

enum acre_trace_status acre_trace_text_next(
    struct acre_trace_reader *reader, struct acre_trace_event *event)
{
    struct words words;
    bool taken;

    if (next_line(reader, &words))
        return reader->state;
    if (!words.at)
        return end_text(reader, event);
    if (reader->in_process ? in_section(reader, &words, event, &taken)
                           : between_sections(reader, &words, event, &taken))
        return reader->state;
    if (!taken)
        return ACRE_TRACE_OK;
    if (!is_empty(&words))
        return acre_trace_corrupt(reader, "a line has more words than it should");
    read_text_line(reader);
    return ACRE_TRACE_OK;
}

enum acre_trace_status acre_trace_text_open(
    struct acre_trace_reader *reader, const unsigned char *bytes, size_t count)
{
    struct words words;
    uint64_t version;

    memcpy(reader->chunk, bytes, count);
    reader->chunk_size = count;
    reader->line = 1;
    if (look_at_line(reader, &words))
        return reader->state;
    words.at += sizeof ACRE_TRACE_TEXT_MAGIC - 1;
    if (words.at > words.end || !take_number(reader, &words, &version) || !is_empty(&words))
        return acre_trace_fail(
            reader, ACRE_TRACE_FOREIGN, "the first line does not name a version");
    if (version > ACRE_TRACE_VERSION)
        return acre_trace_fail(
            reader, ACRE_TRACE_NEWER, "the trace was written by a newer version");
    if (version == 0)
        return acre_trace_corrupt(reader, "the header names version 0, which does not exist");
    read_text_line(reader);
    return ACRE_TRACE_OK;
}
