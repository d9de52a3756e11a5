#include "source/linux/processes.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/progress.h"
#include "source/linux/proc_file.h"
#include "source/linux/proc_text.h"
#include "source/text/cgroup_path.h"
#include "source/text/cgroups.h"

enum { TEXT_BYTES = 4096 };

/* Finds the mount point of cgroup v2; "" if it is not mounted. */
static void find_cgroup2(char *path, size_t size)
{
    path[0] = '\0';
    FILE *file = fopen("/proc/self/mountinfo", "re");
    if (file == NULL)
        return;
    char line[TEXT_BYTES];
    while (fgets(line, sizeof line, file) != NULL) {
        /* "36 35 98:0 /root /mount/point options … - type source options" */
        char point[256];
        const char *type = strstr(line, " - ");
        if (type != NULL && strncmp(type, " - cgroup2 ", strlen(" - cgroup2 ")) == 0 &&
            sscanf(line, "%*s %*s %*s %*s %255s", point) == 1) {
            snprintf(path, size, "%s", point);
            break;
        }
    }
    fclose(file);
}

/* The kernel's cgroup_id() is the inode of the cgroup's directory on 64-bit machines. Returns 0 if it is unknown. */
static uint64_t id_of_cgroup(const char *root, const char *path)
{
    char folder[TEXT_BYTES];
    struct stat status;
    bool is_known = root[0] != '\0' && snprintf(folder, sizeof folder, "%s%s", root, path) < (int)sizeof folder &&
        stat(folder, &status) == 0;
    return is_known ? status.st_ino : 0;
}

static void read_cgroup(struct snapshot *snapshot, struct process *process, int folder, const char *root)
{
    char text[TEXT_BYTES], path[TEXT_BYTES];
    const char *start;
    if (proc_read(folder, "cgroup", text, sizeof text) <= 0)
        return;
    size_t length = proc_parse_cgroup(text, &start);
    if (length == 0)
        return;
    memcpy(path, start, length);
    path[length] = '\0';
    bool is_new;
    uint32_t cgroup = cgroups_intern(snapshot, path, length, &is_new);
    if (is_new)
        snapshot->cgroups[cgroup].id = id_of_cgroup(root, path);
    cgroups_put(snapshot, process, cgroup);
}

const char *processes_container_of(struct snapshot *snapshot, uint32_t pid)
{
    char path[32], text[TEXT_BYTES];
    const char *start, *container;
    snprintf(path, sizeof path, "/proc/%u/cgroup", pid);
    if (proc_read(AT_FDCWD, path, text, sizeof text) <= 0)
        return NULL;
    size_t length = proc_parse_cgroup(text, &start);
    if (length == 0)
        return NULL;
    text[(size_t)(start - text) + length] = '\0';
    length = proc_cgroup_container(start, &container);
    return length > 0 ? arena_strndup(&snapshot->arena, container, length) : NULL;
}

/*
 * Returns the name of a user, or the number if /etc/passwd has no name. It does not use the name service, which may ask
 * a server: this tool runs on hosts whose network is broken.
 */
static const char *user_name(struct snapshot *snapshot, const char *passwd, uint32_t uid)
{
    for (const char *line = passwd; *line != '\0';) {
        size_t length = strcspn(line, ":\n");
        const char *password = line + length + (line[length] == ':');
        const char *number = password + strcspn(password, ":\n");
        if (*number == ':' && strtoul(number + 1, NULL, 10) == uid)
            return arena_strndup(&snapshot->arena, line, length);
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    return arena_printf(&snapshot->arena, "%u", uid);
}

/* The name is read from /proc: a tracer usually has no TCP socket and is not in the snapshot. */
static void read_tracer(struct snapshot *snapshot, struct process *process, const char *status)
{
    char path[40], name[64];
    process->tracer_pid = proc_parse_status_tracer(status);
    if (process->tracer_pid == 0)
        return;
    snprintf(path, sizeof path, "/proc/%u/comm", process->tracer_pid);
    ssize_t length = proc_read(AT_FDCWD, path, name, sizeof name);
    if (length > 1)
        process->tracer = arena_strndup(&snapshot->arena, name, strcspn(name, "\n"));
}

static void read_user(struct snapshot *snapshot, struct process *process, int folder, const char *passwd)
{
    char text[TEXT_BYTES];
    if (proc_read(folder, "status", text, sizeof text) <= 0 || proc_parse_status_uid(text, &process->uid) < 0) {
        process->user = "?";
        return;
    }
    read_tracer(snapshot, process, text);
    for (const struct process *other = snapshot->processes; other < process; other++) {
        if (other->uid == process->uid) {
            process->user = other->user;
            return;
        }
    }
    process->user = user_name(snapshot, passwd, process->uid);
}

/* NULs separate the arguments. A process may overwrite them with any text. */
static void read_command(struct snapshot *snapshot, struct process *process, int folder)
{
    char text[TEXT_BYTES];
    ssize_t length = proc_read(folder, "cmdline", text, sizeof text);
    while (length > 0 && (text[length - 1] == '\0' || text[length - 1] == ' '))
        length--;
    if (length <= 0)
        return;
    for (ssize_t i = 0; i < length; i++) {
        if (text[i] == '\0')
            text[i] = ' ';
    }
    process->command = arena_strndup(&snapshot->arena, text, (size_t)length);
}

/* False if the process that was walked over has ended, and a new process has its pid. */
static bool read_stat(struct snapshot *snapshot, struct process *process, int folder, uint64_t walked_ms)
{
    char text[TEXT_BYTES];
    struct proc_stat stat;
    if (proc_read(folder, "stat", text, sizeof text) <= 0 || proc_parse_stat(text, &stat) < 0)
        return true;
    long ticks_per_second = sysconf(_SC_CLK_TCK);
    if (ticks_per_second > 0) {
        uint64_t now_ms = clock_boot_ms();
        uint64_t start_ms = stat.start_ticks * 1000 / (uint64_t)ticks_per_second;
        if (start_ms > walked_ms)
            return false;
        process->running_ms = now_ms > start_ms ? now_ms - start_ms : 1;
    }
    process->name = arena_strdup(&snapshot->arena, stat.name);
    process->parent_pid = stat.parent_pid;
    process->threads = stat.threads;
    /* The state is that of the first thread. If that one has ended, the others' state is unknown. */
    process->state = stat.state == 'Z' && stat.threads > 1 ? '?' : stat.state;
    return true;
}

void processes_describe(struct snapshot *snapshot, uint64_t walked_ms)
{
    enum { PASSWD_BYTES = 256 * 1024 };
    char root[256], limits[TEXT_BYTES];
    find_cgroup2(root, sizeof root);
    char *passwd = xrealloc_array(NULL, PASSWD_BYTES, 1);
    proc_read(AT_FDCWD, "/etc/passwd", passwd, PASSWD_BYTES); /* "" if it cannot be read */
    for (size_t i = 0; i < snapshot->process_count; i++) {
        struct process *process = &snapshot->processes[i];
        char path[32];
        process->name = "(gone)";
        process->user = "?";
        process->state = '?';
        snprintf(path, sizeof path, "/proc/%u", process->pid);
        progress_begin("reading", path);
        int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder < 0)
            continue;
        if (read_stat(snapshot, process, folder, walked_ms)) {
            read_user(snapshot, process, folder, passwd);
            read_command(snapshot, process, folder);
            read_cgroup(snapshot, process, folder, root);
            if (proc_read(folder, "limits", limits, sizeof limits) > 0)
                proc_parse_limits(limits, &process->fds_limit, &process->fds_hard);
        }
        close(folder);
    }
    free(passwd);
}
