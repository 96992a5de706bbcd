/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What the files of the kit share (acre/conformance.h). */
#ifndef ACRE_VERIFY_KIT_H
#define ACRE_VERIFY_KIT_H

#include "conformance/suite.h"
#include "support/ops.h"

#include <acre/conformance.h>
#include <sys/types.h>

/* ---- calls.c: the calls that a rule makes, in memory that outlives its process ---- */

enum { KIT_CALLS = 1 << 16 };

struct kit_call {
    enum op_verb verb;
    enum acre_status status;
    bool answered; /* the allocator came back */
    unsigned who;  /* which instance, from 0 */
    uintptr_t ptr; /* the argument; of alloc: unused */
    size_t size;
    size_t align;
    uintptr_t result;
};

struct kit_log {
    uintptr_t arena; /* of the first instance; 0: it never had memory */
    size_t arena_size;
    size_t count; /* of calls; those after KIT_CALLS are not kept */
    struct kit_call calls[KIT_CALLS];
};

/* A subject like `subject` whose instances write into the log; good until the next call. An arena is
 * aligned to its size, a power of two. */
const struct acre_subject *kit_logged(
    const struct acre_subject *subject, struct kit_log *log, size_t arena_size);

/* The log as operations of the model. Returns their number, at most `room`; 0: they cannot be said so. */
size_t kit_calls_to_ops(const struct kit_log *log, struct op *ops, size_t room);

/* The last calls as text, one a line. */
void kit_calls_print(char *text, size_t room, const struct kit_log *log);

/* ---- case.c: one rule ---- */

/* Room for the operations that break a rule, as text. */
enum { KIT_OPERATIONS = 8192 };

struct kit_verdict {
    enum acre_rule_outcome outcome;
    char text[ACRE_RULE_TEXT];
    char where[ACRE_RULE_TEXT];
    char operations[KIT_OPERATIONS];
};

/* Runs a test case in a process of its own. */
void kit_case(struct kit_verdict *verdict, const struct acre_subject *subject,
    const struct test_case *test_case, unsigned seconds);

/* Random runs beside the model, each in a process of its own. */
void kit_model(struct kit_verdict *verdict, const struct acre_subject *subject,
    const struct acre_verify_options *options);

/* Notes that the rule is broken: how, and the operations, cut where there is no room. */
void kit_print_ops(char *text, size_t room, const struct op *ops, size_t count);

/* ---- plugin.c: a plugin as a subject ---- */

/* Finds out in a child process what the plugin needs. False: it crashes, or serves nothing in any pool;
 * `why` says so. The subject is good until the next call. */
bool kit_subject_of_plugin(const struct acre_plugin *plugin, struct acre_subject *subject,
    unsigned seconds, char *why, size_t room);

/* ---- plugin_rules.c: what a plugin promises beyond the suites ---- */

extern const struct test_case kit_plugin_cases[];

#endif
