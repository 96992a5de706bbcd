/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Counts instructions by stepping. The process runs freely up to a trap, then one instruction at a
 * time up to the next one, in turn. A trap tells itself from a step by its signal's code. Counted
 * are the instructions that run while the stack pointer is below where it was at the trap: those of
 * the function called, from its first to its return, and none of the harness.
 */
#include "job.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

/* What one backend may take; those that need more are counted over fewer operations. */
static const uint64_t steps_max = 8000000;

enum stop { STOP_ENDED, STOP_TRAP, STOP_STEP, STOP_OTHER };

static enum stop wait_for_stop(int pid, int *signal)
{
    int status;
    siginfo_t info;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return STOP_ENDED;
    *signal = 0;
    if (!WIFSTOPPED(status))
        return STOP_ENDED;
    if (WSTOPSIG(status) != SIGTRAP) {
        *signal = WSTOPSIG(status) == SIGSTOP ? 0 : WSTOPSIG(status);
        return STOP_OTHER;
    }
    if (ptrace(PTRACE_GETSIGINFO, pid, NULL, &info))
        return STOP_ENDED;
    return info.si_code == TRAP_TRACE ? STOP_STEP : STOP_TRAP;
}

static uintptr_t stack_pointer(int pid)
{
#if defined(__x86_64__)
    return (uintptr_t)ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user, regs.rsp), NULL);
#else
    (void)pid;
    return 0;
#endif
}

enum step { STEP_DONE, STEP_TRAPPED, STEP_ENDED };

/* Steps until the function called has returned (done), or up to the trap behind a call that was
 * compiled in place, which counts as none. */
static enum step count_steps(int pid, uint32_t *count)
{
    int signal = 0;
    uintptr_t base = stack_pointer(pid);
    for (*count = 0;;) {
        bool inside = stack_pointer(pid) < base;
        if (*count && !inside)
            return STEP_DONE;
        *count += inside;
        if (ptrace(PTRACE_SINGLESTEP, pid, NULL, (void *)(intptr_t)signal))
            return STEP_ENDED;
        enum stop stop = wait_for_stop(pid, &signal);
        if (stop == STOP_TRAP)
            return STEP_TRAPPED;
        if (stop == STOP_ENDED)
            return STEP_ENDED;
    }
}

static bool run_to_trap(int pid)
{
    int signal = 0;
    for (;;) {
        if (ptrace(PTRACE_CONT, pid, NULL, (void *)(intptr_t)signal))
            return false;
        enum stop stop = wait_for_stop(pid, &signal);
        if (stop == STOP_TRAP)
            return true;
        if (stop == STOP_ENDED)
            return false;
    }
}

size_t bench_job_step(int pid, uint32_t *counts, size_t room)
{
    int signal;
    size_t filled = 0;
    uint64_t steps = 0;
    if (wait_for_stop(pid, &signal) == STOP_ENDED)
        return 0;
    while (filled < room && steps < steps_max && run_to_trap(pid)) {
        enum step step = count_steps(pid, &counts[filled]);
        if (step == STEP_ENDED || (step == STEP_DONE && !run_to_trap(pid)))
            break;
        steps += counts[filled++];
    }
    ptrace(PTRACE_DETACH, pid, NULL, NULL);
    return filled;
}
