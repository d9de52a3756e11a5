/*
 * Windows: a socket whose owner has ended. The table of TCP connections (GetExtendedTcpTable()) names the process that
 * created the socket, as long as any process has a handle of it. A child process that has inherited a handle
 * (CreateProcess() with bInheritHandles) keeps the socket, and so the port, although its parent has ended. It does not
 * know the handle, so it does not accept, read or close.
 *
 * FIN_WAIT_2 and the states after it are no sign: there a process may have closed its socket and ended normally.
 */
#include "diagnose/rules/owner_ended.h"

#include <inttypes.h>
#include <string.h>

#include "diagnose/context.h"
#include "diagnose/group.h"
#include "diagnose/phrases.h"
#include "diagnose/platform.h"

bool owner_ended_applies(const struct context *context, const struct conn *conn, const struct limits *limits)
{
    (void)limits;
    if (conn->holder == NO_INDEX || !process_has_ended(snapshot_owner(context->snapshot, conn)))
        return false;
    const char *os = platform_of(context->snapshot)->os;
    return os != NULL && strcmp(os, "windows") == 0;
}

/* Another process that listens on the same port, or NULL. */
static const struct process *find_second_listener(
    const struct snapshot *snapshot, const struct conn *first, const struct process *owner)
{
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        if (!conn_is_listener(conn) || conn->local_port != first->local_port || conn->netns != first->netns)
            continue;
        const struct process *other = snapshot_owner(snapshot, conn);
        if (other != NULL && other != owner)
            return other;
    }
    return NULL;
}

static uint64_t count_state(const struct snapshot *snapshot, const struct group *group, enum conn_state state)
{
    uint64_t count = 0;
    for (size_t i = 0; i < group->count; i++)
        count += snapshot->conns[group->conns[i]].state == state;
    return count;
}

static void add_evidence(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    const struct snapshot *snapshot = context->snapshot;
    const struct conn *first = &snapshot->conns[group->conns[0]];
    const struct process *owner = finding->owner, *second = find_second_listener(snapshot, first, owner);
    lines_add(&finding->evidence, arena,
        owner->state == PROCESS_ENDED ? "There is no process %" PRIu32
                                        ": the command that asked for it, in the same text, did not find it."
                                      : "The list of all processes lacks %" PRIu32 ", and names what else is there.",
        owner->pid);
    lines_add(&finding->evidence, arena,
        "Rows with this PID: %" PRIu64 " in LISTEN, %" PRIu64 " in CLOSE_WAIT, %" PRIu64 " in ESTABLISHED.",
        count_state(snapshot, group, STATE_LISTEN), count_state(snapshot, group, STATE_CLOSE_WAIT),
        count_state(snapshot, group, STATE_ESTABLISHED));
    if (owner->state == PROCESS_UNLISTED)
        lines_add(&finding->evidence, arena,
            "The list does not say when it was made. A process that started or ended between the list and the rows is "
            "missing too: take both at one moment.");
    if (second != NULL)
        lines_add(&finding->evidence, arena,
            "%s listens on port %u too%s: two can do so only where both set SO_REUSEADDR, or listen at different "
            "addresses. Which of them a new client reaches is left to chance.",
            phrases_process(arena, second), first->local_port,
            process_has_ended(second) ? ", and has ended as well" : "");
    lines_add(&finding->ruled_out, arena,
        "Not that process itself: it can neither be ended nor restarted any more, and its program is not what "
        "keeps the socket.");
}

static void add_fixes(struct arena *arena, struct finding *finding)
{
    uint32_t pid = finding->owner->pid;
    fixes_add(&finding->fix_now, arena,
        "Find its children: they still name it as their parent, and one of them has the socket.",
        arena_printf(arena,
            "Get-CimInstance Win32_Process | Where-Object ParentProcessId -eq %" PRIu32
            " | Select-Object ProcessId,Name,CommandLine",
            pid));
    fixes_add(&finding->fix_now, arena,
        "Where none is left, a child of a child has it: see who has handles of sockets (handle64.exe of Sysinternals, "
        "from an elevated prompt), and which of these was started by the program that is gone.",
        "handle64.exe -a -nobanner \\Device\\Afd");
    fixes_add(&finding->fix_now, arena,
        "End that child in its usual way (a service: Restart-Service): the socket goes with its last handle, and the "
        "port is free. Then see that no row names the PID any more.",
        arena_printf(arena, "netstat -ano | findstr %" PRIu32, pid));
    fixes_add(&finding->fix_for_good, arena,
        "In the program: make sockets that are not inherited (WSASocket() with WSA_FLAG_NO_HANDLE_INHERIT), and start "
        "children with bInheritHandles FALSE, or with a list of the handles that they shall have "
        "(PROC_THREAD_ATTRIBUTE_HANDLE_LIST).",
        NULL);
    fixes_add(&finding->fix_for_good, arena,
        "Have the children end with their parent: put them into a job object with "
        "JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE.",
        NULL);
    lines_add(&finding->will_not_help, arena, "taskkill /F /PID %" PRIu32 ": there is no such process any more.", pid);
    lines_add(&finding->will_not_help, arena,
        "Starting the service again before: it cannot bind the port (WSAEADDRINUSE, 10048). With SO_REUSEADDR it can, "
        "and some clients still reach the socket that nobody serves.");
}

void owner_ended_describe(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    const struct snapshot *snapshot = context->snapshot;
    const struct conn *first = &snapshot->conns[group->conns[0]];
    bool listens = count_state(snapshot, group, STATE_LISTEN) > 0;
    bool is_found_missing = finding->owner->state == PROCESS_ENDED;
    finding->confidence = is_found_missing ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE;
    const char *ended = is_found_missing ? "which has ended" : "which seems to have ended";
    const char *inherited = is_found_missing ? "must have inherited" : "may have inherited";
    finding->title = listens
        ? arena_printf(arena, "Port %u is still held for %s, %s: a child %s the socket", first->local_port,
              phrases_process_within(arena, finding->owner), ended, inherited)
        : arena_printf(arena, "%s %s still held for %s, %s: a child %s %s", phrases_conns(arena, group->count),
              group->count == 1 ? "is" : "are", phrases_process_within(arena, finding->owner), ended, inherited,
              group->count == 1 ? "it" : "them");
    finding->why =
        "Windows goes on naming the process that made a socket after that has ended, as long as another process has "
        "a handle of it. A child that was started with inherited handles has one, and does not know: the socket "
        "stays, clients may still connect, and nobody accepts, reads or closes.";
    add_evidence(context, group, arena, finding);
    add_fixes(arena, finding);
}
