#pragma once
/*
 * Parses the texts of /proc. Pure and bounded: text in, values out. Formats: proc(5),
 * Documentation/filesystems/proc.rst.
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

/* Parses /proc/PID/stat. The name may contain any byte, also parentheses and newlines. Returns 0 or -EBADMSG. */
int proc_parse_stat(const char *text, struct proc_stat *ret_stat);
/* Parses "Uid:" of /proc/PID/status: the effective user id. Returns 0 or -EBADMSG. */
int proc_parse_status_uid(const char *text, uint32_t *ret_uid);
/* Parses "TracerPid:" of /proc/PID/status: the pid of the process that traces it with ptrace(); 0: none. */
uint32_t proc_parse_status_tracer(const char *text);
/* Parses "voluntary_ctxt_switches:" of /proc/PID/status: how often it went to sleep. 0 if the line is missing. */
uint64_t proc_parse_status_switches(const char *text);
/*
 * Parses "Max open files" of /proc/PID/limits: the soft and the hard limit. UINT32_MAX stands for unlimited, and for
 * any larger number. Returns 0 or -EBADMSG.
 */
int proc_parse_limits(const char *text, uint32_t *ret_soft, uint32_t *ret_hard);
/*
 * Parses "flags:" of /proc/PID/fdinfo/FD, an octal number: the flags of the open file, and O_CLOEXEC of the
 * descriptor (seq_show() in fs/proc/fd.c). Returns 0 or -EBADMSG.
 */
int proc_parse_fdinfo_flags(const char *text, uint32_t *ret_flags);
/* Parses "socket:[12345]", the link /proc/PID/fd/N of a socket. False for other links. */
bool proc_parse_socket_link(const char *link, size_t length, uint32_t *ret_inode);
/* Parses "net:[4026531840]", the link /proc/PID/ns/net or /proc/PID/fd/N of a network namespace. False for others. */
bool proc_parse_netns_link(const char *link, size_t length, uint64_t *ret_inode);

/*
 * Finds the path in /proc/PID/cgroup: the one of cgroup v2 ("0::/…"), or of systemd's own v1 hierarchy if v2 has only
 * the root. Returns its length and points *ret_path to its start; 0: there is none.
 */
size_t proc_parse_cgroup(const char *text, const char **ret_path);

/*
 * Parses /proc/PID/syscall: the number of the system call and its first argument. The number is -1 if the thread is
 * running or blocked outside a system call. Returns 0 or -EBADMSG.
 */
int proc_parse_syscall(const char *text, long *ret_number, uint64_t *ret_argument);
