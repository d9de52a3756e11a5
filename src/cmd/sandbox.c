#include "cmd/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "cmd/privileges.h"

/* --- files: Landlock -------------------------------------------------------------------------------------------- */

/* What the first version of Landlock knows (Linux 5.13): every kernel that has it can be asked for these. */
enum {
    HANDLED = LANDLOCK_ACCESS_FS_MAKE_SYM * 2 - 1, /* the last one, and all before it */
    FOR_OUTPUT = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
        LANDLOCK_ACCESS_FS_REMOVE_FILE,
};

static int allow_folder(int rules, const char *output, enum place_link link)
{
    struct place place;
    bool foreign;
    int result = place_find(&place, output, link, &foreign);
    if (result == -EISDIR && !foreign) /* "FOLDER/." is a place in that folder */
        result = 0;
    if (result == 0) {
        const struct landlock_path_beneath_attr beneath = { .allowed_access = FOR_OUTPUT, .parent_fd = place.folder };
        if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) < 0)
            result = -errno;
    }
    place_deinit(&place);
    return result;
}

static int restrict_files(const char *output, enum place_link link)
{
    const struct landlock_ruleset_attr handled = { .handled_access_fs = HANDLED };
    int rules = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);
    if (rules < 0)
        return -errno;
    int result = output != NULL ? allow_folder(rules, output, link) : 0;
    if (result == 0 && syscall(SYS_landlock_restrict_self, rules, 0) < 0)
        result = -errno;
    close(rules);
    return result;
}

/* --- system calls: seccomp -------------------------------------------------------------------------------------- */

/* To read what is open, to compute, to print, to wait for the pager, and to end. */
static const int for_all[] = { SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(lseek),
    SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(fcntl), SCMP_SYS(poll),
    SCMP_SYS(ppoll), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(brk), SCMP_SYS(madvise), SCMP_SYS(futex),
    SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(getrandom),
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigpending), SCMP_SYS(rt_sigreturn),
    SCMP_SYS(restart_syscall), SCMP_SYS(sched_yield), SCMP_SYS(sysinfo), SCMP_SYS(getpid), SCMP_SYS(gettid),
    SCMP_SYS(geteuid), SCMP_SYS(wait4), SCMP_SYS(exit), SCMP_SYS(exit_group),
    /* of a thread that has begun, but has not run yet: the deadline's */
    SCMP_SYS(rseq), SCMP_SYS(set_robust_list) };

/* To write a file whole or not at all: base/atomic_file.c. */
static const int for_output[] = { SCMP_SYS(openat), SCMP_SYS(linkat), SCMP_SYS(renameat), SCMP_SYS(renameat2),
    SCMP_SYS(unlinkat), SCMP_SYS(readlinkat), SCMP_SYS(newfstatat), SCMP_SYS(fstatfs), SCMP_SYS(access),
    SCMP_SYS(faccessat), SCMP_SYS(fchmod), SCMP_SYS(fsync) };

static int allow_all(scmp_filter_ctx filter, const int *calls, size_t count)
{
    int result = 0;
    for (size_t i = 0; i < count && result == 0; i++)
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
    return result;
}

/* Calls with certain arguments only. */
static int allow_some(scmp_filter_ctx filter)
{
    static const int mappings[] = { SCMP_SYS(mmap), SCMP_SYS(mprotect) };
    static const unsigned long requests[] = { TCGETS, TIOCGWINSZ, FIONREAD };
    int result = 0;
    for (size_t i = 0; i < sizeof mappings / sizeof *mappings && result == 0; i++)
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, mappings[i], 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    for (size_t i = 0; i < sizeof requests / sizeof *requests && result == 0; i++)
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, requests[i]));
    if (result == 0) /* abort() */
        result = seccomp_rule_add(
            filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, SCMP_A0(SCMP_CMP_EQ, (unsigned)getpid()));
    return result;
}

/* fstat() is newfstatat() of an empty path in some versions of the C library. */
static int allow_stat_of_open(scmp_filter_ctx filter)
{
    return seccomp_rule_add(
        filter, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 1, SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH));
}

static int filter_calls(bool has_output)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (filter == NULL)
        return -ENOMEM;
    int result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    if (result == 0)
        result = allow_all(filter, for_all, sizeof for_all / sizeof *for_all);
    if (result == 0)
        result = allow_some(filter);
    if (result == 0)
        result = has_output ? allow_all(filter, for_output, sizeof for_output / sizeof *for_output)
                            : allow_stat_of_open(filter);
    if (result == 0)
        result = seccomp_load(filter);
    seccomp_release(filter);
    return result;
}

/* --- all of it -------------------------------------------------------------------------------------------------- */

int sandbox_enter(const char *output, enum place_link link, struct error *err)
{
    tzset(); /* gmtime_r() would read /etc/localtime later */
    int result = privileges_drop(output != NULL ? PRIVILEGES_FOR_FILES : PRIVILEGES_NONE);
    (void)restrict_files(output, link); /* the filter below is what counts; Linux before 5.13 has no Landlock */
    int filtered = filter_calls(output != NULL);
    if (filtered < 0)
        return error_set(
            err, filtered, NULL, "system calls cannot be filtered here (seccomp: %s)", strerror(-filtered));
    if (result < 0)
        return error_set(err, result, NULL, "capabilities cannot be dropped: %s", strerror(-result));
    return 0;
}
