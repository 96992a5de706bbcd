/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Traces made for tests, in files of a folder of their own. */
#ifndef ACRE_TESTS_TOOL_TRACES_H
#define ACRE_TESTS_TOOL_TRACES_H

#include "trace/trace_file.h"

/* The path of a file of that name; valid until the program ends, at most 16. */
const char *trace_path(const char *name);

/* A trace being written, and its writer; failure aborts the test program. */
struct trace_made {
    struct acre_trace_output *output;
    struct acre_trace_writer *writer;
};

struct trace_made trace_begin(const char *path);
void trace_process(struct trace_made *made, uint32_t pid, const char *name);
uint64_t trace_alloc(struct trace_made *made, uint64_t size, uint64_t align);
void trace_free(struct trace_made *made, uint64_t ordinal);
uint64_t trace_resize(struct trace_made *made, uint64_t ordinal, uint64_t size);
void trace_process_end(struct trace_made *made);
void trace_end(struct trace_made *made);

/* 100 blocks of 160 bytes, none of them freed: peak 16,000 bytes live. */
void trace_hundred_blocks(const char *path);

/* `count` operations on up to 1000 blocks of up to 2000 bytes, resized and aligned ones too. */
void trace_churn(const char *path, unsigned count);

#endif
