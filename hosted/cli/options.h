/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Command lines: one table per subcommand gives the parser and the help text.
 */
#ifndef ACRE_HOSTED_CLI_OPTIONS_H
#define ACRE_HOSTED_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

/** Exit codes of the tool itself; `run` and `record` else end as the command they ran. */
enum acre_exit {
    ACRE_EXIT_OK = 0,
    ACRE_EXIT_FAILED = 1, /**< The work could not be done, or found something wrong. */
    ACRE_EXIT_USAGE = 2,  /**< The command line is wrong; nothing was done. */
    ACRE_EXIT_CANNOT_EXECUTE = 126,
    ACRE_EXIT_NOT_FOUND = 127
};

/** What an option takes, and what its `value` points to. */
enum acre_option_kind {
    ACRE_OPTION_FLAG,  /**< Nothing; bool. */
    ACRE_OPTION_TEXT,  /**< Any text but an empty one; const char *. */
    ACRE_OPTION_SIZE,  /**< Bytes with K, M, G, T; size_t. Zero is refused. */
    ACRE_OPTION_COUNT, /**< Decimal number, at least 1; size_t. */
    ACRE_OPTION_LIST   /**< Text, each use adds one; struct acre_text_list. */
};

#define ACRE_TEXT_LIST_MOST 64

/** Texts given by a repeated option, in order. The texts are argv's. */
struct acre_text_list {
    const char *items[ACRE_TEXT_LIST_MOST];
    size_t count;
};

/** One option. A table of them ends with a null name; `--help` is understood without an entry. */
struct acre_option {
    const char *name; /**< Without the dashes. */
    char letter;      /**< Short form, or 0. */
    enum acre_option_kind kind;
    const char *argument; /**< What the help calls the value; null for a flag. */
    const char *help;     /**< What it does; a newline starts a new line of the column. */
    void *value;          /**< Where the value goes, as `kind` says. */
};

/** A subcommand's command line. */
struct acre_usage {
    const char *command;  /**< Its name; "-bench" is that of the program acre-bench. */
    const char *operands; /**< What follows the options, for the usage line; "" for nothing. */
    const char *text;     /**< What it does, for the help; lines of at most 79 columns. */
    const struct acre_option *options;
    bool runs_command; /**< Options end at the first operand: the rest belongs to a command. */
};

/** What acre_options_parse() came to. */
enum acre_parsed {
    ACRE_PARSED_OK,
    ACRE_PARSED_HELP, /**< The help was asked for and has been printed: exit 0. */
    ACRE_PARSED_WRONG /**< A message has been printed: exit ACRE_EXIT_USAGE. */
};

/**
 * Parses argv[1..argc). `--name=VALUE`, `--name VALUE`, `-xVALUE`, `-x VALUE`, flags' letters run
 * together; `--` ends the options.
 * @param argc,argv as main gets them, argv[0] being the subcommand; on ACRE_PARSED_OK they are left
 *        with the operands alone, in order, ended by a null.
 */
enum acre_parsed acre_options_parse(const struct acre_usage *usage, int *argc, char **argv);

/** Whether the list has such a text. */
bool acre_text_list_has(const struct acre_text_list *list, const char *text);

/** Prints the help of a subcommand on standard output. */
void acre_usage_print(const struct acre_usage *usage);

/** Prints "acre COMMAND: message" on standard error, formatted as by printf. */
void acre_complain(const char *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** From now on every complaint of this process is that of `command`; null: of its own. */
void acre_complain_as(const char *command);

/**
 * Complains of a word that is none of `words` (ended by a null): names what was probably meant, and
 * all of them. `what` stands before it: "scenario", "--by". @return ACRE_EXIT_USAGE.
 */
int acre_usage_invalid(
    const struct acre_usage *usage, const char *what, const char *word, const char *const *words);

/** acre_complain(), and a line that points to the help. @return ACRE_EXIT_USAGE. */
int acre_usage_error(const struct acre_usage *usage, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
