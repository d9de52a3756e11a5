/*
 * The bare walks: what the kernel alone takes to hand over what tcpwhy reads. Each is read and dropped.
 *
 *   walk netlink    one NETLINK_SOCK_DIAG dump of all TCP sockets of this network namespace, with tcp_info and skmem
 *   walk proc       readlink() of every descriptor of every process
 *   walk both       one after the other
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void walk_netlink(void)
{
    struct {
        struct nlmsghdr header;
        struct inet_diag_req query;
    } request = {
        .header = { .nlmsg_len = sizeof request,
            .nlmsg_type = TCPDIAG_GETSOCK,
            .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
        .query = { .idiag_ext = 1U << (INET_DIAG_INFO - 1) | 1U << (INET_DIAG_SKMEMINFO - 1), .idiag_states = ~0U },
    };
    static _Alignas(struct nlmsghdr) char buffer[32 * 1024];
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (fd < 0 || send(fd, &request, sizeof request, 0) < 0)
        fail("netlink");
    for (;;) {
        ssize_t length = recv(fd, buffer, sizeof buffer, 0);
        if (length < (ssize_t)sizeof(struct nlmsghdr))
            fail("recv");
        unsigned type = ((const struct nlmsghdr *)buffer)->nlmsg_type;
        if (type == NLMSG_ERROR)
            fail("NETLINK_SOCK_DIAG");
        if (type == NLMSG_DONE)
            break;
    }
    close(fd);
}

static bool is_number(const char *name)
{
    return *name >= '0' && *name <= '9';
}

static void walk_descriptors(int proc, const char *pid)
{
    char path[300], link[64];
    snprintf(path, sizeof path, "%s/fd", pid);
    int fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (folder == NULL)
        return;
    const struct dirent *entry;
    while ((entry = readdir(folder)) != NULL) {
        if (is_number(entry->d_name) && readlinkat(fd, entry->d_name, link, sizeof link) < 0)
            continue; /* closed meanwhile */
    }
    closedir(folder);
}

static void walk_proc(void)
{
    DIR *proc = opendir("/proc");
    if (proc == NULL)
        fail("/proc");
    const struct dirent *entry;
    while ((entry = readdir(proc)) != NULL) {
        if (is_number(entry->d_name))
            walk_descriptors(dirfd(proc), entry->d_name);
    }
    closedir(proc);
}

int main(int argc, char **argv)
{
    const char *what = argc == 2 ? argv[1] : "";
    bool both = strcmp(what, "both") == 0;
    if (both || strcmp(what, "netlink") == 0)
        walk_netlink();
    if (both || strcmp(what, "proc") == 0)
        walk_proc();
    else if (!both && strcmp(what, "netlink") != 0) {
        fputs("usage: walk netlink|proc|both\n", stderr);
        return 1;
    }
    return 0;
}
