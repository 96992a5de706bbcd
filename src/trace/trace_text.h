/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * Reading the plain text form of a trace, which a person can write and a microcontroller can print.
 * Part of the reader: it shares its state, its block table and its buffer.
 */
#ifndef ACRE_TRACE_TEXT_H
#define ACRE_TRACE_TEXT_H

#include "trace.h"

/** What every text begins with, up to the version. */
#define ACRE_TRACE_TEXT_MAGIC "acre-trace "

enum {
    /** Bytes of the longest line, its end included. */
    ACRE_TRACE_LINE_MAX = 1024
};

/** Takes over `count` bytes already read, the first of a text, once the reader has its buffer. */
enum acre_trace_status acre_trace_text_open(
    struct acre_trace_reader *reader, const unsigned char *bytes, size_t count);

/** acre_trace_reader_next() for a text. */
enum acre_trace_status acre_trace_text_next(
    struct acre_trace_reader *reader, struct acre_trace_event *event);

#endif
