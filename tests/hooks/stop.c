/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What misuse comes to unless a program says otherwise: one line, and the end. */
#include "support/naive.h"

#include <acre/hooks/hook.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { POOL = 1 << 14 };

static _Alignas(4096) unsigned char memory[POOL];

static _Noreturn void free_twice(int errors)
{
    static struct naive naive;
    struct acre_bytes pool = { &naive_ops, &naive };
    dup2(errors, STDERR_FILENO);
    setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
    signal(SIGABRT, SIG_DFL);
    if (acre_bytes_init(pool, memory, POOL) != ACRE_OK)
        _exit(0);
    void *ptr = acre_hook_malloc(pool, 100);
    acre_hook_free(pool, ptr, "library: free");
    acre_hook_free(pool, ptr, "library: free");
    _exit(0);
}

static void one_line_then_abort(void **state)
{
    int ends[2];
    int status;
    char said[256] = "";
    (void)state;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0)
        free_twice(ends[1]);
    close(ends[1]);
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    ssize_t length = read(ends[0], said, sizeof said - 1);
    close(ends[0]);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_true(length > 0 && said[length - 1] == '\n');
    assert_ptr_equal(strchr(said, '\n'), &said[length - 1]);
    assert_ptr_equal(strstr(said, "acre: library: free: 0x"), said);
    assert_non_null(strstr(said, acre_status_text(ACRE_NOT_ALLOCATED)));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(one_line_then_abort) };
    return cmocka_run_group_tests_name("hook stop", tests, NULL, NULL);
}
