/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* On a terminal: progress is drawn, wiped before anything is printed, and Ctrl-C leaves no trace.
 */
#include "tool/spawn.h"
#include "tool/traces.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

static char screen[SPAWN_ROOM];
static int end_status;

/* By default a terminal throws away at Ctrl-C what was printed and not yet read, which may be the
 * very answer to the Ctrl-C. */
static void keep_output_at_interrupts(int terminal)
{
    struct termios settings;
    tcgetattr(terminal, &settings);
    settings.c_lflag |= NOFLSH;
    tcsetattr(terminal, TCSANOW, &settings);
}

static _Noreturn void become_on(const char *terminal, char **argv)
{
    setsid();
    int slave = open(terminal, O_RDWR);
    keep_output_at_interrupts(slave);
    dup2(slave, STDIN_FILENO);
    dup2(slave, STDOUT_FILENO);
    dup2(slave, STDERR_FILENO);
    execv(argv[0], argv);
    _exit(121);
}

/* Reads the terminal until the program is gone; types Ctrl-C once `type_at` has been shown. */
static void watch(int master, const char *type_at)
{
    size_t used = 0;
    ssize_t size = 0;
    screen[0] = '\0';
    while (used < sizeof screen - 1 &&
           (size = read(master, screen + used, sizeof screen - 1 - used)) > 0) {
        used += (size_t)size;
        screen[used] = '\0';
        if (!type_at || !strstr(screen, type_at))
            continue;
        assert_int_equal(write(master, "\003", 1), 1);
        type_at = NULL;
    }
}

static void run_on_terminal(const char *type_at, char **argv)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    const char *terminal = ptsname(master);
    pid_t pid = fork();
    if (pid == 0)
        become_on(terminal, argv);
    watch(master, type_at);
    waitpid(pid, &end_status, 0);
    close(master);
}

static void replay_on_terminal(const char *type_at, const char *with, const char *trace)
{
    char *argv[] = { strdup(built("acre")), strdup("replay"), strdup("-r1"), strdup("-asystem"),
        strdup("-w"), strdup(with), strdup(trace), NULL };
    run_on_terminal(type_at, argv);
    for (size_t i = 0; argv[i]; i++)
        free(argv[i]);
}

/* What stands behind the last line wiped: nothing that returns to the start of its line. */
static void is_clean(const char *table)
{
    const char *last = NULL;
    for (const char *at = screen; (at = strstr(at, "\r\033[K")) != NULL; at++)
        last = at + 1;
    assert_non_null(last);
    assert_non_null(strstr(last, table));
    for (const char *at = last; (at = strchr(at, '\r')) != NULL; at++)
        assert_int_equal(at[1], '\n');
    assert_int_equal(screen[strlen(screen) - 1], '\n');
}

static void progress_is_drawn_and_wiped(void **state)
{
    const char *trace = trace_path("terminal.acre");
    (void)state;
    trace_churn(trace, 20000);
    replay_on_terminal(NULL, built("tests/test_plugin.so"), trace);
    assert_true(WIFEXITED(end_status) && WEXITSTATUS(end_status) == 0);
    /* How far it had come when the first lines were drawn is the machine's affair. */
    assert_true(strstr(screen, "\rreading the trace  ") || strstr(screen, "\rsystem: "));
    is_clean("allocator");
}

static void interrupt_leaves_a_clean_terminal(void **state)
{
    const char *trace = trace_path("terminal_hang.acre");
    (void)state;
    trace_hundred_blocks(trace);
    setenv("ACRE_TEST_FAULT", "hang", 1);
    replay_on_terminal("bump: verifying", built("tests/test_plugin.so"), trace);
    unsetenv("ACRE_TEST_FAULT");
    assert_true(WIFSIGNALED(end_status) && WTERMSIG(end_status) == SIGINT);
    is_clean("interrupted: not everything was measured");
}

/* The time left is said once a twentieth of the work is done. */
static void comparison_says_what_is_left(void **state)
{
    const char *trace = trace_path("terminal_compare.acre");
    char *argv[] = { strdup(built("acre")), strdup("compare"), strdup("-r99"), strdup("-asystem"),
        strdup(trace), NULL };
    (void)state;
    trace_churn(trace, 20000);
    run_on_terminal(NULL, argv);
    assert_true(WIFEXITED(end_status) && WEXITSTATUS(end_status) == 0);
    assert_non_null(strstr(screen, " %, about "));
    assert_non_null(strstr(screen, " left"));
    assert_non_null(strstr(screen, "first result (one replay of each): "));
    is_clean("allocator");
    for (size_t i = 0; argv[i]; i++)
        free(argv[i]);
}

static void compressed_bytes_stay_off_the_terminal(void **state)
{
    const char *trace = trace_path("terminal_convert.acre");
    char *argv[] = { strdup(built("acre")), strdup("convert"), strdup(trace), NULL };
    (void)state;
    trace_hundred_blocks(trace);
    run_on_terminal(NULL, argv);
    assert_true(WIFEXITED(end_status) && WEXITSTATUS(end_status) == 2);
    assert_non_null(
        strstr(screen, "acre convert: cannot write the compressed format to a terminal"));
    for (size_t i = 0; argv[i]; i++)
        free(argv[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(progress_is_drawn_and_wiped),
        cmocka_unit_test(interrupt_leaves_a_clean_terminal),
        cmocka_unit_test(comparison_says_what_is_left),
        cmocka_unit_test(compressed_bytes_stay_off_the_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
