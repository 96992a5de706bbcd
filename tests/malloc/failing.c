/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Preloaded before the drop-in malloc: refuses the k-th request for memory. The drop-in enters the
 * kernel itself where it knows the machine, so requests are caught by a seccomp filter, which
 * raises SIGSYS; elsewhere it uses syscall(2), which is replaced.
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

void failing_arm(int k);
int failing_fired(void);

static int left;
static int fired;

/* Whether one was refused since. */
int failing_fired(void)
{
    return fired;
}

static int refuses(long number)
{
    int asks = number == SYS_mmap || number == SYS_mprotect || number == SYS_munmap ||
               number == SYS_madvise || number == SYS_mremap;
    if (!asks || left == 0 || --left != 0)
        return 0;
    fired = 1;
    return 1;
}

#if defined(__x86_64__) || defined(__aarch64__)
/* failing_call(number, a, b, c, d, e, f): the one place from which the filter lets requests pass. */
long failing_call(long number, ...);
extern const char failing_call_end[];

#if defined(__x86_64__)
__asm__(".text\n"
        ".hidden failing_call\n"
        ".hidden failing_call_end\n"
        ".globl failing_call, failing_call_end\n"
        "failing_call:\n"
        "mov %rdi, %rax\nmov %rsi, %rdi\nmov %rdx, %rsi\nmov %rcx, %rdx\n"
        "mov %r8, %r10\nmov %r9, %r8\nmov 8(%rsp), %r9\n"
        "syscall\n"
        "failing_call_end:\n"
        "ret\n");
#define ARCHITECTURE AUDIT_ARCH_X86_64
#define RESULT(context) (context)->uc_mcontext.gregs[REG_RAX]
#define ARGUMENTS(context)                                                                         \
    (context)->uc_mcontext.gregs[REG_RDI], (context)->uc_mcontext.gregs[REG_RSI],                  \
        (context)->uc_mcontext.gregs[REG_RDX], (context)->uc_mcontext.gregs[REG_R10],              \
        (context)->uc_mcontext.gregs[REG_R8], (context)->uc_mcontext.gregs[REG_R9]
#else
__asm__(".text\n"
        ".hidden failing_call\n"
        ".hidden failing_call_end\n"
        ".globl failing_call, failing_call_end\n"
        "failing_call:\n"
        "mov x8, x0\nmov x0, x1\nmov x1, x2\nmov x2, x3\nmov x3, x4\nmov x4, x5\nmov x5, x6\n"
        "svc 0\n"
        "failing_call_end:\n"
        "ret\n");
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#define RESULT(context) (context)->uc_mcontext.regs[0]
#define ARGUMENTS(context)                                                                         \
    (context)->uc_mcontext.regs[0], (context)->uc_mcontext.regs[1],                                \
        (context)->uc_mcontext.regs[2], (context)->uc_mcontext.regs[3],                            \
        (context)->uc_mcontext.regs[4], (context)->uc_mcontext.regs[5]
#endif

static void decide(int number, siginfo_t *info, void *argument)
{
    ucontext_t *context = argument;
    long call = info->si_syscall;
    RESULT(context) = refuses(call) ? -ENOMEM : failing_call(call, ARGUMENTS(context));
}

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define TRAP_IF(call)                                                                              \
    BPF_JUMP(BPF_JMP | BPF_JEQ, SYS_##call, 0, 1), BPF_STMT(BPF_RET, SECCOMP_RET_TRAP)

static void catch_requests(void)
{
    uint64_t pass = (uint64_t)(uintptr_t)failing_call_end;
    struct sock_filter filter[] = {
        LOAD(instruction_pointer),
        BPF_JUMP(BPF_JMP | BPF_JEQ, (uint32_t)pass, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, instruction_pointer) + 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ, (uint32_t)(pass >> 32), 0, 1),
        BPF_STMT(BPF_RET, SECCOMP_RET_ALLOW),
        LOAD(arch),
        BPF_JUMP(BPF_JMP | BPF_JEQ, ARCHITECTURE, 1, 0),
        BPF_STMT(BPF_RET, SECCOMP_RET_ALLOW),
        LOAD(nr),
        TRAP_IF(mmap),
        TRAP_IF(mprotect),
        TRAP_IF(munmap),
        TRAP_IF(madvise),
        TRAP_IF(mremap),
        BPF_STMT(BPF_RET, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof filter / sizeof *filter, filter };
    struct sigaction action = { .sa_sigaction = decide, .sa_flags = SA_SIGINFO | SA_NODEFER };
    if (sigaction(SIGSYS, &action, NULL) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        abort();
}
#else
static void catch_requests(void)
{
}

long syscall(long sysno, ...)
{
    static long (*real)(long, ...);
    long a[6];
    va_list list;
    va_start(list, sysno);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(list, long);
    va_end(list);
    if (refuses(sysno)) {
        errno = ENOMEM;
        return -1;
    }
    if (real == NULL)
        real = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
    return real(sysno, a[0], a[1], a[2], a[3], a[4], a[5]);
}
#endif

/* From now on the k-th request is refused; 0: none. */
void failing_arm(int k)
{
    static int caught;
    left = 0;
    if (!caught)
        catch_requests();
    caught = 1;
    left = k;
    fired = 0;
}

__attribute__((constructor)) static void start(void)
{
    const char *at = getenv("FAIL_AT");
    if (at != NULL)
        failing_arm((int)strtol(at, NULL, 10));
}
