/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* acre record: every allocation call of a command, its threads and its children, in a trace. */
#include "cli/options.h"
#include "tool/command.h"
#include "tool/record/launch.h"
#include "tool/record/spool.h"

#include <cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PRELOAD "libacre-record.so"

enum {
    /* Pauses between two looks at rings that were empty: they double from the first to the last. */
    PAUSE_FIRST_NS = 200000,
    PAUSE_LAST_NS = 3200000,
    /* Events in one look below which there is no hurry. */
    CALM = 2048,
    REAP_EVERY_NS = 50000000,
    /* How much of the record is lost at most when the recorder is killed. */
    FLUSH_EVERY_NS = 250000000
};

struct record_options {
    const char *output;
    size_t buffer;
    bool quiet;
    bool json;
    bool times;
    bool wait;
};

/* ---- collecting ---- */

static int64_t wall_clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* When what is done now and then was done last. */
struct pace {
    long pause;
    int64_t reaped, flushed;
};

static bool is_time(int64_t *last, int64_t every)
{
    const int64_t now = wall_clock_ns();

    if (now - *last <= every)
        return false;
    *last = now;
    return true;
}

/* One look at the rings, and a pause as long as they allow. */
static void collect_once(struct spool *spool, struct pace *pace)
{
    const size_t events = spool_poll(spool);

    if (is_time(&pace->reaped, REAP_EVERY_NS))
        spool_reap(spool);
    if (is_time(&pace->flushed, FLUSH_EVERY_NS))
        spool_flush(spool);
    if (events >= CALM) {
        pace->pause = PAUSE_FIRST_NS;
        return;
    }
    nanosleep(&(struct timespec){ 0, pace->pause }, NULL);
    pace->pause = events || pace->pause >= PAUSE_LAST_NS ? pace->pause : pace->pause * 2;
}

/* Reads until the command has ended (with `wait`, until its children have too). */
static int collect(struct spool *spool, pid_t pid, bool wait)
{
    struct pace pace = { PAUSE_FIRST_NS, wall_clock_ns(), wall_clock_ns() };
    int code = 0;

    while (!launch_has_ended(pid, &code))
        collect_once(spool, &pace);
    while (wait && launch_has_descendants())
        collect_once(spool, &pace);
    spool_finish(spool);
    return code;
}

/* ---- reporting ---- */

static off_t size_of(const char *path)
{
    struct stat about;

    return stat(path, &about) == 0 && S_ISREG(about.st_mode) ? about.st_size : 0;
}

static void print_json(const char *path, const struct spool_summary *sum, int code)
{
    const off_t bytes = size_of(path);
    cJSON *object = cJSON_CreateObject();
    char *text;

    cJSON_AddStringToObject(object, "file", path);
    cJSON_AddNumberToObject(object, "exit_code", code);
    cJSON_AddNumberToObject(object, "events", (double)sum->totals.events);
    cJSON_AddNumberToObject(object, "processes", (double)sum->totals.processes);
    cJSON_AddNumberToObject(object, "threads", (double)sum->threads);
    cJSON_AddNumberToObject(object, "lost", (double)sum->totals.lost);
    cJSON_AddNumberToObject(object, "unmatched", (double)sum->totals.unmatched);
    cJSON_AddNumberToObject(object, "bytes", (double)bytes);
    text = cJSON_PrintUnformatted(object);
    fprintf(stderr, "%s\n", text ? text : "{}");
    cJSON_free(text);
    cJSON_Delete(object);
}

static const char *counted_word(uint64_t count, const char *one, const char *many)
{
    return count == 1 ? one : many;
}

static void print_line(const char *path, const struct spool_summary *sum)
{
    const struct acre_trace_totals *totals = &sum->totals;
    const off_t bytes = size_of(path);

    fprintf(stderr, "acre record: %llu %s, %llu %s, %llu %s", (unsigned long long)totals->events,
        counted_word(totals->events, "event", "events"), (unsigned long long)totals->processes,
        counted_word(totals->processes, "process", "processes"), (unsigned long long)sum->threads,
        counted_word(sum->threads, "thread", "threads"));
    if (totals->lost || totals->unmatched)
        fprintf(stderr, ", %llu lost, %llu unmatched", (unsigned long long)totals->lost,
            (unsigned long long)totals->unmatched);
    if (bytes && totals->events)
        fprintf(stderr, "; %lld bytes, %.2f per event", (long long)bytes,
            (double)bytes / (double)totals->events);
    fprintf(stderr, " -> %s\n", strcmp(path, "-") == 0 ? "standard output" : path);
}

/* Says what is missing from the trace, and why. */
static void explain_gaps(
    const struct spool_summary *sum, const struct record_options *options, const char *command)
{
    const char *obstacle = sum->totals.events ? NULL : launch_own_malloc(command);

    if (obstacle)
        acre_complain("record", "recorded no call of '%s': %s", command, obstacle);
    if (sum->failed)
        acre_complain("record", "could not record %llu %s: %s", (unsigned long long)sum->failed,
            counted_word(sum->failed, "process", "processes"), strerror(sum->refusal));
    if (sum->running && !options->wait)
        acre_complain("record",
            "%llu recorded %s still running; use --wait to record until they exit",
            (unsigned long long)sum->running,
            counted_word(sum->running, "process is", "processes are"));
}

/* A recording that is being made. */
struct recording {
    const struct record_options *options;
    const char *command;
    bool made;     /* the trace's file is new */
    bool recorded; /* there is something in it */
    struct spool spool;
};

static void cannot_write(const char *path, int error, const char *rest)
{
    acre_complain("record", "cannot write '%s': %s%s", path, strerror(error), rest);
}

/* Completes the trace and says what is in it. Returns the exit code of the tool. */
static int conclude(struct recording *recording, int code)
{
    const struct record_options *options = recording->options;
    const struct spool_summary sum = spool_summarise(&recording->spool);
    int error;

    recording->recorded = sum.images > 0;
    if (sum.images == 0) {
        acre_complain("record", "recorded nothing of '%s': %s", recording->command,
            sum.failed ? strerror(sum.refusal) : launch_explain(recording->command));
        return code ? code : ACRE_RECORD_FAILED;
    }
    explain_gaps(&sum, options, recording->command);
    if (sum.failure)
        acre_complain("record", "a process stopped recording early: %s", strerror(sum.failure));
    error = spool_complete(&recording->spool);
    if (error) {
        cannot_write(options->output, error,
            size_of(options->output) ? "; it has the calls recorded before" : "");
        return ACRE_RECORD_FAILED;
    }
    if (options->json)
        print_json(options->output, &sum, code);
    else if (!options->quiet)
        print_line(options->output, &sum);
    return code;
}

/* ---- the run ---- */

static bool is_standard_output(const char *path)
{
    return strcmp(path, "-") == 0;
}

/* Opens the trace's file, what is in it left alone. Says in `*made` whether it is new. @return -1:
 * cannot. */
static int open_trace(const char *path, bool *made)
{
    int fd;

    *made = false;
    if (is_standard_output(path) && isatty(STDOUT_FILENO)) {
        acre_complain("record", "standard output is a terminal; a trace is not text");
        return -1;
    }
    if (!is_standard_output(path))
        *made = access(path, F_OK) != 0;
    fd = is_standard_output(path) ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
                                  : open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        cannot_write(path, errno, "");
    return fd;
}

static int cannot_start(const char *command, bool cannot_execute)
{
    const int error = errno;

    acre_complain("record", "cannot run '%s': %s", command, strerror(error));
    if (!cannot_execute)
        return ACRE_RECORD_FAILED;
    return error == ENOENT ? ACRE_EXIT_NOT_FOUND : ACRE_EXIT_CANNOT_EXECUTE;
}

static int record_into(struct recording *recording, const char *library, char **argv)
{
    const struct record_options *options = recording->options;
    bool cannot_execute;
    pid_t pid;

    /* From now on there is a trace, if the recorder is killed too. */
    if (recording->made && !spool_file_begin(&recording->spool.file)) {
        cannot_write(options->output, recording->spool.file.error, "");
        return ACRE_RECORD_FAILED;
    }
    if (options->wait)
        launch_adopt_orphans();
    if (is_standard_output(options->output))
        launch_keep_output_apart();
    pid = launch(argv, library, SPOOL_FOLDER_VARIABLE, recording->spool.folder, &cannot_execute);
    if (pid < 0)
        return cannot_start(argv[0], cannot_execute);
    return conclude(recording, collect(&recording->spool, pid, options->wait));
}

static int record_command(const struct record_options *options, char **argv)
{
    struct recording recording = { .options = options, .command = argv[0] };
    char library[ACRE_PATH_ROOM];
    int fd, error, code;

    const char *foreign = launch_is_foreign(argv[0]) ? launch_refusal(argv[0]) : NULL;
    if (foreign) {
        acre_complain("record", "'%s' cannot be recorded: %s", argv[0], foreign);
        return ACRE_RECORD_FAILED;
    }
    if (!acre_find_preload("record", library, PRELOAD))
        return ACRE_RECORD_FAILED;
    fd = open_trace(options->output, &recording.made);
    if (fd < 0)
        return ACRE_RECORD_FAILED;
    error = spool_open(&recording.spool, fd, options->buffer, options->times);
    if (error) {
        acre_complain("record", "cannot create the spool folder: %s", strerror(error));
        code = ACRE_RECORD_FAILED;
    } else {
        code = record_into(&recording, library, argv);
        spool_close(&recording.spool);
    }
    if (recording.made && !recording.recorded)
        unlink(options->output);
    return code;
}

int acre_cmd_record(int argc, char **argv)
{
    struct record_options chosen = { .output = "trace.acre", .buffer = (size_t)4 << 20 };
    const struct acre_option options[] = {
        { "output", 'o', ACRE_OPTION_TEXT, "FILE",
            "trace file to write (default: trace.acre;\n'-': standard output)", &chosen.output },
        { "buffer", 'b', ACRE_OPTION_SIZE, "SIZE", "buffer for events, per process (default: 4M)",
            &chosen.buffer },
        { "times", 't', ACRE_OPTION_FLAG, NULL, "record the time of each call", &chosen.times },
        { "wait", 'w', ACRE_OPTION_FLAG, NULL,
            "continue until the command's children have exited too", &chosen.wait },
        { "quiet", 'q', ACRE_OPTION_FLAG, NULL, "do not print a summary", &chosen.quiet },
        { "json", 0, ACRE_OPTION_FLAG, NULL, "print the summary as JSON", &chosen.json },
        { .name = NULL },
    };
    const struct acre_usage usage = { "record", "[--] COMMAND [ARGUMENT]...",
        "Runs COMMAND and records every allocation call of COMMAND, its threads and its\n"
        "child processes. COMMAND must be dynamically linked; its standard streams are\n"
        "untouched, but with '-o -' it writes to standard error what it would write to\n"
        "standard output. A summary goes to standard error. Exits with COMMAND's exit\n"
        "code, or 128 plus the signal that killed it; with 127 when COMMAND is not found,\n"
        "126 when it cannot be executed, 125 when it cannot be recorded.",
        options, true };
    enum acre_parsed parsed = acre_options_parse(&usage, &argc, argv);

    /* A reader of the trace that goes away is an error to report. */
    launch_ignore_signal(SIGPIPE);
    if (parsed != ACRE_PARSED_OK)
        return parsed == ACRE_PARSED_HELP ? ACRE_EXIT_OK : ACRE_EXIT_USAGE;
    if (argc == 0)
        return acre_usage_error(&usage, "no command given");
    return record_command(&chosen, argv);
}
