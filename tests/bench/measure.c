/*
 * Runs a command in the namespaces of a load and prints what it cost.
 *
 *   measure PID SECONDS COMMAND…     ->  STATUS WALL_MS CPU_MS PEAK_RSS_KIB
 *
 * After so many seconds the command is killed: STATUS is then 142: 128 and SIGALRM.
 * The command's output goes to /dev/null. A small program on purpose: the peak that wait4() reports covers the time
 * between fork() and exec(), so that a large one would be measured in the place of the command.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double milliseconds(struct timeval time)
{
    return (double)time.tv_sec * 1e3 + (double)time.tv_usec / 1e3;
}

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Where the load is: see load.c. All are opened before the first is entered, which hides the others. */
static int enter(const char *pid)
{
    static const char *const kinds[] = { "net", "pid_for_children", "mnt" };
    enum { KINDS = sizeof kinds / sizeof *kinds };
    int fds[KINDS];
    for (int i = 0; i < KINDS; i++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%s/ns/%s", pid, kinds[i]);
        fds[i] = open(path, O_RDONLY | O_CLOEXEC);
        if (fds[i] < 0) {
            perror(path);
            return -1;
        }
    }
    for (int i = 0; i < KINDS; i++) {
        if (setns(fds[i], 0) < 0) {
            perror(kinds[i]);
            return -1;
        }
        close(fds[i]);
    }
    return 0;
}

int main(int argc, char **argv)
{
    unsigned seconds = argc > 3 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
    if (seconds == 0) {
        fputs("usage: measure PID SECONDS COMMAND…\n", stderr);
        return 1;
    }
    if (enter(argv[1]) < 0)
        return 1;
    double start = now_ms();
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_RDWR);
        if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
            _exit(127);
        alarm(seconds); /* outlives exec(); nothing that is measured here takes SIGALRM for its own */
        execvp(argv[3], argv + 3);
        _exit(127);
    }
    int status;
    struct rusage usage;
    if (child < 0 || wait4(child, &status, 0, &usage) < 0) {
        perror("measure");
        return 1;
    }
    double wall_ms = now_ms() - start;
    printf("%d %.3f %.3f %ld\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), wall_ms,
        milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime), usage.ru_maxrss);
    return 0;
}
