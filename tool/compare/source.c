/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/compare/source.h"

#include "cli/options.h"
#include "replay/child.h"
#include "tool/command.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int compare_record_command(char **program, const char *path)
{
    char words[][16] = { "record", "--quiet", "--times", "--output", "--" };
    char *output = strdup(path);
    size_t count = 0;
    int argc = 0;
    int code = ACRE_EXIT_FAILED;
    while (program[count])
        count++;
    char **argv = calloc(count + 7, sizeof *argv);
    if (argv && output) {
        argv[argc++] = words[0];
        argv[argc++] = words[1];
        argv[argc++] = words[2];
        argv[argc++] = words[3];
        argv[argc++] = output;
        argv[argc++] = words[4];
        memcpy(argv + argc, program, count * sizeof *argv);
        code = acre_cmd_record(argc + (int)count, argv);
    }
    free(argv);
    free(output);
    return code;
}

double compare_children_ns(void)
{
    struct rusage usage;
    if (getrusage(RUSAGE_CHILDREN, &usage) != 0)
        return 0.0;
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e9 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e3;
}

/* In a process of its own, which has no other children. @return the exit code. */
static int produce(const struct compare_source *source, double *busy_ns)
{
    acre_complain_as("compare");
    if (source->program) {
        int code = compare_record_command(source->program, source->path);
        if (busy_ns)
            *busy_ns = compare_children_ns();
        return code;
    }
    if (compare_scenario_write(source->scenario, source->path))
        return ACRE_EXIT_OK;
    acre_complain("compare", "cannot write '%s': %s", source->path, strerror(errno));
    return ACRE_EXIT_FAILED;
}

static bool has_trace(const struct compare_source *source)
{
    struct stat about;
    return stat(source->path, &about) == 0 && (!S_ISREG(about.st_mode) || about.st_size > 0);
}

/* Evaluates how the process that makes the trace has ended. It has reported its errors itself,
 * unless it was killed. @return the exit code; that of a command that cannot be run is passed
 * on. */
static int check_made(const struct compare_source *source, int status)
{
    if (!WIFEXITED(status)) {
        bool used = source->program && has_trace(source);
        acre_complain("compare", "the recording was killed by signal %d%s", WTERMSIG(status),
            used ? "; comparing the calls recorded until then" : "");
        return used ? ACRE_EXIT_OK : ACRE_EXIT_FAILED;
    }
    if (!has_trace(source) || (source->scenario && WEXITSTATUS(status) != 0))
        return WEXITSTATUS(status) == ACRE_EXIT_NOT_FOUND ||
                       WEXITSTATUS(status) == ACRE_EXIT_CANNOT_EXECUTE
                   ? WEXITSTATUS(status)
                   : ACRE_EXIT_FAILED;
    if (WEXITSTATUS(status) != 0)
        acre_complain("compare", "'%s' ended with code %d; comparing its allocations anyway",
            source->program[0], WEXITSTATUS(status));
    return ACRE_EXIT_OK;
}

/* Runs and records the command, or generates the scenario. An interrupt typed meanwhile goes to the
 * command; its allocations until then are compared. */
static int make_trace(struct compare_source *source)
{
    int status = 0;
    double *busy_ns = replay_map_shared(sizeof *busy_ns);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        _exit(produce(source, busy_ns));
    if (pid < 0) {
        acre_complain("compare", "cannot start a process: %s", strerror(errno));
        return ACRE_EXIT_FAILED;
    }
    signal(SIGINT, SIG_IGN);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (busy_ns) {
        source->busy_ns = *busy_ns;
        munmap(busy_ns, sizeof *busy_ns);
    }
    return check_made(source, status);
}

bool compare_name_trace(struct compare_source *source)
{
    const char *folder = getenv("TMPDIR");
    if (!folder || !*folder || strlen(folder) > sizeof source->made - 24)
        folder = "/tmp";
    snprintf(source->made, sizeof source->made, "%s/acre-compare-XXXXXX", folder);
    int file = mkstemp(source->made);
    if (file < 0) {
        acre_complain("compare", "cannot create '%s': %s", source->made, strerror(errno));
        source->made[0] = '\0';
        return false;
    }
    close(file);
    source->path = source->made;
    return true;
}

int compare_make_trace(struct compare_source *source)
{
    if (!source->path && !compare_name_trace(source))
        return ACRE_EXIT_FAILED;
    return make_trace(source);
}
