#pragma once
/* A process that holds TCP sockets, and the tables it refers to. All strings live in the snapshot's arena. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Threads that wait in the same place. */
struct wait_place {
    char state;          /* as in /proc/PID/stat: R S D T t Z … */
    const char *channel; /* kernel function that the thread sleeps in (/proc/PID/wchan), or NULL */
    const char *call;    /* system call, "recvfrom", or NULL if it cannot be seen */
    const char *target;  /* what the call's descriptor is: "10.0.0.9:5432 (ESTABLISHED)", "a pipe"; or NULL */
    int fd;              /* the call's descriptor, or -1 */
    uint32_t threads;
};

struct host;

/* States of a process that has ended although a table of sockets names it. Linux shows TASK_DEAD with these letters. */
enum {
    PROCESS_ENDED = 'X',    /* a command that asked for this process did not find it */
    PROCESS_UNLISTED = 'x', /* a list of all processes does not contain it */
};

struct process {
    uint32_t pid; /* 0: the source has only the name */
    uint32_t parent_pid;
    const char *name;    /* /proc/PID/comm, as it is: escape before showing; NULL: the source has only the PID */
    const char *command; /* the command line with spaces between arguments; NULL: none or hidden */
    const char *user;    /* name, or the number as text */
    uint32_t uid;
    const char *unit;      /* systemd unit, or NULL */
    bool user_unit;        /* the unit belongs to the user's service manager, not the system's */
    const char *container; /* container id (12 characters of a hash) or name, or NULL */
    uint32_t cgroup;       /* index into snapshot.cgroups, or NO_INDEX */
    uint32_t netns;        /* index into snapshot.netns, or NO_INDEX */
    uint32_t fds_open;     /* open descriptors; 0: hidden */
    uint32_t fds_limit;    /* soft RLIMIT_NOFILE; 0: unknown; UINT32_MAX: none */
    uint32_t fds_hard;     /* hard RLIMIT_NOFILE; 0: unknown; UINT32_MAX: none */
    uint32_t fds_sockets;  /* how many descriptors are sockets of any kind */
    uint32_t tcp_sockets;  /* how many are TCP sockets in this snapshot */
    uint64_t running_ms;   /* since it was started; 0: unknown */
    char state;            /* as in /proc/PID/stat; '?' unknown, or PROCESS_ENDED … */
    uint32_t tracer_pid;   /* the process that has attached to it by ptrace(); 0: none, or unknown */
    const char *tracer;    /* its name, or NULL */
    uint32_t threads;
    const struct host *host; /* NULL: the snapshot's only one */
    /* Where its threads wait, the place with most threads first. Read only for processes with sockets that may be
     * stuck. If the sum is less than `threads`, not all threads were seen. */
    const struct wait_place *waits;
    size_t wait_count;
};

/* One descriptor that refers to a TCP socket. Those of one socket form a list. */
enum { FD_UNKNOWN = 0x7fffffff }; /* held, but the source does not say by which descriptor */

struct holder {
    uint32_t inode;
    uint32_t process; /* index into snapshot.processes */
    uint32_t fd : 31; /* or FD_UNKNOWN */
    /*
     * The descriptor has FD_CLOEXEC. Read only if the process runs another program than its parent.
     */
    uint32_t close_on_exec : 1;
    uint32_t next; /* another holder of the same socket, or NO_INDEX */
};

struct netns {
    uint64_t inode;     /* of /proc/PID/ns/net; 0: unknown */
    const char *name;   /* "host", a name in /run/netns, a container id, or "net:[4026532281]" */
    uint32_t pid;       /* a process in it, through which it can be entered; 0: none was seen */
    bool by_descriptor; /* the process is in another namespace, and has this one open as descriptor `fd` */
    uint32_t fd;
    bool is_own;             /* the one that tcpwhy runs in */
    const struct host *host; /* NULL: the snapshot's only one */
};

struct cgroup {
    uint64_t id; /* inode of its directory; 0: unknown */
    const char *path;
    const char *unit;        /* or NULL */
    bool user_unit;          /* the unit belongs to a user's service manager */
    const char *container;   /* or NULL */
    const struct host *host; /* NULL: the snapshot's only one */
};

/*
 * For these functions, `process` may be NULL: it is not known.
 *
 * True if the process has a limit of descriptors, and the limit is known.
 */
bool process_has_limit(const struct process *process);
/* True if it is named by a table of sockets only, and has ended. */
bool process_has_ended(const struct process *process);
/* The used share of the limit in percent; 0 if the limit is not known. */
unsigned process_descriptors_percent(const struct process *process);
/* True if more than half of the limit is in use. */
bool process_descriptors_run_out(const struct process *process);
