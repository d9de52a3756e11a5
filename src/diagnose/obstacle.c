#include "diagnose/obstacle.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "diagnose/command.h"
#include "diagnose/platform.h"

/* --- which obstacle --------------------------------------------------------------------------------------------- */

/*
 * True if the control group of the thread is frozen: kernel/cgroup/freezer.c, kernel/freezer.c. The compiler may inline
 * do_freezer_trap() into get_signal(). Apart from that, threads sleep in get_signal() only in the states T and t.
 */
static bool is_frozen(const struct wait_place *place)
{
    return place->channel != NULL &&
        (strcmp(place->channel, "do_freezer_trap") == 0 || strcmp(place->channel, "__refrigerator") == 0 ||
            (place->state == 'S' && strcmp(place->channel, "get_signal") == 0));
}

/* True if the thread runs, or waits for sockets or a timer: it will use its sockets again. Also true if unknown. */
static bool is_serving(const struct wait_place *place)
{
    static const char *const calls[] = { "epoll_wait", "epoll_pwait", "poll", "ppoll", "select", "pselect6", "accept",
        "accept4", "io_uring_enter", "nanosleep", "clock_nanosleep" };
    static const char *const channels[] = { "ep_poll", "poll", "select", "accept", "io_uring", "io_cqring",
        "nanosleep" };
    if (place->state != 'S' && place->state != 'D' && place->state != 'I')
        return place->state == 'R';
    if (place->state == 'D')
        return false;
    if (is_frozen(place))
        return false;
    for (size_t i = 0; place->call != NULL && i < sizeof calls / sizeof *calls; i++) {
        if (strcmp(place->call, calls[i]) == 0)
            return true;
    }
    for (size_t i = 0; place->call == NULL && place->channel != NULL && i < sizeof channels / sizeof *channels; i++) {
        if (strstr(place->channel, channels[i]) != NULL)
            return true;
    }
    /* It is not known where the thread waits: it may be serving. */
    return place->call == NULL && place->channel == NULL;
}

static enum obstacle of_threads(const struct process *process)
{
    bool uninterruptible = process->wait_count > 0;
    uint64_t seen = 0;
    for (size_t i = 0; i < process->wait_count; i++) {
        if (is_serving(&process->waits[i]))
            return OBSTACLE_NONE;
        uninterruptible &= process->waits[i].state == 'D';
        seen += process->waits[i].threads;
    }
    if (seen == 0 || seen < process->threads) /* a thread that was not seen may be serving */
        return OBSTACLE_NONE;
    if (is_frozen(&process->waits[0]))
        return OBSTACLE_FROZEN;
    return uninterruptible ? OBSTACLE_KERNEL : OBSTACLE_BUSY;
}

enum obstacle obstacle_of(const struct process *process)
{
    if (process == NULL)
        return OBSTACLE_NONE;
    switch (process->state) {
    case 'T':
        return OBSTACLE_STOPPED;
    case 't':
        return OBSTACLE_TRACED;
    case 'Z':
        return OBSTACLE_ZOMBIE;
    default:
        return of_threads(process);
    }
}

/* True if as many descriptors are open as the limit allows: alloc_fd() in fs/file.c then returns -EMFILE. */
static bool has_no_descriptor(const struct process *process)
{
    return process != NULL && process->fds_limit != 0 && process->fds_limit != UINT32_MAX && process->fds_open > 0 &&
        process->fds_open >= process->fds_limit;
}

enum obstacle obstacle_to_accept(const struct process *process)
{
    enum obstacle obstacle = obstacle_of(process);
    if (!obstacle_is_halt(obstacle) && has_no_descriptor(process))
        return OBSTACLE_DESCRIPTORS;
    return obstacle;
}

bool obstacle_is_halt(enum obstacle obstacle)
{
    return obstacle != OBSTACLE_NONE && obstacle < OBSTACLE_DESCRIPTORS;
}

/* --- sentences -------------------------------------------------------------------------------------------------- */

static const char *count_text(struct arena *arena, uint64_t number)
{
    struct buf text = { 0 };
    text_count(&text, number);
    const char *copy = arena_strdup(arena, buf_text(&text));
    buf_deinit(&text);
    return copy;
}

static const char *place_text(struct arena *arena, const struct wait_place *place)
{
    const char *where = place->call ? place->call : place->channel ? place->channel : "a system call";
    const char *threads = place->threads == 1
        ? "a thread waits"
        : arena_printf(arena, "%s threads wait", count_text(arena, place->threads));
    const char *lock = place->call != NULL && strcmp(place->call, "futex") == 0 ? " (a lock or a condition)" : "";
    const char *disk = place->state == 'D' ? ", uninterruptibly" : "";
    if (place->target != NULL)
        return arena_printf(arena, "%s in %s for %s%s", threads, where, place->target, disk);
    return arena_printf(arena, "%s in %s%s%s", threads, where, lock, disk);
}

static const char *places_text(struct arena *arena, const struct process *process)
{
    if (process->wait_count == 0)
        return "";
    const char *places = place_text(arena, &process->waits[0]);
    for (size_t i = 1; i < process->wait_count && i < 3; i++)
        places = arena_printf(arena, "%s; %s", places, place_text(arena, &process->waits[i]));
    return places;
}

static const char *tracer_name(struct arena *arena, const struct process *process)
{
    if (process->tracer_pid == 0)
        return "a debugger or tracer";
    if (process->tracer == NULL)
        return arena_printf(arena, "its tracer (pid %" PRIu32 ")", process->tracer_pid);
    return arena_printf(arena, "its tracer %s (pid %" PRIu32 ")", process->tracer, process->tracer_pid);
}

const char *obstacle_text(struct arena *arena, const struct process *process, enum obstacle obstacle)
{
    switch (obstacle) {
    case OBSTACLE_STOPPED:
        return "is stopped (state T: SIGSTOP, or Ctrl-Z) and cannot act until it is continued";
    case OBSTACLE_TRACED:
        return arena_printf(arena, "is held by %s (state t) and cannot act", tracer_name(arena, process));
    case OBSTACLE_ZOMBIE:
        return "has ended but was not waited for (a zombie)";
    case OBSTACLE_FROZEN:
        return "is frozen: its control group is paused (docker pause, systemctl freeze), and it cannot act";
    case OBSTACLE_KERNEL:
        return arena_printf(
            arena, "is stuck inside the kernel (state D), where it handles no signal: %s", places_text(arena, process));
    case OBSTACLE_DESCRIPTORS:
        return arena_printf(arena,
            "has no descriptor left (%s open of %s): accept() fails with EMFILE (\"Too many open files\")",
            count_text(arena, process->fds_open), count_text(arena, process->fds_limit));
    case OBSTACLE_BUSY:
        return arena_printf(arena, "has no thread that watches its sockets now: %s", places_text(arena, process));
    default:
        return NULL;
    }
}

/* --- fixes ------------------------------------------------------------------------------------------------------ */

/*
 * What removes each obstacle, and what ends the process. SIGTERM has no effect until a stopped process is continued,
 * until the tracer passes the signal on, or until a frozen group is thawed (complete_signal() in kernel/signal.c).
 * SIGKILL has no effect in state D, except in killable waits (TASK_KILLABLE is shown as D too). A process has one
 * tracer at a time (ptrace_attach()), and a tracer that attaches to a frozen process waits until that is thawed.
 */
static const struct {
    const char *title;       /* obstacle_title() */
    struct platform_fix fix; /* {}: PIDs; text NULL: there is none */
    struct platform_fix end; /* what to use instead of SIGTERM; text NULL: SIGTERM works */
    bool is_readable;        /* a debugger can attach and shows something useful */
} remedies[OBSTACLE_COUNT] = {
    [OBSTACLE_NONE] = { "", { 0 }, { 0 }, true },
    [OBSTACLE_STOPPED] = { "is stopped and ", { "Continue the stopped process.", "kill -CONT {}" },
        { "If it has to end: SIGTERM alone waits until it is continued.", "kill -TERM {}; kill -CONT {}" }, false },
    [OBSTACLE_TRACED] = { "is held by a tracer and ",
        { "Let the tracer go on or let go ('continue' or 'detach' in gdb), or end it: its processes then run again. No "
          "second debugger can attach meanwhile.",
            NULL },
        { "If it has to end while it is traced: only SIGKILL gets through; the tracer holds back every other signal.",
            "kill -KILL {}" },
        false },
    [OBSTACLE_ZOMBIE] = { "has ended and ",
        { "It has ended: no signal reaches it. Its parent has to collect it (waitpid()), or to end.", NULL },
        { "End its parent: init collects what that leaves behind.", "ps -o ppid= -p {}" }, false },
    [OBSTACLE_FROZEN] = { "is frozen and ",
        { "Let its control group go on: docker unpause, systemctl thaw, or whatever paused it. Until then it takes no "
          "signal but SIGKILL (with cgroup v1 not even that), and a debugger hangs.",
            "cat /proc/{}/cgroup" },
        { "If it has to end while it is frozen: only SIGKILL gets through, with cgroup v1 only after the thaw.",
            "kill -KILL {}" },
        false },
    [OBSTACLE_KERNEL] = { "is stuck inside the kernel and ",
        { "See what it waits for inside the kernel: a disk, a network file system whose server is gone, a driver. Mend "
          "that: a debugger hangs with it, and at most SIGKILL ends this wait.",
            "sudo cat /proc/{}/stack; findmnt -t nfs,nfs4,cifs,fuse; sudo dmesg | tail -n 20" },
        { "If it has to end: only SIGKILL may get through, where the wait is a killable one (NFS, FUSE, vfork()); else "
          "it ends when the wait is over.",
            "kill -KILL {}" },
        false },
    [OBSTACLE_DESCRIPTORS] = { "has no descriptor left and ", { 0 }, { 0 }, true },
    [OBSTACLE_BUSY] = { "", { 0 }, { 0 }, true },
};

const char *obstacle_action(enum obstacle obstacle)
{
    static const char *const actions[OBSTACLE_COUNT] = { [OBSTACLE_STOPPED] = "continue it",
        [OBSTACLE_TRACED] = "detach its tracer",
        [OBSTACLE_FROZEN] = "thaw its cgroup" };
    return actions[obstacle];
}

const char *obstacle_title(enum obstacle obstacle)
{
    return remedies[obstacle].title;
}

enum { PIDS_MAX = 64 }; /* in one command */

/*
 * "812 813 814": the PIDs of those processes that have the obstacle, at most PIDS_MAX. *ret_first is the first of them,
 * *ret_count their number.
 */
static const char *pids_of(struct arena *arena, const struct process_count *processes, size_t count,
    enum obstacle obstacle, const struct process **ret_first, size_t *ret_count)
{
    const char *pids = "";
    *ret_first = NULL;
    *ret_count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct process *process = processes[i].process;
        if (process->pid == 0 || obstacle_to_accept(process) != obstacle)
            continue;
        *ret_first = *ret_first != NULL ? *ret_first : process;
        if ((*ret_count)++ < PIDS_MAX)
            pids = arena_printf(arena, "%s%s%" PRIu32, pids, *ret_count > 1 ? " " : "", process->pid);
    }
    return pids;
}

/* The fix of the table, with the command that depends on the process. */
static struct platform_fix special_fix(struct arena *arena, const struct process *first, enum obstacle obstacle)
{
    struct platform_fix fix = remedies[obstacle].fix;
    if (obstacle == OBSTACLE_TRACED && first->tracer_pid != 0)
        fix.command = arena_printf(arena, "kill -TERM %" PRIu32 "   # %s", first->tracer_pid,
            first->tracer != NULL ? first->tracer : "the tracer");
    if (obstacle == OBSTACLE_ZOMBIE && first->parent_pid > 1)
        fix.command = arena_printf(arena, "kill -CHLD %" PRIu32, first->parent_pid);
    return fix;
}

bool obstacle_fix(struct arena *arena, const struct snapshot *snapshot, const struct process_count *processes,
    size_t count, enum obstacle obstacle, struct fixes *fixes)
{
    (void)snapshot;
    const struct process *first;
    size_t with_it;
    const char *pids = pids_of(arena, processes, count, obstacle, &first, &with_it);
    if (first == NULL)
        return false;
    if (obstacle == OBSTACLE_DESCRIPTORS) {
        command_raise_descriptors(
            arena, first, 2, "Give it descriptors: raise the limit of the running process.", fixes);
        fixes_add(fixes, arena, "See what it has open that it should have closed.",
            arena_printf(arena, "ls -l /proc/%" PRIu32 "/fd", first->pid));
        return true;
    }
    struct platform_fix fix = special_fix(arena, first, obstacle);
    if (fix.text == NULL)
        return false;
    if (obstacle == OBSTACLE_STOPPED && with_it > 1)
        fixes_add(fixes, arena,
            arena_printf(arena, "Continue the %s stopped processes%s.", count_text(arena, with_it),
                with_it > PIDS_MAX ? "; these are the first of them" : ""),
            platform_fill(arena, fix.command, pids));
    else
        fixes_add(fixes, arena, fix.text,
            platform_fill(
                arena, fix.command, obstacle == OBSTACLE_STOPPED ? pids : arena_printf(arena, "%" PRIu32, first->pid)));
    return true;
}

bool obstacle_fix_end(struct arena *arena, const struct process *process, struct fixes *fixes)
{
    const struct platform_fix *end = &remedies[obstacle_of(process)].end;
    if (end->text == NULL)
        return false;
    fixes_add(
        fixes, arena, end->text, platform_fill(arena, end->command, arena_printf(arena, "%" PRIu32, process->pid)));
    return true;
}

/* --- evidence that a restart would destroy ---------------------------------------------------------------------- */

/*
 * Programs with a tool of their own that shows more than a debugger. The prefix is that of the process or program name.
 */
static const struct {
    const char *prefix, *command;
} dumps[] = {
    { "java", "jstack {}" },
    { "python", "py-spy dump --pid {}   # more, and slower: gdb -p {} -batch -ex 'thread apply all bt'" },
    { "gunicorn", "py-spy dump --pid {}   # more, and slower: gdb -p {} -batch -ex 'thread apply all bt'" },
    { "uwsgi", "py-spy dump --pid {}   # more, and slower: gdb -p {} -batch -ex 'thread apply all bt'" },
    { "celery", "py-spy dump --pid {}   # more, and slower: gdb -p {} -batch -ex 'thread apply all bt'" },
    { "uvicorn", "py-spy dump --pid {}   # more, and slower: gdb -p {} -batch -ex 'thread apply all bt'" },
    { "dotnet", "dotnet-stack report -p {}" },
    { "ruby", "rbspy dump --pid {}   # more, and slower: gdb -p {} -batch -ex 'thread apply all bt'" },
    { "puma", "rbspy dump --pid {}   # more, and slower: gdb -p {} -batch -ex 'thread apply all bt'" },
    { "node", "node inspect -p {}   # then: pause, bt" },
    { "php", "gdb -p {} -batch -ex bt   # PHP's own stack: request_slowlog_timeout in its pool" },
};

static bool is_run_by(const struct process *process, const char *prefix)
{
    size_t length = strlen(prefix);
    if (process->name != NULL && strncmp(process->name, prefix, length) == 0)
        return true;
    if (process->command == NULL)
        return false;
    const char *program = process->command, *end = program + strcspn(program, " ");
    for (const char *c = program; c < end; c++) {
        if (*c == '/')
            program = c + 1;
    }
    return strncmp(program, prefix, length) == 0;
}

static const char *dump_command(const struct snapshot *snapshot, const struct process *process)
{
    const struct platform *platform = platform_of(snapshot);
    bool is_linux = platform->os != NULL && strcmp(platform->os, "linux") == 0;
    for (size_t i = 0; is_linux && i < sizeof dumps / sizeof *dumps; i++) {
        if (is_run_by(process, dumps[i].prefix))
            return dumps[i].command;
    }
    return platform->threads;
}

#define SEE_THREADS "See what its threads wait for."

static bool shows_threads(const struct fixes *fixes)
{
    for (size_t i = 0; i < fixes->count; i++) {
        if (strncmp(fixes->items[i].text, SEE_THREADS, strlen(SEE_THREADS)) == 0)
            return true;
    }
    return false;
}

void obstacle_keep_evidence(struct arena *arena, const struct snapshot *snapshot, const struct process_count *processes,
    size_t count, struct fixes *fixes)
{
    enum { PROCESSES_MAX = 8 };
    const struct process *first = NULL;
    const char *pids = "";
    unsigned named = 0;
    if (shows_threads(fixes))
        return;
    for (size_t i = 0; i < count && named < PROCESSES_MAX; i++) {
        const struct process *process = processes[i].process;
        if (process == NULL || process->pid == 0 || !remedies[obstacle_of(process)].is_readable)
            continue;
        first = first != NULL ? first : process;
        pids = arena_printf(arena, "%s%s%" PRIu32, pids, named++ > 0 ? " " : "", process->pid);
    }
    if (first == NULL)
        return;
    const char *command = dump_command(snapshot, first);
    bool is_usual = command == platform_of(snapshot)->threads || strstr(command, "gdb -p") != NULL;
    const char *cost = is_usual ? platform_of(snapshot)->threads_cost : NULL;
    if (first->tracer_pid != 0)
        command = arena_printf(arena, "kill -TERM %" PRIu32 "; %s", first->tracer_pid, command);
    const char *comment = strstr(command, "   #"); /* in a loop it would hide "done" */
    if (named == 1 || comment == NULL)
        comment = command + strlen(command);
    command = arena_strndup(arena, command, (size_t)(comment - command));
    command = named == 1 ? platform_fill(arena, command, pids)
                         : arena_printf(arena, "for p in %s; do %s; done", pids, platform_fill(arena, command, "$p"));
    if (first->tracer_pid != 0)
        fixes_add(fixes, arena,
            arena_printf(
                arena, SEE_THREADS " No debugger can attach beside %s: end that first.", tracer_name(arena, first)),
            command);
    else
        fixes_add(fixes, arena, cost == NULL ? SEE_THREADS : arena_printf(arena, SEE_THREADS " %s", cost), command);
}
