/*
 * A local user who swaps what root is about to open, as fast as possible. Prints "ready" and runs until it is killed.
 *
 *   swaps netns          holds a network namespace by a descriptor, and puts a FIFO without a writer in its place
 *   swaps file FOLDER VICTIM
 *                        in its folder: tcpwhy.prom is in turn a FIFO and a symbolic link to VICTIM
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOBODY = 65534 };

static void become_nobody(void)
{
    if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0)
        err(1, "setresuid");
}

static void be_ready(void)
{
    puts("ready");
    fflush(stdout);
}

static void swap_netns(void)
{
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (home < 0 || unshare(CLONE_NEWNET) < 0)
        err(1, "unshare");
    int netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (netns < 0 || setns(home, CLONE_NEWNET) < 0)
        err(1, "setns");
    char path[] = "/tmp/tcpwhy-swaps-XXXXXX";
    if (mkdtemp(path) == NULL || chdir(path) < 0 || mkfifo("fifo", 0600) < 0)
        err(1, "%s", path);
    int fifo = open("fifo", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    unlink("fifo");
    rmdir(path);
    enum { SWAPPED = 50, KEPT = 100 };
    int kept_netns = fcntl(netns, F_DUPFD_CLOEXEC, KEPT), kept_fifo = fcntl(fifo, F_DUPFD_CLOEXEC, KEPT);
    close(home);
    close(netns);
    close(fifo);
    become_nobody();
    be_ready();
    /* tcpwhy finds SWAPPED first, because the copies have higher numbers. */
    for (;;) {
        dup2(kept_netns, SWAPPED);
        usleep(50);
        dup2(kept_fifo, SWAPPED);
        usleep(50);
    }
}

static void swap_file(const char *folder, const char *victim)
{
    become_nobody();
    if (chdir(folder) < 0 || mkfifo("fifo", 0666) < 0)
        err(1, "%s", folder);
    int reader = open("fifo", O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* so that opening it for writing does not block */
    be_ready();
    for (;;) {
        char bytes[65536];
        if (link("fifo", "pipe") == 0)
            rename("pipe", "tcpwhy.prom");
        if (symlink(victim, "link") == 0)
            rename("link", "tcpwhy.prom");
        while (read(reader, bytes, sizeof bytes) > 0)
            ;
    }
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "netns") == 0)
        swap_netns();
    if (argc == 4 && strcmp(argv[1], "file") == 0)
        swap_file(argv[2], argv[3]);
    errx(2, "usage: swaps netns | swaps file FOLDER VICTIM");
}
