/*
 * A host full of TCP sockets: makes namespaces of its own, for the network, processes and mounts, and fills them. Who
 * enters them (measure.c) sees these processes and this network, and nothing of what else the machine is doing.
 *
 *   load SOCKETS PROCESSES [BYSTANDERS [healthy]]
 *
 * Half IPv4, half IPv6, on loopback. Process i connects to process i + 1, so that the ends of a connection are in
 * different processes. Of the sockets 1 in 50 is TIME_WAIT; of the connections 1 in 4 is half closed (CLOSE_WAIT on
 * one end, half of these with the end of the stream read; FIN_WAIT_2 on the other), 1 in 10 of the others has data
 * unread, and the rest is ESTABLISHED and idle. Each process has two listeners. Bystanders are processes with a few
 * descriptors, none of which is a socket, as most processes of a host are. On a healthy host nothing is half closed or
 * unread.
 *
 * Prints "ready" when all stand. TIME_WAIT lasts 60 s only: each line on stdin makes up for those that have gone, and
 * prints "ready" again. At the end of stdin everything is closed. Needs CAP_SYS_ADMIN and CAP_NET_ADMIN.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PROCESSES_MAX = 200,
    FAMILIES = 2,
    FIRST_PORT = 20000,
    TIME_WAIT_PORT = 19999,
    BATCH = 64, /* connections made before as many are accepted; below any backlog */
    HALF_CLOSED_EVERY = 4,
    UNREAD_EVERY = 10,
    TIME_WAIT_EVERY = 50,
    BYSTANDER_FILES = 6,
};

static const int families[FAMILIES] = { AF_INET, AF_INET6 };
static bool healthy;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static int check(int result, const char *what)
{
    if (result < 0)
        fail(what);
    return result;
}

static void write_setting(const char *path, const char *value)
{
    FILE *file = fopen(path, "w");
    if (file == NULL || fputs(value, file) == EOF || fclose(file) != 0)
        fail(path);
}

static void make_namespace(void)
{
    check(unshare(CLONE_NEWNET), "unshare");
    int fd = check(socket(AF_INET, SOCK_DGRAM, 0), "socket");
    struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
    check(ioctl(fd, SIOCSIFFLAGS, &request), "lo");
    close(fd);
    write_setting("/proc/sys/net/ipv4/ip_local_port_range", "1024 65535");
    write_setting("/proc/sys/net/ipv4/tcp_max_tw_buckets", "262144");
}

/*
 * Returns in a child, the first process of the namespace, with a /proc that shows no others; the caller waits for it.
 */
static void become_first_process(void)
{
    check(unshare(CLONE_NEWPID | CLONE_NEWNS), "unshare");
    pid_t child = check(fork(), "fork");
    if (child > 0) {
        int status;
        waitpid(child, &status, 0);
        exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    check(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "mount");
    check(mount("proc", "/proc", "proc", 0, NULL), "/proc");
    mount("none", "/run/netns", "tmpfs", 0, NULL); /* the names of other namespaces; there need not be any */
}

static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    check(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
    limit.rlim_cur = limit.rlim_max;
    check(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
}

static socklen_t loopback(struct sockaddr_storage *address, int family, int port)
{
    memset(address, 0, sizeof *address);
    if (family == AF_INET) {
        struct sockaddr_in *in = (struct sockaddr_in *)address;
        in->sin_family = AF_INET;
        in->sin_port = htons((uint16_t)port);
        in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return sizeof *in;
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)address;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons((uint16_t)port);
    in6->sin6_addr = in6addr_loopback;
    return sizeof *in6;
}

static int listen_on(int family, int port)
{
    struct sockaddr_storage address;
    socklen_t length = loopback(&address, family, port);
    int fd = check(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    int on = 1;
    check(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "SO_REUSEADDR");
    check(bind(fd, (struct sockaddr *)&address, length), "bind");
    check(listen(fd, SOMAXCONN), "listen");
    return fd;
}

static int connect_to(int family, int port)
{
    struct sockaddr_storage address;
    socklen_t length = loopback(&address, family, port);
    int fd = check(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    check(connect(fd, (struct sockaddr *)&address, length), "connect");
    return fd;
}

/* The client's share of what becomes of connection `number`; the descriptor stays open. */
static void age_client(int fd, unsigned number)
{
    static const char words[100];
    if (healthy)
        return;
    if (number % HALF_CLOSED_EVERY == 0)
        check(shutdown(fd, SHUT_WR), "shutdown");
    else if (number % UNREAD_EVERY == 0)
        check((int)send(fd, words, sizeof words, MSG_NOSIGNAL), "send");
}

/* One process: connects to the next one's listeners and accepts as many from the one before. */
static void fill(unsigned self, unsigned processes, unsigned connections, const int *listeners)
{
    unsigned next = self + 1 < processes ? self + 1 : 0;
    for (unsigned done = 0; done < connections; done += BATCH) {
        unsigned batch = connections - done < BATCH ? connections - done : BATCH;
        for (unsigned i = done; i < done + batch; i++) {
            int family = (int)(i % FAMILIES);
            age_client(connect_to(families[family], FIRST_PORT + (int)next), i / FAMILIES);
        }
        for (unsigned i = done; i < done + batch; i++) {
            int fd = check(accept(listeners[i % FAMILIES], NULL, NULL), "accept");
            char byte;
            if (!healthy && i / FAMILIES % (2 * HALF_CLOSED_EVERY) == 0)
                check((int)recv(fd, &byte, 1, 0), "recv"); /* takes the end of the stream */
        }
    }
}

static void run_child(
    unsigned self, unsigned processes, unsigned connections, int listeners[][FAMILIES], int ready, const int stop[2])
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(stop[1]);
    for (unsigned i = 0; i < processes; i++) {
        for (unsigned f = 0; f < FAMILIES; f++) {
            if (i != self)
                close(listeners[i][f]);
        }
    }
    fill(self, processes, connections, listeners[self]);
    check((int)write(ready, "", 1), "write");
    char byte;
    while (read(stop[0], &byte, 1) > 0)
        continue; /* returns at the end of the parent */
    _exit(0);
}

/* How many TIME_WAIT there are: the word after "tw" in /proc/net/sockstat. */
static unsigned count_time_wait(void)
{
    FILE *file = fopen("/proc/net/sockstat", "r");
    if (file == NULL)
        fail("/proc/net/sockstat");
    char line[256];
    unsigned count = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "TCP:", 4) == 0)
            sscanf(line, "TCP: inuse %*u orphan %*u tw %u", &count);
    }
    fclose(file);
    return count;
}

static void top_up_time_wait(unsigned wanted)
{
    int listeners[FAMILIES];
    for (unsigned f = 0; f < FAMILIES; f++)
        listeners[f] = listen_on(families[f], TIME_WAIT_PORT);
    for (unsigned i = count_time_wait(); i < wanted; i++) {
        unsigned f = i % FAMILIES;
        int client = connect_to(families[f], TIME_WAIT_PORT);
        int server = check(accept(listeners[f], NULL, NULL), "accept");
        close(client); /* who closes first waits */
        close(server);
    }
    for (unsigned f = 0; f < FAMILIES; f++)
        close(listeners[f]);
}

static void start_children(unsigned processes, unsigned connections, const int stop[2])
{
    static int listeners[PROCESSES_MAX][FAMILIES];
    int ready[2];
    check(pipe(ready), "pipe");
    for (unsigned i = 0; i < processes; i++) {
        for (unsigned f = 0; f < FAMILIES; f++)
            listeners[i][f] = listen_on(families[f], FIRST_PORT + (int)i);
    }
    for (unsigned i = 0; i < processes; i++) {
        if (check(fork(), "fork") == 0) {
            close(ready[0]);
            run_child(i, processes, connections, listeners, ready[1], stop);
        }
    }
    close(ready[1]);
    for (unsigned i = 0; i < processes; i++) {
        for (unsigned f = 0; f < FAMILIES; f++)
            close(listeners[i][f]);
    }
    for (unsigned i = 0; i < processes; i++) {
        char byte;
        if (read(ready[0], &byte, 1) != 1) {
            fputs("load: a process failed\n", stderr);
            exit(1);
        }
    }
    close(ready[0]);
}

/* They live until the parent's end of the pipe is closed. */
static void start_bystanders(unsigned count, const int stop[2])
{
    for (unsigned i = 0; i < count; i++) {
        if (check(fork(), "fork") > 0)
            continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(stop[1]);
        for (int fd = 0; fd < BYSTANDER_FILES; fd++)
            check(open("/dev/null", O_RDONLY), "/dev/null");
        char byte;
        while (read(stop[0], &byte, 1) > 0)
            continue;
        _exit(0);
    }
}

static unsigned number(int argc, char **argv, int index)
{
    return index < argc ? (unsigned)strtoul(argv[index], NULL, 10) : 0;
}

int main(int argc, char **argv)
{
    unsigned sockets = number(argc, argv, 1), processes = number(argc, argv, 2), bystanders = number(argc, argv, 3);
    healthy = argc == 5 && strcmp(argv[4], "healthy") == 0;
    if (argc < 3 || (argc > 4 && !healthy) || processes < 2 || processes > PROCESSES_MAX) {
        fputs("usage: load SOCKETS PROCESSES [BYSTANDERS [healthy]]\n", stderr);
        return 1;
    }
    make_namespace();
    become_first_process();
    raise_descriptor_limit();
    unsigned time_wait = sockets / TIME_WAIT_EVERY;
    int stop[2];
    check(pipe(stop), "pipe");
    start_bystanders(bystanders, stop);
    if (sockets > 0) {
        unsigned others = sockets - time_wait - FAMILIES * processes;
        start_children(processes, others / 2 / processes, stop);
    }

    char line[16];
    do {
        if (time_wait > 0)
            top_up_time_wait(time_wait);
        puts("ready");
        fflush(stdout);
    } while (fgets(line, sizeof line, stdin) != NULL);

    close(stop[0]);
    close(stop[1]);
    while (wait(NULL) > 0)
        continue;
    return 0;
}
