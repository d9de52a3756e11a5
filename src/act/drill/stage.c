/*
 * The processes of a drill and their namespaces.
 *
 * Nothing may stay behind, however the caller ends. So the stage waits for the end of the caller's pipe, which a
 * SIGKILL brings about too, and then ends roles and sockets; should the stage itself be killed, the kernel kills the
 * roles (PR_SET_PDEATHSIG). A limit of the host that was lowered is put back by the stage and by the caller, whichever
 * of them is left. The namespaces have no names: they go with the last process and socket in them.
 */
#include "act/drill/stage.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act/drill/net.h"
#include "act/drill/role.h"
#include "base/clock.h"
#include "base/fd_io.h"
#include "base/memory.h"

enum {
    PATIENCE_MS = 20 * 1000,
    SPARE_DESCRIPTORS = 64, /* pipes, namespaces, the listener, what the caller has open */
};

/* TEST-NET-1 of RFC 5737: used nowhere but in documents, and here in a network of its own. */
static const char here_address[] = "192.0.2.1", there_address[] = "192.0.2.2";

/* From a role to the stage and from the stage to the caller, when the drill stands or has failed. */
struct word {
    int result;
    pid_t pid, peer_pid;
    unsigned count;
    uint16_t port;
    bool userns;
    struct error error;
};

/* --- what the roles use ------------------------------------------------------------------------------------------- */

int role_tell(const struct role *role, uint32_t number, struct error *err)
{
    ssize_t sent = send(role->partner, &number, sizeof number, MSG_NOSIGNAL);
    return sent == sizeof number ? 0 : error_set(err, -EPIPE, NULL, "the other process of the drill has ended");
}

int role_hear(const struct role *role, uint32_t *ret_number, struct error *err)
{
    struct pollfd waiting = { .fd = role->partner, .events = POLLIN };
    if (poll(&waiting, 1, PATIENCE_MS) <= 0)
        return error_set(err, -ETIMEDOUT, NULL, "waited in vain for the other process of the drill");
    uint32_t number;
    if (recv(role->partner, &number, sizeof number, MSG_WAITALL) != sizeof number)
        return error_set(err, -EPIPE, NULL, "the other process of the drill has ended");
    if (ret_number != NULL)
        *ret_number = number;
    return 0;
}

static int enter(int netns, struct error *err)
{
    if (setns(netns, CLONE_NEWNET) < 0)
        return error_set(err, -errno, "setns", "cannot enter the drill's network namespace: %s", strerror(errno));
    return 0;
}

int role_socket(const struct role *role, int domain, int type, int protocol, struct error *err)
{
    /* A socket stays in the namespace that it was made in; the process goes back. */
    bool elsewhere = role->is_line && role->is_peer;
    int result = elsewhere ? enter(role->there_netns, err) : 0;
    if (result < 0)
        return result;
    int fd = socket(domain, type | SOCK_CLOEXEC, protocol);
    if (fd < 0)
        fd = error_set(err, -errno, "socket", "%s", strerror(errno));
    if (elsewhere && (result = enter(role->here_netns, err)) < 0)
        return result;
    return fd;
}

int role_lose(const struct role *role, enum role_loss loss, struct error *err)
{
    int result = enter(role->there_netns, err);
    if (result == 0)
        result = drill_net_drop(loss == LOSE_TO_PEER ? NF_INET_PRE_ROUTING : NF_INET_LOCAL_OUT, err);
    return enter(role->here_netns, result == 0 ? err : NULL) < 0 ? -EIO : result;
}

static int write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int result = fd_write_all(fd, text, strlen(text));
    close(fd);
    return result;
}

int role_set_limit(const struct role *role, const char *name, const char *value, struct error *err)
{
    char path[128];
    snprintf(path, sizeof path, "/proc/sys/%s", name);
    if (role->in_host)
        return error_set(err, -EPERM, path, "is not changed in the host's own network namespace");
    int result = write_file(path, value);
    if (result < 0)
        return error_set(err, result, path, "cannot be set in the drill's namespace: %s", strerror(-result));
    return 0;
}

/* With its parent dies the child; where that has died already, at once. */
static void die_with(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != parent)
        raise(SIGKILL);
}

/* A child that can be ended in the usual way, whatever the caller ignores or blocks. */
static void heed_signals(void)
{
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGCHLD };
    sigset_t none;
    sigemptyset(&none);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        signal(signals[i], SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

pid_t role_fork(const char *name)
{
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        die_with(parent);
        prctl(PR_SET_NAME, name, 0, 0, 0);
    }
    return pid;
}

/* --- a role's life ------------------------------------------------------------------------------------------------ */

/* Plays until it is killed, or its tick says that there is nothing left to do. */
static void live(struct role *role, const struct drill_side *side, int report)
{
    struct word word = { 0 };
    role->conns = xcalloc(2UL * role->count + SPARE_DESCRIPTORS, sizeof *role->conns);
    role->listener = -1;
    word.result = side->play != NULL ? side->play(role, &word.error) : 0;
    word.pid = role->owner_pid != 0 ? role->owner_pid : getpid();
    word.count = role->conn_count;
    word.port = role->port;
    if (write(report, &word, sizeof word) != sizeof word || word.result < 0)
        return;
    for (;;) {
        if (side->tick == NULL)
            pause();
        clock_sleep_ms(side->tick_ms);
        if (side->tick != NULL && side->tick(role, NULL) < 0)
            return;
    }
}

struct actor {
    pid_t pid;
    int report; /* end of file when the role has ended */
};

/* Starts one role; descriptors of the stage that it must not hold are closed in it. */
static int start_role(struct role *role, const char *name, const int close_fds[2], struct actor *ret_actor)
{
    int report[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, report) < 0)
        return -errno;
    pid_t pid = role_fork(name);
    if (pid == 0) {
        heed_signals();
        close(report[0]);
        close(close_fds[0]);
        close(close_fds[1]);
        live(role, role->is_peer ? &role->drill->peer : &role->drill->service, report[1]);
        _exit(0);
    }
    int result = pid < 0 ? -errno : 0;
    close(report[1]);
    *ret_actor = (struct actor){ .pid = pid, .report = report[0] };
    return result;
}

/* --- namespaces --------------------------------------------------------------------------------------------------- */

/*
 * In a user namespace of its own the caller has the capabilities that a network namespace wants. He is root in it, so
 * that a program which he starts in it (nsenter) keeps them and may see the descriptors of the drill's processes.
 */
static int unshare_as_user(struct error *err)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
        return error_set(err, -errno, "unshare",
            "no network namespace of its own: %s; run it as root, or let users make namespaces (sysctl "
            "user.max_user_namespaces, kernel.unprivileged_userns_clone), or use --in-host",
            strerror(errno));
    char map[64];
    int result = write_file("/proc/self/setgroups", "deny");
    snprintf(map, sizeof map, "0 %u 1", uid);
    if (result == 0)
        result = write_file("/proc/self/uid_map", map);
    snprintf(map, sizeof map, "0 %u 1", gid);
    if (result == 0)
        result = write_file("/proc/self/gid_map", map);
    if (result < 0)
        return error_set(err, result, "user namespace",
            "cannot be set up: %s; run it as root (kernel.apparmor_restrict_unprivileged_userns forbids it to users)",
            strerror(-result));
    return 0;
}

static int open_own_netns(struct error *err)
{
    int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    return fd >= 0 ? fd : error_set(err, -errno, "/proc/self/ns/net", "cannot be opened: %s", strerror(errno));
}

/* The second namespace, and the line to it. Leaves the caller in the first. */
static int lay_line(struct role *role, struct error *err)
{
    if (unshare(CLONE_NEWNET) < 0)
        return error_set(err, -errno, "unshare", "no second network namespace: %s", strerror(errno));
    int result = role->there_netns = open_own_netns(err);
    if (result >= 0)
        result = drill_net_up("lo", err);
    if (result >= 0)
        result = drill_net_pair("drill1", "drill0", role->here_netns, err);
    inet_aton(here_address, &role->here);
    inet_aton(there_address, &role->there);
    enum { PREFIX = 24 };
    if (result >= 0)
        result = drill_net_address("drill1", role->there, PREFIX, err);
    if (result >= 0)
        result = drill_net_up("drill1", err);
    if (result >= 0)
        result = enter(role->here_netns, err);
    if (result >= 0)
        result = drill_net_address("drill0", role->here, PREFIX, err);
    if (result >= 0)
        result = drill_net_up("drill0", err);
    /* Spoofed senders live behind the peer. */
    return result >= 0 ? drill_net_default_route(role->there, err) : result;
}

static int make_place(struct role *role, bool *ret_userns, struct error *err)
{
    role->here.s_addr = role->there.s_addr = htonl(INADDR_LOOPBACK);
    role->here_netns = role->there_netns = -1;
    if (role->in_host)
        return 0;
    *ret_userns = unshare(CLONE_NEWNET) < 0;
    int result = *ret_userns ? unshare_as_user(err) : 0;
    if (result == 0)
        result = role->here_netns = open_own_netns(err);
    if (result >= 0)
        result = drill_net_up("lo", err);
    if (result >= 0 && role->is_line)
        result = lay_line(role, err);
    return result;
}

/* --- the stage ---------------------------------------------------------------------------------------------------- */

static int make_room(unsigned count, struct error *err)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return -errno;
    rlim_t needed = 2UL * count + SPARE_DESCRIPTORS;
    if (needed > limit.rlim_max)
        return error_set(err, -EMFILE, "--count", "takes %llu descriptors, and this process may have %llu (ulimit -Hn)",
            (unsigned long long)needed, (unsigned long long)limit.rlim_max);
    if (limit.rlim_cur < needed)
        limit.rlim_cur = needed;
    return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? -errno : 0;
}

/* Waits for a role's word; one that ended without any has failed. */
static int await(const struct actor *actor, struct word *ret_word)
{
    struct pollfd waiting = { .fd = actor->report, .events = POLLIN };
    if (poll(&waiting, 1, 2 * PATIENCE_MS) <= 0 ||
        read(actor->report, ret_word, sizeof *ret_word) != sizeof *ret_word) {
        ret_word->result = error_set(&ret_word->error, -ECHILD, NULL, "a process of the drill ended before its time");
    }
    return ret_word->result;
}

/* Kills the roles, and waits for them and for what they had forked, which the stage inherits. */
static void end_roles(const struct actor *actors, int count)
{
    for (int i = 0; i < count; i++) {
        if (actors[i].pid > 0)
            kill(actors[i].pid, SIGKILL);
    }
    while (waitpid(-1, NULL, 0) > 0)
        ;
}

/* What was closed before lives on as orphans, which would keep the namespaces for minutes. */
static void sweep(const struct role *role)
{
    if (role->in_host)
        return;
    drill_net_destroy_sockets();
    if (role->there_netns >= 0 && enter(role->there_netns, NULL) == 0)
        drill_net_destroy_sockets();
}

static void run_stage(struct role *role, int control, int report)
{
    enum { SERVICE, PEER, ROLES };
    struct actor actors[ROLES] = { 0 };
    struct word word = { 0 }, words[ROLES] = { 0 };
    int partners[2];
    word.result = make_room(role->count, &word.error);
    if (word.result == 0)
        word.result = make_place(role, &word.userns, &word.error);
    if (word.result >= 0)
        word.result = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, partners) < 0 ? -errno : 0;
    for (int i = 0; i < ROLES && word.result == 0; i++) {
        role->is_peer = i == PEER;
        role->partner = partners[i];
        word.result = start_role(
            role, i == PEER ? "drill-peer" : role->drill->name, (int[]){ control, partners[!i] }, &actors[i]);
    }
    if (word.result == 0) {
        close(partners[0]);
        close(partners[1]);
    }
    /* Where one fails the other may merely say that it was left alone: the first reason is the reason. */
    for (int i = 0; i < ROLES && word.result == 0; i++) {
        word.result = await(&actors[i], &words[i]);
        if (word.result == -EPIPE || word.result == -ECHILD)
            await(&actors[!i], &words[!i]);
        word.error = word.result < 0 && words[!i].result < 0 && i == SERVICE ? words[!i].error : words[i].error;
    }
    word.pid = words[SERVICE].pid;
    word.peer_pid = words[PEER].pid;
    word.port = role->drill->service.play != NULL ? words[SERVICE].port : words[PEER].port;
    word.count = words[SERVICE].count != 0 ? words[SERVICE].count : words[PEER].count;
    bool told = write(report, &word, sizeof word) == sizeof word;
    if (told && word.result == 0) {
        /* Until the caller lets go of its end, or a role ends. */
        struct pollfd waiting[] = { { .fd = control, .events = POLLIN }, { .fd = actors[SERVICE].report },
            { .fd = actors[PEER].report } };
        while (poll(waiting, sizeof waiting / sizeof *waiting, -1) < 0 && errno == EINTR)
            ;
    }
    end_roles(actors, ROLES);
    if (role->host_limit != NULL)
        host_limit_put_back(role->host_limit);
    sweep(role);
}

/* --- the caller --------------------------------------------------------------------------------------------------- */

static int check(const struct drill *drill, const struct drill_options *options, struct error *err)
{
    if (drill->host_limit != NULL && !options->host_limits)
        return error_set(
            err, -EPERM, drill->finding, "lowers %s of the whole host: --host-limits allows that", drill->host_limit);
    if (options->host_limits && drill->host_limit == NULL)
        return error_set(
            err, -EINVAL, "--host-limits", "is not for %s, which lowers none of the host's limits", drill->finding);
    if (options->in_host && !drill->in_host)
        return error_set(err, -EINVAL, "--in-host",
            "is not for %s, which loses packets, sets limits or fills tables; it runs in a namespace of its own",
            drill->finding);
    if (options->count > drill->most)
        return error_set(err, -EINVAL, "--count", "at most %u for %s", drill->most, drill->finding);
    return 0;
}

int drill_start(
    const struct drill *drill, const struct drill_options *options, struct drill_run *ret_run, struct error *err)
{
    int result = check(drill, options, err);
    if (result < 0)
        return result;
    struct role role = {
        .drill = drill,
        .count = options->count != 0 ? options->count : drill->count,
        .in_host = options->in_host,
        .is_line = drill->place == DRILL_LINE && !options->in_host,
    };
    int control[2], report[2];
    struct host_limit host_limit = { .fd = -1 };
    if (drill->host_limit != NULL) {
        if ((result = host_limit_open(&host_limit, drill->host_limit, err)) < 0)
            return result;
        role.host_limit = &host_limit;
    }
    if (pipe2(control, O_CLOEXEC) < 0 || pipe2(report, O_CLOEXEC) < 0) {
        result = error_set(err, -errno, NULL, "no pipe: %s", strerror(errno));
        host_limit_close(&host_limit);
        return result;
    }
    pid_t pid = fork();
    if (pid == 0) {
        setsid(); /* Ctrl-C is the caller's */
        prctl(PR_SET_NAME, "drill-stage", 0, 0, 0);
        prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
        signal(SIGPIPE, SIG_IGN);
        close(control[1]);
        close(report[0]);
        run_stage(&role, control[0], report[1]);
        _exit(0);
    }
    int fork_error = errno;
    close(control[0]);
    close(report[1]);
    *ret_run = (struct drill_run){
        .stage_pid = pid, .control_fd = control[1], .life_fd = report[0], .host_limit = host_limit
    };
    struct word word = { 0 };
    if (pid < 0)
        word.result = error_set(&word.error, -fork_error, NULL, "no process: %s", strerror(fork_error));
    else if (read(report[0], &word, sizeof word) != sizeof word)
        word.result = error_set(&word.error, -ECHILD, drill->finding, "the drill ended before it stood");
    if (word.result < 0) {
        drill_stop(ret_run);
        if (err != NULL)
            *err = word.error;
        return word.result;
    }
    ret_run->owner_pid = word.pid;
    ret_run->peer_pid = word.peer_pid;
    ret_run->netns_pid = role.in_host ? 0 : word.pid;
    ret_run->port = word.port;
    ret_run->count = word.count;
    ret_run->userns = word.userns;
    return 0;
}

void drill_stop(struct drill_run *run)
{
    enum { PATIENCE_TENTHS = 50 };
    close(run->control_fd);
    /* The stage ends within moments of the pipe. */
    for (int i = 0; run->stage_pid > 0 && waitpid(run->stage_pid, NULL, WNOHANG) == 0; i++) {
        if (i >= PATIENCE_TENTHS)
            kill(run->stage_pid, SIGKILL);
        clock_sleep_ms(i < 10 ? 10 : 100);
    }
    /* What a role had forked dies with it, a moment later. */
    struct pollfd life = { .fd = run->life_fd };
    poll(&life, 1, 1000);
    close(run->life_fd);
    host_limit_put_back(&run->host_limit);
    host_limit_close(&run->host_limit);
    *run = (struct drill_run){ .control_fd = -1, .life_fd = -1, .host_limit.fd = -1 };
}
