#pragma once
/*
 * The texts of /proc as values. Pure and bounded: text in, values out; a text that is not as expected yields less,
 * never an error. Formats: proc(5), Documentation/filesystems/proc.rst.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/setting.h"

struct proc_stat {
    char name[64];
    char state;
    uint32_t parent_pid;
    uint32_t threads;
    uint64_t start_ticks; /* after boot, in clock ticks */
    bool kernel_thread;   /* PF_KTHREAD */
};

/* /proc/PID/stat. The name may hold anything, parentheses and newlines included. Returns 0 or -EBADMSG. */
int proc_parse_stat(const char *text, struct proc_stat *ret_stat);
/* "Uid:" of /proc/PID/status: the effective user. Returns 0 or -EBADMSG. */
int proc_parse_status_uid(const char *text, uint32_t *ret_uid);
/* "TracerPid:" of /proc/PID/status: who has attached to it by ptrace(); 0: nobody. */
uint32_t proc_parse_status_tracer(const char *text);
/* "voluntary_ctxt_switches:" of /proc/PID/status: how often it has gone to sleep. */
uint64_t proc_parse_status_switches(const char *text);
/*
 * "Max open files" of /proc/PID/limits: the soft and the hard limit, UINT32_MAX for unlimited. Returns 0 or -EBADMSG.
 */
int proc_parse_limits(const char *text, uint32_t *ret_soft, uint32_t *ret_hard);
/* "flags:" of /proc/PID/fdinfo/FD, which is octal: O_CLOEXEC and what open() was called with. Returns 0 or -EBADMSG. */
int proc_parse_fdinfo_flags(const char *text, uint32_t *ret_flags);
/* "socket:[12345]", as /proc/PID/fd/N links to it. False for other links. */
bool proc_parse_socket_link(const char *link, size_t length, uint32_t *ret_inode);
/* "net:[4026531840]", as /proc/PID/ns/net links to it, and a descriptor of it. False for other links. */
bool proc_parse_netns_link(const char *link, size_t length, uint64_t *ret_inode);

/*
 * The path in /proc/PID/cgroup: of cgroup v2 ("0::/…"), or of systemd's own hierarchy where v2 has only the root.
 * Returns its length and where it starts, 0 where there is none.
 */
size_t proc_parse_cgroup(const char *text, const char **ret_path);

/*
 * /proc/PID/syscall: the number and its first argument; number -1: running, or not in a call. Returns 0 or -EBADMSG.
 */
int proc_parse_syscall(const char *text, long *ret_number, uint64_t *ret_argument);
