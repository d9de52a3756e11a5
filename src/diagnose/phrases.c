#include "diagnose/phrases.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "diagnose/confirm.h"
#include "diagnose/context.h"
#include "diagnose/group.h"
#include "diagnose/obstacle.h"
#include "diagnose/platform.h"
#include "diagnose/restart.h"
#include "model/gap.h"
#include "model/host.h"

/* Moves a buffer's text into the arena. */
static const char *move_text(struct arena *arena, struct buf *text)
{
    const char *copy = arena_strndup(arena, buf_text(text), text->length);
    buf_deinit(text);
    return copy;
}

const char *phrases_count(struct arena *arena, uint64_t number)
{
    struct buf text = { 0 };
    text_count(&text, number);
    return move_text(arena, &text);
}

const char *phrases_conns(struct arena *arena, uint64_t number)
{
    return arena_printf(arena, "%s connection%s", phrases_count(arena, number), number == 1 ? "" : "s");
}

const char *phrases_duration(struct arena *arena, uint64_t ms)
{
    struct buf text = { 0 };
    text_duration(&text, ms);
    return move_text(arena, &text);
}

const char *phrases_bytes(struct arena *arena, uint64_t bytes)
{
    struct buf text = { 0 };
    text_bytes(&text, bytes);
    return move_text(arena, &text);
}

const char *phrases_address(struct arena *arena, const struct ip *address)
{
    struct buf text = { 0 };
    ip_format(&text, address);
    return move_text(arena, &text);
}

const char *phrases_select_end(struct arena *arena, const struct ip *address, uint16_t port)
{
    if (!ip_is_word(address))
        return arena_printf(arena, " --peer %s", phrases_address(arena, address));
    return port != 0 ? arena_printf(arena, " --port %u", port) : "";
}

const char *phrases_end(struct arena *arena, const struct ip *address, uint16_t port)
{
    struct buf text = { 0 };
    ip_port_format(&text, address, port);
    return move_text(arena, &text);
}

const char *phrases_process(struct arena *arena, const struct process *process)
{
    if (process == NULL)
        return "A process that could not be seen";
    const char *on = hosts_words_on(process->host, arena);
    if (process->name == NULL)
        return arena_printf(arena, "Process %" PRIu32 "%s", process->pid, on);
    if (process->pid == 0)
        return arena_printf(arena, "%s%s", process->name, on);
    return arena_printf(arena, "%s (pid %" PRIu32 ")%s", process->name, process->pid, on);
}

const struct process *phrases_obstructed(struct arena *arena, const struct finding *finding)
{
    if (phrases_obstacle(arena, finding->owner) != NULL)
        return finding->owner;
    for (size_t i = 0; i < finding->process_count; i++) {
        if (phrases_obstacle(arena, finding->processes[i].process) != NULL)
            return finding->processes[i].process;
    }
    return NULL;
}

void phrases_unseen(
    struct arena *arena, const struct context *context, const struct group *group, struct lines *evidence)
{
    if (context->snapshot->origin != NULL) /* for a capture, a gap says so already */
        return;
    const char *listens = group->listener_holder == NULL
        ? ""
        : arena_printf(
              arena, " %s listens on the %s.", phrases_process(arena, group->listener_holder), phrases_ports(group));
    lines_add(evidence, arena,
        "No descriptor of them was found: they are held where tcpwhy cannot look (no permission, another PID "
        "namespace), are on the way from one process to another (SCM_RIGHTS), or belong to io_uring or to the kernel "
        "itself.%s",
        listens);
}

const char *phrases_process_within(struct arena *arena, const struct process *process)
{
    if (process != NULL && process->name == NULL)
        return arena_printf(arena, "process %" PRIu32 "%s", process->pid, hosts_words_on(process->host, arena));
    return process == NULL ? "the process" : phrases_process(arena, process);
}

const char *phrases_peers_have(const struct group *group)
{
    return group->count == 1 ? "the peer has" : "the peers have";
}

static bool has_one_remote(const struct context *context, const struct group *group)
{
    const struct conn *conns = context->snapshot->conns;
    for (size_t i = 1; i < group->count; i++) {
        if (!ip_equal(&conns[group->conns[0]].remote, &conns[group->conns[i]].remote))
            return false;
    }
    return true;
}

const char *phrases_service(struct arena *arena, const struct context *context, const struct group *group)
{
    const struct conn *conn = &context->snapshot->conns[group->conns[0]];
    bool many = group->distinct_ports > 1;
    if (group->incoming)
        return many ? arena_printf(arena, "on %s local ports", phrases_count(arena, group->distinct_ports))
                    : arena_printf(arena, "on port %u", conn->local_port);
    bool one = has_one_remote(context, group);
    if (many)
        return arena_printf(arena, "to %s ports of %s", phrases_count(arena, group->distinct_ports),
            one ? phrases_address(arena, &conn->remote) : "several hosts");
    if (one)
        return arena_printf(arena, "to %s", phrases_end(arena, &conn->remote, conn->remote_port));
    return arena_printf(arena, "to port %u of several hosts", conn->remote_port);
}

const char *phrases_ports(const struct group *group)
{
    return group->distinct_ports > 1 ? "ports" : "port";
}

/* --- whether a process can act ---------------------------------------------------------------------------------- */

const char *phrases_obstacle(struct arena *arena, const struct process *process)
{
    return obstacle_text(arena, process, obstacle_of(process));
}

bool phrases_is_state_known(const struct process *process)
{
    return process != NULL && process->state != '\0' && process->state != '?';
}

bool phrases_is_halted(const struct process *process)
{
    return obstacle_is_halt(obstacle_of(process));
}

bool phrases_fix_obstacle(struct arena *arena, const struct context *context, const struct finding *finding,
    const struct process *obstructed, struct fixes *fixes)
{
    enum obstacle obstacle = obstacle_of(obstructed);
    if (!obstacle_is_halt(obstacle))
        return false;
    const struct process_count only = { obstructed, 1 };
    if (finding->process_count > 0)
        return obstacle_fix(arena, context->snapshot, finding->processes, finding->process_count, obstacle, fixes);
    return obstacle_fix(arena, context->snapshot, &only, 1, obstacle, fixes);
}

/* --- fixes and evidence that several rules share ---------------------------------------------------------------- */

/* A name from outside, quoted for a shell. NULL if it cannot be quoted. */
static const char *shell_word(struct arena *arena, const char *name)
{
    struct buf text = { 0 };
    bool plain = text_shell_quote(&text, name);
    const char *word = move_text(arena, &text);
    return plain ? word : NULL;
}

static const char *pid_text(struct arena *arena, const struct process *process)
{
    return arena_printf(arena, "%" PRIu32, process->pid);
}

static bool has_gap(const struct snapshot *snapshot, const char *id)
{
    for (size_t i = 0; i < snapshot->gap_count; i++) {
        if (strcmp(snapshot->gaps[i].id, id) == 0)
            return true;
    }
    return false;
}

/* The source has put another remedy in the place of the usual one, which is to be root. */
static bool owners_are_hidden_from_root(const struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->gap_count; i++) {
        const struct gap *gap = &snapshot->gaps[i];
        if (strcmp(gap->id, gap_infos[GAP_OWNERS_HIDDEN].id) == 0)
            return gap->remedy != NULL && strcmp(gap->remedy, gap_infos[GAP_OWNERS_HIDDEN].remedy) != 0;
    }
    return false;
}

static void fix_restart(struct arena *arena, const struct context *context, const struct process *process,
    bool keeps_evidence, struct fixes *fixes)
{
    const struct platform *platform = platform_of(context->snapshot);
    if (process == NULL) {
        if (context->snapshot->origin != NULL)
            fixes_add(fixes, arena, platform->owners.text, platform->owners.command);
        else if (has_gap(context->snapshot, "owners-elsewhere"))
            fixes_add(fixes, arena,
                "Every process that can be seen from here was searched. Look from the PID namespace that they are in, "
                "or from the host's. The kernel's own clients (NFS, CIFS, iSCSI) have no process.",
                "sudo lsns -t pid");
        else if (has_gap(context->snapshot, "owners-unsettled"))
            fixes_add(fixes, arena,
                "Look again: processes began and ended while their descriptors were read, and one of them may hold "
                "these. If that stays, find what starts processes so fast.",
                "sudo tcpwhy");
        else if (owners_are_hidden_from_root(context->snapshot))
            fixes_add(fixes, arena,
                "Find out who holds them: root may not see it here (a user namespace, a container, or too few "
                "capabilities). Run tcpwhy outside of that, as the host's root. The kernel's own clients (NFS, CIFS, "
                "iSCSI) have no process.",
                NULL);
        else /* with the rights of root, tcpwhy shows the holders */
            fixes_add(fixes, arena, platform->owners.text, "sudo tcpwhy");
        return;
    }
    if (process->pid == 0) {
        fixes_add(fixes, arena, platform->restart.text, NULL);
        return;
    }
    if (restart_windows_system(arena, context->snapshot, process, fixes))
        return;
    const struct process_count only = { process, 1 };
    if (keeps_evidence)
        obstacle_keep_evidence(arena, context->snapshot, &only, 1, fixes);
    if (platform->service.text != NULL)
        fixes_add(fixes, arena, platform->service.text,
            platform_fill(arena, platform->service.command, pid_text(arena, process)));
    const char *word;
    if (obstacle_of(process) == OBSTACLE_KERNEL) {
        obstacle_fix_end(arena, process, fixes);
    } else if (restart_container(arena, context->snapshot, process, fixes)) {
        return;
    } else if (process->unit != NULL && strstr(process->unit, ".service") != NULL &&
        (word = shell_word(arena, process->unit)) != NULL) {
        fixes_add(fixes, arena,
            "Restart the service: the kernel closes its descriptors, and with them every one of these connections.",
            process->user_unit ? arena_printf(arena, "systemctl --user -M %" PRIu32 "@ restart %s", process->uid, word)
                               : arena_printf(arena, "systemctl restart %s", word));
    } else if (process->pid == 1) {
        fixes_add(fixes, arena,
            "Do not end process 1, which everything else here depends on: restart the service that these belong to.",
            NULL);
    } else if (!obstacle_fix_end(arena, process, fixes)) {
        fixes_add(fixes, arena, platform->restart.text,
            platform_fill(arena, platform->restart.command, pid_text(arena, process)));
    }
}

void phrases_fix_restart(
    struct arena *arena, const struct context *context, const struct process *process, struct fixes *fixes)
{
    fix_restart(arena, context, process, true, fixes);
}

void phrases_fix_restart_only(
    struct arena *arena, const struct context *context, const struct process *process, struct fixes *fixes)
{
    fix_restart(arena, context, process, false, fixes);
}

void phrases_fix_threads(
    struct arena *arena, const struct context *context, const struct process *process, struct fixes *fixes)
{
    const struct process_count only = { process, 1 };
    if (process != NULL)
        obstacle_keep_evidence(arena, context->snapshot, &only, 1, fixes);
}

void phrases_fix_close_always(struct arena *arena, struct finding *finding)
{
    fixes_add(&finding->fix_for_good, arena,
        "Close the socket on every path out of the handler, errors and time-outs included: when read returns 0 (or "
        "-1, or an exception), close. 'tcpwhy explain closing' has the pattern for C, C++, C#, Java, Python, "
        "JavaScript, Go, Rust, PHP and Ruby, and for epoll.",
        NULL);
}

const char *phrases_second_snapshot(const struct snapshot *snapshot)
{
    return snapshot->origin == NULL ? "take two snapshots ('--confirm 60')" : "take the capture again a minute later";
}

void phrases_descriptors(struct arena *arena, const struct process *process, struct lines *evidence)
{
    if (process == NULL || process->fds_open == 0)
        return;
    const char *open = phrases_count(arena, process->fds_open);
    if (!process_has_limit(process)) {
        lines_add(evidence, arena, "%s has %s descriptors open.", phrases_process(arena, process), open);
        return;
    }
    lines_add(evidence, arena, "%s has %s of its %s descriptors open (%u %%); at the limit accept() and open() fail.",
        phrases_process(arena, process), open, phrases_count(arena, process->fds_limit),
        process_descriptors_percent(process));
}
