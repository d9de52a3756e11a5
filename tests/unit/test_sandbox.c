/* What is left to a process that reads foreign text. Each case has a child of its own, because there is no way back. */
#include "cmd/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

enum { HOLDS = 0, ABSENT = 77 };

/* Runs the body in a child behind the sandbox. The child's status is that of the first expectation that fails. */
static void expect_behind(const char *output, int (*body)(void))
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct error err = { 0 };
        int result = sandbox_enter(output, PLACE_STAY, &err);
        _exit(result < 0 || getppid() > 0 /* it is not on the list */ ? ABSENT : body());
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == ABSENT)
        skip(); /* this build or this kernel has no filter */
    assert_int_equal(WEXITSTATUS(status), HOLDS);
}

#define EXPECT(condition)                                                                                              \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            return __LINE__;                                                                                           \
    } while (0)

static bool is_refused(long result)
{
    return result < 0 && (errno == EPERM || errno == EACCES);
}

static int try_what_an_attacker_wants(void)
{
    char *const arguments[] = { NULL };
    EXPECT(is_refused(open("/etc/passwd", O_RDONLY)));
    EXPECT(is_refused(open("/tmp/tcpwhy-sandbox-file", O_WRONLY | O_CREAT, 0600)));
    EXPECT(is_refused(unlink("/tmp/tcpwhy-sandbox-file")));
    EXPECT(is_refused(socket(AF_INET, SOCK_STREAM, 0)));
    EXPECT(is_refused(socket(AF_UNIX, SOCK_STREAM, 0)));
    EXPECT(is_refused(execve("/bin/true", arguments, arguments)));
    EXPECT(is_refused(fork()));
    EXPECT(is_refused(kill(1, 0)));
    EXPECT(is_refused(chmod("/tmp", 01777)));
    EXPECT(mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    return HOLDS;
}

static void it_opens_starts_and_asks_nothing(void **state)
{
    (void)state;
    expect_behind(NULL, try_what_an_attacker_wants);
}

static int compute(void)
{
    void *some = malloc(1 << 20);
    EXPECT(some != NULL);
    void *much = realloc(some, 64 << 20);
    if (much == NULL)
        free(some);
    EXPECT(much != NULL);
    free(much);
    int ends[2] = { dup(STDERR_FILENO), -1 };
    EXPECT(ends[0] >= 0 && close(ends[0]) == 0);
    EXPECT(geteuid() == geteuid());
    return HOLDS;
}

static void it_reads_computes_and_writes(void **state)
{
    (void)state;
    expect_behind(NULL, compute);
}

static int write_beside(void)
{
    EXPECT(is_refused(open("/etc/passwd", O_RDONLY)));
    EXPECT(is_refused(open("/var/tmp/tcpwhy-sandbox", O_WRONLY | O_CREAT, 0600)));
    EXPECT(is_refused(socket(AF_INET, SOCK_STREAM, 0)));
    int fd = open("file", O_WRONLY | O_CREAT | O_EXCL, 0600);
    EXPECT(fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0);
    EXPECT(renameat(AT_FDCWD, "file", AT_FDCWD, "whole") == 0);
    return HOLDS;
}

/* Without Landlock the whole disk would be in reach of what writes a file: then there is nothing to hold here. */
static void the_folder_of_the_output_is_all_that_is_in_reach(void **state)
{
    (void)state;
    char folder[] = "/tmp/tcpwhy-sandbox-XXXXXX";
    assert_non_null(mkdtemp(folder));
    int home = open(".", O_PATH | O_DIRECTORY);
    assert_int_equal(chdir(folder), 0);
    if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) > 0)
        expect_behind("out", write_beside);
    unlink("whole");
    unlink("file");
    assert_int_equal(fchdir(home), 0);
    close(home);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_opens_starts_and_asks_nothing),
        cmocka_unit_test(it_reads_computes_and_writes),
        cmocka_unit_test(the_folder_of_the_output_is_all_that_is_in_reach),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
