/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "cli/options.h"

#include "number/number.h"
#include "registry/nearest.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define HELP_COLUMN 24

static const struct acre_option help_option = { "help", 'h', ACRE_OPTION_FLAG, NULL,
    "print this help", NULL };

/* What separates a command from "acre": nothing in the name of a program of its own. */
static const char *command_separator(const char *command)
{
    return *command && *command != '-' ? " " : "";
}

static const char *speaker;

void acre_complain_as(const char *command)
{
    speaker = command;
}

__attribute__((format(printf, 2, 0))) static void print_complaint(
    const char *command, const char *format, va_list arguments)
{
    command = speaker ? speaker : command;
    fprintf(stderr, "acre%s%s: ", command_separator(command), command);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

void acre_complain(const char *command, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_complaint(command, format, arguments);
    va_end(arguments);
}

int acre_usage_error(const struct acre_usage *usage, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_complaint(usage->command, format, arguments);
    va_end(arguments);
    fprintf(stderr, "Try 'acre%s%s --help'.\n", command_separator(usage->command), usage->command);
    return ACRE_EXIT_USAGE;
}

int acre_usage_invalid(
    const struct acre_usage *usage, const char *what, const char *word, const char *const *words)
{
    char list[512] = "";
    const char *nearest = acre_nearest(word, words);
    for (size_t i = 0; words[i]; i++) {
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", words[i]);
    }
    return acre_usage_error(usage, "invalid %s '%s'%s%s%s (choose from %s)", what, word,
        nearest ? ", did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "", list);
}

bool acre_text_list_has(const struct acre_text_list *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], text) == 0)
            return true;
    return false;
}

static void print_option(const struct acre_option *option)
{
    char left[80];
    int length = snprintf(left, sizeof left, "  %c%c%s--%s%s%s", option->letter ? '-' : ' ',
        option->letter ? option->letter : ' ', option->letter ? ", " : "  ", option->name,
        option->argument ? "=" : "", option->argument ? option->argument : "");
    printf("%s", left);
    for (const char *line = option->help; line; length = 0) {
        if (length >= HELP_COLUMN) {
            putchar('\n');
            length = 0;
        }
        const char *end = strchr(line, '\n');
        int size = end ? (int)(end - line) : (int)strlen(line);
        printf("%*s  %.*s\n", HELP_COLUMN - length, "", size, line);
        line = end ? end + 1 : NULL;
    }
}

void acre_usage_print(const struct acre_usage *usage)
{
    printf("usage: acre%s%s [OPTION]...%s%s\n\n%s\n\noptions:\n", command_separator(usage->command),
        usage->command, *usage->operands ? " " : "", usage->operands, usage->text);
    for (const struct acre_option *option = usage->options; option->name; option++)
        print_option(option);
    print_option(&help_option);
}

/* One option as written: where its name ends, and the value given in the same word, if any. */
struct word {
    const char *name;
    size_t name_size;
    const char *value;
};

static struct word split_word(const char *argument)
{
    struct word word = { argument + 1, 1, NULL };
    if (argument[1] != '-') {
        word.value = argument[2] ? argument + 2 : NULL;
        return word;
    }
    word.name = argument + 2;
    word.name_size = strcspn(word.name, "=");
    word.value = word.name[word.name_size] ? word.name + word.name_size + 1 : NULL;
    return word;
}

static bool is_option(const struct acre_option *option, const char *argument, struct word word)
{
    if (argument[1] != '-')
        return option->letter && option->letter == argument[1];
    return strlen(option->name) == word.name_size &&
           memcmp(option->name, word.name, word.name_size) == 0;
}

static const struct acre_option *find_option(
    const struct acre_usage *usage, const char *argument, struct word word)
{
    for (const struct acre_option *option = usage->options; option->name; option++)
        if (is_option(option, argument, word))
            return option;
    return is_option(&help_option, argument, word) ? &help_option : NULL;
}

static void unknown_option(const struct acre_usage *usage, const char *argument, struct word word)
{
    const char *names[32];
    size_t count = 0;
    char typed[32] = "";
    for (const struct acre_option *option = usage->options; option->name && count < 31; option++)
        names[count++] = option->name;
    names[count] = NULL;
    if (argument[1] == '-' && word.name_size < sizeof typed)
        memcpy(typed, word.name, word.name_size);
    const char *nearest = acre_nearest(typed, names);
    int shown = argument[1] == '-' ? (int)word.name_size + 2 : 2;
    if (nearest)
        acre_usage_error(
            usage, "unknown option '%.*s', did you mean '--%s'?", shown, argument, nearest);
    else
        acre_usage_error(usage, "unknown option '%.*s'", shown, argument);
}

static bool set_number(
    const struct acre_usage *usage, const struct acre_option *option, const char *text)
{
    bool is_size = option->kind == ACRE_OPTION_SIZE;
    size_t *number = option->value;
    size_t value = 0;
    enum acre_number_status status =
        is_size ? acre_parse_size(text, &value) : acre_parse_count(text, &value);
    if (status == ACRE_NUMBER_TOO_LARGE)
        acre_usage_error(usage, "invalid --%s '%s': too large", option->name, text);
    else if (status == ACRE_NUMBER_MALFORMED)
        acre_usage_error(usage, "invalid --%s '%s' (expected a %s)", option->name, text,
            is_size ? "size in bytes, such as 64M" : "number");
    else if (value == 0)
        acre_usage_error(usage, "invalid --%s '%s': must not be 0", option->name, text);
    if (status != ACRE_NUMBER_OK || value == 0)
        return false;
    *number = value;
    return true;
}

static bool add_to_list(
    const struct acre_usage *usage, const struct acre_option *option, const char *text)
{
    struct acre_text_list *list = option->value;
    if (list->count == sizeof list->items / sizeof *list->items) {
        acre_usage_error(usage, "--%s is given more than %zu times", option->name, list->count);
        return false;
    }
    list->items[list->count++] = text;
    return true;
}

static bool set_value(
    const struct acre_usage *usage, const struct acre_option *option, const char *text)
{
    if (!*text) {
        acre_usage_error(usage, "--%s needs a value: it is empty", option->name);
        return false;
    }
    if (option->kind == ACRE_OPTION_LIST)
        return add_to_list(usage, option, text);
    if (option->kind != ACRE_OPTION_TEXT)
        return set_number(usage, option, text);
    const char **value = option->value;
    *value = text;
    return true;
}

/* Takes a flag. Of letters run together, the rest is left to be taken next. */
static enum acre_parsed take_flag(const struct acre_usage *usage, const struct acre_option *option,
    struct word word, char **argv, int *at)
{
    bool is_long = argv[*at][1] == '-';
    if (word.value && (is_long || word.value[0] == '-')) {
        acre_usage_error(usage, "--%s takes no value", option->name);
        return ACRE_PARSED_WRONG;
    }
    if (option == &help_option)
        return ACRE_PARSED_HELP;
    *(bool *)option->value = true;
    if (word.value) {
        argv[*at]++;
        argv[*at][0] = '-';
        (*at)--;
    }
    return ACRE_PARSED_OK;
}

/* Takes the option argv[*at], and the value after it when it needs one. */
static enum acre_parsed take_option(const struct acre_usage *usage, int argc, char **argv, int *at)
{
    const char *argument = argv[*at];
    struct word word = split_word(argument);
    const struct acre_option *option = find_option(usage, argument, word);
    if (!option) {
        unknown_option(usage, argument, word);
        return ACRE_PARSED_WRONG;
    }
    if (option->kind == ACRE_OPTION_FLAG)
        return take_flag(usage, option, word, argv, at);
    if (!word.value && *at + 1 < argc)
        word.value = argv[++*at];
    if (!word.value) {
        acre_usage_error(usage, "--%s needs a value: %s", option->name, option->argument);
        return ACRE_PARSED_WRONG;
    }
    return set_value(usage, option, word.value) ? ACRE_PARSED_OK : ACRE_PARSED_WRONG;
}

enum acre_parsed acre_options_parse(const struct acre_usage *usage, int *argc, char **argv)
{
    int operands = 0;
    bool options_over = false;
    for (int at = 1; at < *argc; at++) {
        bool operand = options_over || argv[at][0] != '-' || !argv[at][1];
        if (operand) {
            options_over |= usage->runs_command;
            argv[operands++] = argv[at];
            continue;
        }
        if (strcmp(argv[at], "--") == 0) {
            options_over = true;
            continue;
        }
        enum acre_parsed parsed = take_option(usage, *argc, argv, &at);
        if (parsed == ACRE_PARSED_HELP)
            acre_usage_print(usage);
        if (parsed != ACRE_PARSED_OK)
            return parsed;
    }
    argv[operands] = NULL;
    *argc = operands;
    return ACRE_PARSED_OK;
}
