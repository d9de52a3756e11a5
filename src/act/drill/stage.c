/*
 * The processes of a drill and their namespaces.
 *
 * Nothing may stay behind, however the caller ends. So the stage waits for the end of the caller's pipe, which also
 * comes when the caller is killed, and then ends the roles and their sockets. If the stage itself is killed, the kernel
 * kills the roles (PR_SET_PDEATHSIG). Both the stage and the caller restore a lowered limit of the host, so it is
 * restored if one of them is left. The namespaces have no names; they end with the last process and socket in them.
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
    SPARE_DESCRIPTORS = 64, /* for pipes, namespaces, the listener, and files that the caller has open */
};

/* TEST-NET-1 (RFC 5737) is for documentation only. So these addresses cannot be confused with real ones. */
static const char here_address[] = "192.0.2.1", there_address[] = "192.0.2.2";

/* A role sends it to the stage, and the stage to the caller, when the fault exists or an error has occurred. */
struct outcome {
    int result;
    pid_t pid, peer_pid;
    unsigned count;
    uint16_t port;
    bool userns;
    struct error error;
};

/* --- functions for the roles -------------------------------------------------------------------------------------- */

int role_send(const struct role *role, uint32_t number, struct error *err)
{
    ssize_t sent = send(role->partner, &number, sizeof number, MSG_NOSIGNAL);
    return sent == sizeof number ? 0 : error_set(err, -EPIPE, NULL, "the other process of the drill has ended");
}

int role_receive(const struct role *role, uint32_t *ret_number, struct error *err)
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
    /* A socket stays in the namespace in which it was created. The process returns. */
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

int role_drop_packets(const struct role *role, enum role_direction direction, struct error *err)
{
    int result = enter(role->there_netns, err);
    if (result == 0)
        result = drill_net_drop(direction == DROP_TO_PEER ? NF_INET_PRE_ROUTING : NF_INET_LOCAL_OUT, err);
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

/* Makes the kernel kill this process when its parent ends. If the parent has already ended, the process ends now. */
static void die_with_parent(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != parent)
        raise(SIGKILL);
}

/* Undoes the signal settings that were inherited from the caller, so that usual signals end this process. */
static void reset_signals(void)
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
        die_with_parent(parent);
        prctl(PR_SET_NAME, name, 0, 0, 0);
    }
    return pid;
}

/* --- the process of a role ---------------------------------------------------------------------------------------- */

/* Runs one side of the drill. Returns only if the side fails or its tick() returns an error. */
static void play_role(struct role *role, const struct drill_side *side, int report)
{
    struct outcome outcome = { 0 };
    role->conns = xcalloc(2UL * role->count + SPARE_DESCRIPTORS, sizeof *role->conns);
    role->listener = -1;
    outcome.result = side->play != NULL ? side->play(role, &outcome.error) : 0;
    outcome.pid = role->owner_pid != 0 ? role->owner_pid : getpid();
    outcome.count = role->conn_count;
    outcome.port = role->port;
    if (write(report, &outcome, sizeof outcome) != sizeof outcome || outcome.result < 0)
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

/* Starts the process of a role. It closes close_fds, descriptors of the stage that it must not have. */
static int start_role(struct role *role, const char *name, const int close_fds[2], struct actor *ret_actor)
{
    int report[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, report) < 0)
        return -errno;
    pid_t pid = role_fork(name);
    if (pid == 0) {
        reset_signals();
        close(report[0]);
        close(close_fds[0]);
        close(close_fds[1]);
        play_role(role, role->is_peer ? &role->drill->peer : &role->drill->service, report[1]);
        _exit(0);
    }
    int result = pid < 0 ? -errno : 0;
    close(report[1]);
    *ret_actor = (struct actor){ .pid = pid, .report = report[0] };
    return result;
}

/* --- namespaces --------------------------------------------------------------------------------------------------- */

/*
 * Creates a user namespace, which gives this process the capabilities for a network namespace. The user is mapped to
 * root there. So a program that the user starts in it with nsenter keeps the capabilities, and may read the descriptors
 * of the drill's processes.
 */
static int unshare_with_userns(struct error *err)
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

/* Creates the second namespace and the veth pair between the two. The caller is in the first one afterwards. */
static int make_line(struct role *role, struct error *err)
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
    /* Answers to spoofed senders go to the peer's side, which drops them. */
    return result >= 0 ? drill_net_default_route(role->there, err) : result;
}

static int make_namespaces(struct role *role, bool *ret_userns, struct error *err)
{
    role->here.s_addr = role->there.s_addr = htonl(INADDR_LOOPBACK);
    role->here_netns = role->there_netns = -1;
    if (role->in_host)
        return 0;
    *ret_userns = unshare(CLONE_NEWNET) < 0;
    int result = *ret_userns ? unshare_with_userns(err) : 0;
    if (result == 0)
        result = role->here_netns = open_own_netns(err);
    if (result >= 0)
        result = drill_net_up("lo", err);
    if (result >= 0 && role->is_line)
        result = make_line(role, err);
    return result;
}

/* --- the stage ---------------------------------------------------------------------------------------------------- */

static int raise_descriptor_limit(unsigned count, struct error *err)
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

/* Waits for the outcome of a role. A role that ends without an outcome has failed. Returns 0 or a negative errno. */
static int wait_for_outcome(const struct actor *actor, struct outcome *ret_outcome)
{
    struct pollfd waiting = { .fd = actor->report, .events = POLLIN };
    if (poll(&waiting, 1, 2 * PATIENCE_MS) <= 0 ||
        read(actor->report, ret_outcome, sizeof *ret_outcome) != sizeof *ret_outcome) {
        ret_outcome->result = error_set(
            &ret_outcome->error, -ECHILD, NULL, "a process of the drill ended before its time");
    }
    return ret_outcome->result;
}

/* Kills the roles. Waits for them and for their children, which become children of the stage (a subreaper). */
static void end_roles(const struct actor *actors, int count)
{
    for (int i = 0; i < count; i++) {
        if (actors[i].pid > 0)
            kill(actors[i].pid, SIGKILL);
    }
    while (waitpid(-1, NULL, 0) > 0)
        ;
}

/* Ends the orphans, the sockets that the roles have closed. They would keep the namespaces alive for minutes. */
static void destroy_sockets(const struct role *role)
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
    struct outcome outcome = { 0 }, outcomes[ROLES] = { 0 };
    int partners[2];
    outcome.result = raise_descriptor_limit(role->count, &outcome.error);
    if (outcome.result == 0)
        outcome.result = make_namespaces(role, &outcome.userns, &outcome.error);
    if (outcome.result >= 0)
        outcome.result = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, partners) < 0 ? -errno : 0;
    for (int i = 0; i < ROLES && outcome.result == 0; i++) {
        role->is_peer = i == PEER;
        role->partner = partners[i];
        outcome.result = start_role(
            role, i == PEER ? "drill-peer" : role->drill->name, (int[]){ control, partners[!i] }, &actors[i]);
    }
    if (outcome.result == 0) {
        close(partners[0]);
        close(partners[1]);
    }
    /* If one role fails, the other one may fail because its partner is gone. The caller gets the cause, not this. */
    for (int i = 0; i < ROLES && outcome.result == 0; i++) {
        outcome.result = wait_for_outcome(&actors[i], &outcomes[i]);
        if (outcome.result == -EPIPE || outcome.result == -ECHILD)
            wait_for_outcome(&actors[!i], &outcomes[!i]);
        outcome.error = outcome.result < 0 && outcomes[!i].result < 0 && i == SERVICE ? outcomes[!i].error
                                                                                      : outcomes[i].error;
    }
    outcome.pid = outcomes[SERVICE].pid;
    outcome.peer_pid = outcomes[PEER].pid;
    outcome.port = role->drill->service.play != NULL ? outcomes[SERVICE].port : outcomes[PEER].port;
    outcome.count = outcomes[SERVICE].count != 0 ? outcomes[SERVICE].count : outcomes[PEER].count;
    bool reported = write(report, &outcome, sizeof outcome) == sizeof outcome;
    if (reported && outcome.result == 0) {
        /* Waits until the caller closes its end of the pipe, or a role ends. */
        struct pollfd waiting[] = { { .fd = control, .events = POLLIN }, { .fd = actors[SERVICE].report },
            { .fd = actors[PEER].report } };
        while (poll(waiting, sizeof waiting / sizeof *waiting, -1) < 0 && errno == EINTR)
            ;
    }
    end_roles(actors, ROLES);
    if (role->host_limit != NULL)
        host_limit_put_back(role->host_limit);
    destroy_sockets(role);
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
    if (options->count > drill->count_max)
        return error_set(err, -EINVAL, "--count", "at most %u for %s", drill->count_max, drill->finding);
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
        setsid(); /* Ctrl-C must reach only the caller */
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
    struct outcome outcome = { 0 };
    if (pid < 0)
        outcome.result = error_set(&outcome.error, -fork_error, NULL, "no process: %s", strerror(fork_error));
    else if (read(report[0], &outcome, sizeof outcome) != sizeof outcome)
        outcome.result = error_set(&outcome.error, -ECHILD, drill->finding, "the drill ended before it stood");
    if (outcome.result < 0) {
        drill_stop(ret_run);
        if (err != NULL)
            *err = outcome.error;
        return outcome.result;
    }
    ret_run->owner_pid = outcome.pid;
    ret_run->peer_pid = outcome.peer_pid;
    ret_run->netns_pid = role.in_host ? 0 : outcome.pid;
    ret_run->port = outcome.port;
    ret_run->count = outcome.count;
    ret_run->userns = outcome.userns;
    return 0;
}

void drill_stop(struct drill_run *run)
{
    enum { PATIENCE_TENTHS = 50 };
    close(run->control_fd);
    /* The stage usually ends at once after the pipe. If it has not ended after some seconds, it is killed. */
    for (int i = 0; run->stage_pid > 0 && waitpid(run->stage_pid, NULL, WNOHANG) == 0; i++) {
        if (i >= PATIENCE_TENTHS)
            kill(run->stage_pid, SIGKILL);
        clock_sleep_ms(i < 10 ? 10 : 100);
    }
    /* The children of a role are killed with it and end a moment later. */
    struct pollfd life = { .fd = run->life_fd };
    poll(&life, 1, 1000);
    close(run->life_fd);
    host_limit_put_back(&run->host_limit);
    host_limit_close(&run->host_limit);
    *run = (struct drill_run){ .control_fd = -1, .life_fd = -1, .host_limit.fd = -1 };
}
