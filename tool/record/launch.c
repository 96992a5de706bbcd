/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/record/launch.h"

#include "tool/command.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

/* ---- signals ---- */

/* A terminal sends the first two to the command as well; the others come for the tool alone. */
static const int signals[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2 };

enum { SIGNALS = sizeof signals / sizeof *signals };

static volatile sig_atomic_t command_pid;
static volatile sig_atomic_t early_signal; /* came before there was a command to send it to */

static void pass_on(int number, siginfo_t *about, void *context)
{
    const int error = errno;

    (void)context;
    if (command_pid > 0 && about->si_code <= 0)
        kill((pid_t)command_pid, number);
    else if (command_pid == 0 && about->si_code <= 0)
        early_signal = number;
    errno = error;
}

/* Signals that are ignored, and the dispositions that a command gets back. */
static struct {
    int number;
    struct sigaction before;
} ignored[2];
static size_t ignored_count;

void launch_ignore_signal(int number)
{
    const struct sigaction ignore = { .sa_handler = SIG_IGN };

    if (ignored_count == sizeof ignored / sizeof *ignored)
        return;
    ignored[ignored_count].number = number;
    sigaction(number, &ignore, &ignored[ignored_count].before);
    ignored_count++;
}

void launch_restore_signals(void)
{
    for (size_t i = 0; i < ignored_count; i++)
        sigaction(ignored[i].number, &ignored[i].before, NULL);
}

static void wake(int number)
{
    (void)number;
}

/** Sets the handlers; `before` receives the dispositions that the command gets back. */
static void catch_signals(struct sigaction before[SIGNALS])
{
    struct sigaction passing = { .sa_sigaction = pass_on, .sa_flags = SA_SIGINFO };
    struct sigaction waking = { .sa_handler = wake };

    for (int i = 0; i < SIGNALS; i++) {
        sigaction(signals[i], NULL, &before[i]);
        if (before[i].sa_handler != SIG_IGN)
            sigaction(signals[i], &passing, NULL);
    }
    sigaction(SIGCHLD, &waking, NULL);
}

/* ---- the command ---- */

static bool set_preload(const char *library)
{
    const char *before = getenv("LD_PRELOAD");
    char *both = NULL;
    bool set;

    if (!before || !*before)
        return setenv("LD_PRELOAD", library, 1) == 0;
    if (asprintf(&both, "%s:%s", library, before) < 0)
        return false;
    set = setenv("LD_PRELOAD", both, 1) == 0;
    free(both);
    return set;
}

static bool output_apart;

void launch_keep_output_apart(void)
{
    output_apart = true;
}

struct environment {
    const char *library;
    const char *variable;
    const char *value;
};

/** In the child: becomes the command, or writes errno to `report` and ends. */
static _Noreturn void become(char **argv, const struct environment *environment,
    const struct sigaction before[SIGNALS], int report)
{
    int error;

    for (int i = 0; i < SIGNALS; i++)
        sigaction(signals[i], &before[i], NULL);
    signal(SIGCHLD, SIG_DFL);
    launch_restore_signals();
    if (output_apart)
        dup2(STDERR_FILENO, STDOUT_FILENO);
    if (set_preload(environment->library) &&
        setenv(environment->variable, environment->value, 1) == 0)
        execvp(argv[0], argv);
    error = errno;
    if (write(report, &error, sizeof error) < 0)
        _exit(ACRE_RECORD_FAILED);
    _exit(ACRE_RECORD_FAILED);
}

/** What the child reported: 0 once it has become the command. */
static int await_exec(int report)
{
    int error = 0;
    ssize_t got;

    do {
        got = read(report, &error, sizeof error);
    } while (got < 0 && errno == EINTR);
    close(report);
    return got == (ssize_t)sizeof error ? error : 0;
}

pid_t launch(
    char **argv, const char *library, const char *variable, const char *value, bool *cannot_execute)
{
    const struct environment environment = { library, variable, value };
    struct sigaction before[SIGNALS];
    int report[2], error;
    pid_t pid;

    *cannot_execute = false;
    if (pipe2(report, O_CLOEXEC) != 0)
        return -1;
    catch_signals(before);
    pid = fork();
    if (pid == 0)
        become(argv, &environment, before, report[1]);
    close(report[1]);
    if (pid < 0) {
        close(report[0]);
        return -1;
    }
    command_pid = pid;
    error = await_exec(report[0]);
    if (!error && early_signal)
        kill(pid, early_signal);
    if (!error)
        return pid;
    command_pid = -1;
    waitpid(pid, NULL, 0);
    *cannot_execute = true;
    errno = error;
    return -1;
}

bool launch_has_ended(pid_t pid, int *code)
{
    int status;

    if (waitpid(pid, &status, WNOHANG) != pid)
        return false;
    command_pid = -1;
    *code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return true;
}

void launch_adopt_orphans(void)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

bool launch_has_descendants(void)
{
    pid_t pid;

    do {
        pid = waitpid(-1, NULL, WNOHANG);
    } while (pid > 0);
    return pid == 0;
}

/* ---- why not ---- */

/** Opens `command` as execvp finds it; -1 when it cannot be read. */
static int open_command(const char *command, struct stat *about)
{
    const char *from = strchr(command, '/') ? "" : getenv("PATH");
    char path[4096];

    for (const char *end; from; from = *end ? end + 1 : NULL) {
        int fd;

        end = strchrnul(from, ':');
        snprintf(
            path, sizeof path, "%.*s%s%s", (int)(end - from), from, end > from ? "/" : "", command);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0 && fstat(fd, about) == 0 && S_ISREG(about->st_mode))
            return fd;
        if (fd >= 0)
            close(fd);
    }
    return -1;
}

/** Whether the ELF file names a dynamic linker; true for what is not ELF of this machine's class.
 */
static bool names_linker(int fd)
{
    const unsigned char class = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;
    union {
        Elf64_Ehdr wide;
        Elf32_Ehdr narrow;
        unsigned char bytes[EI_NIDENT];
    } header;
    size_t count, size;
    off_t at;

    if (pread(fd, &header, sizeof header, 0) < (ssize_t)sizeof header.narrow ||
        memcmp(header.bytes, ELFMAG, SELFMAG) != 0 || header.bytes[EI_CLASS] != class)
        return true;
    count = class == ELFCLASS64 ? header.wide.e_phnum : header.narrow.e_phnum;
    size = class == ELFCLASS64 ? header.wide.e_phentsize : header.narrow.e_phentsize;
    at = (off_t)(class == ELFCLASS64 ? header.wide.e_phoff : header.narrow.e_phoff);
    for (size_t i = 0; i < count; i++) {
        uint32_t type;

        if (pread(fd, &type, sizeof type, at + (off_t)(i * size)) == (ssize_t)sizeof type &&
            type == PT_INTERP)
            return true;
    }
    return false;
}

/** Whether the ELF file is for a machine other than the one that this program is for. */
static bool names_other_machine(int fd)
{
    unsigned char header[EI_NIDENT + 4], own[sizeof header];
    int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    bool known = self >= 0 && pread(self, own, sizeof own, 0) == (ssize_t)sizeof own &&
                 pread(fd, header, sizeof header, 0) == (ssize_t)sizeof header &&
                 memcmp(header, ELFMAG, SELFMAG) == 0;

    if (self >= 0)
        close(self);
    return known && (header[EI_CLASS] != own[EI_CLASS] || header[EI_DATA] != own[EI_DATA] ||
                        memcmp(header + EI_NIDENT + 2, own + EI_NIDENT + 2, 2) != 0);
}

/** Whether the program gets rights that this process does not have, so that its dynamic linker
 * ignores LD_PRELOAD; as a clause, or null. */
static const char *raised_rights(int fd, const struct stat *about)
{
    if (((about->st_mode & S_ISUID) && about->st_uid != getuid()) ||
        ((about->st_mode & S_ISGID) && about->st_gid != getgid()))
        return "it is set-user-ID or set-group-ID, and such programs ignore LD_PRELOAD";
    if (getuid() != 0 && fgetxattr(fd, "security.capability", NULL, 0) > 0)
        return "its file has capabilities, and such programs ignore LD_PRELOAD";
    return NULL;
}

/** Whether the ELF file, of this machine's class, asks for musl's dynamic linker. */
static bool names_musl(int fd)
{
    static const char musl[] = "/lib/ld-musl-";
    ElfW(Ehdr) header;
    ElfW(Phdr) segment;
    char name[sizeof musl - 1];

    if (pread(fd, &header, sizeof header, 0) != (ssize_t)sizeof header ||
        memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_phentsize != sizeof segment)
        return false;
    for (size_t i = 0; i < header.e_phnum; i++) {
        off_t at = (off_t)(header.e_phoff + i * sizeof segment);

        if (pread(fd, &segment, sizeof segment, at) == (ssize_t)sizeof segment &&
            segment.p_type == PT_INTERP)
            return pread(fd, name, sizeof name, (off_t)segment.p_offset) == (ssize_t)sizeof name &&
                   memcmp(name, musl, sizeof name) == 0;
    }
    return false;
}

/** The bytes of a section, or null when they are not all in the file. */
static const void *elf_section(const char *file, size_t size, const ElfW(Shdr) * section)
{
    bool inside = section->sh_offset <= size && section->sh_size <= size - section->sh_offset;

    return inside && section->sh_offset % sizeof(long) == 0 ? file + section->sh_offset : NULL;
}

static bool symbols_define(
    const ElfW(Sym) * symbols, size_t count, const char *names, size_t names_size, const char *name)
{
    const size_t length = strlen(name) + 1;

    for (size_t i = 0; symbols && names && i < count; i++)
        if (symbols[i].st_shndx != SHN_UNDEF && symbols[i].st_name < names_size &&
            names_size - symbols[i].st_name >= length &&
            memcmp(names + symbols[i].st_name, name, length) == 0)
            return true;
    return false;
}

/** The dynamic symbol table's section header, and `*names` that of its strings; null: there is
 * none, or the file is not ELF of this machine's class. */
static const ElfW(Shdr) * elf_dynamic(const char *file, size_t size, const ElfW(Shdr) * *names)
{
    const unsigned char class = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;
    const ElfW(Ehdr) *header = (const void *)file;
    const ElfW(Shdr) * sections;

    if (memcmp(file, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != class ||
        header->e_shentsize != sizeof *sections || header->e_shoff % sizeof(long) != 0 ||
        header->e_shoff > size || header->e_shnum > (size - header->e_shoff) / sizeof *sections)
        return NULL;
    sections = (const void *)(file + header->e_shoff);
    for (size_t i = 0; i < header->e_shnum; i++) {
        *names = &sections[sections[i].sh_link % header->e_shnum];
        if (sections[i].sh_type == SHT_DYNSYM)
            return &sections[i];
    }
    return NULL;
}

/** The strings of a section of them, or null when they are not all in the file. */
static const char *elf_strings(const char *file, size_t size, const ElfW(Shdr) * names)
{
    bool inside = names->sh_offset <= size && names->sh_size <= size - names->sh_offset;

    return inside ? file + names->sh_offset : NULL;
}

static bool elf_defines(const char *file, size_t size, const char *name)
{
    const ElfW(Shdr) *names = NULL;
    const ElfW(Shdr) *symbols = elf_dynamic(file, size, &names);

    return symbols &&
           symbols_define(elf_section(file, size, symbols), symbols->sh_size / sizeof(ElfW(Sym)),
               elf_strings(file, size, names), names->sh_size, name);
}

/** Whether the dynamic symbol table of an ELF file of this machine's class defines `name`. */
static bool defines_symbol(int fd, const char *name)
{
    struct stat about;
    bool found = false;
    const char *file;

    if (fstat(fd, &about) != 0 || about.st_size < (off_t)sizeof(ElfW(Ehdr)))
        return false;
    file = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (file == MAP_FAILED)
        return false;
    found = elf_defines(file, (size_t)about.st_size, name);
    munmap((void *)(uintptr_t)file, (size_t)about.st_size);
    return found;
}

const char *launch_own_malloc(const char *command)
{
    struct stat about;
    int fd = open_command(command, &about);
    bool own = fd >= 0 && defines_symbol(fd, "malloc");

    if (fd >= 0)
        close(fd);
    return own ? "it defines malloc itself" : NULL;
}

/** The malloc whose library an ELF file names among the strings that its linker reads. */
static const char *elf_names_malloc(const char *file, size_t size)
{
    static const char *const mallocs[] = { "jemalloc", "mimalloc", "tcmalloc" };
    const ElfW(Shdr) *names = NULL;
    const char *strings = elf_dynamic(file, size, &names) ? elf_strings(file, size, names) : NULL;

    for (size_t i = 0; strings && i < sizeof mallocs / sizeof *mallocs; i++) {
        char library[32];

        snprintf(library, sizeof library, "lib%s", mallocs[i]);
        if (memmem(strings, names->sh_size, library, strlen(library)))
            return mallocs[i];
    }
    return NULL;
}

const char *launch_linked_malloc(const char *command)
{
    struct stat about;
    int fd = open_command(command, &about);
    const char *name = NULL;
    const char *file = MAP_FAILED;

    if (fd >= 0 && about.st_size >= (off_t)sizeof(ElfW(Ehdr)))
        file = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (file != MAP_FAILED)
        name = elf_names_malloc(file, (size_t)about.st_size);
    if (file != MAP_FAILED)
        munmap((void *)(uintptr_t)file, (size_t)about.st_size);
    if (fd >= 0)
        close(fd);
    return name;
}

const char *launch_refusal(const char *command)
{
    const char *refusal = NULL;
    struct stat about;
    int fd = open_command(command, &about);

    if (fd < 0)
        return NULL;
    if (names_other_machine(fd))
        refusal = "it is built for another architecture than acre";
    else if (!names_linker(fd))
        refusal = "it is statically linked, and LD_PRELOAD has no effect on it";
    else if (names_musl(fd))
        refusal = "it is linked to musl, which cannot load libraries of the GNU C library";
    close(fd);
    return refusal;
}

bool launch_is_foreign(const char *command)
{
    struct stat about;
    int fd = open_command(command, &about);
    bool is_foreign = fd >= 0 && (names_other_machine(fd) || names_musl(fd));

    if (fd >= 0)
        close(fd);
    return is_foreign;
}

const char *launch_obstacle(const char *command)
{
    struct stat about;
    int fd = open_command(command, &about);
    const char *obstacle;

    if (fd < 0)
        return NULL;
    obstacle = raised_rights(fd, &about);
    close(fd);
    if (!obstacle)
        obstacle = launch_refusal(command);
    return obstacle ? obstacle : launch_own_malloc(command);
}

const char *launch_explain(const char *command)
{
    struct stat about;
    const char *obstacle = launch_obstacle(command);
    int fd;

    if (obstacle)
        return obstacle;
    fd = open_command(command, &about);
    if (fd < 0)
        return "it cannot be read, so it may be set-user-ID or statically linked";
    close(fd);
    return "it cleared LD_PRELOAD, or its dynamic linker could not load the recorder";
}
