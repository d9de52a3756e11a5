/*
 * A process that runs out of descriptors because of sockets, of TCP or others. At RLIMIT_NOFILE, accept(), socket() and
 * open() fail with EMFILE (alloc_fd() in fs/file.c), and clients have to wait. If another finding about the process
 * explains its descriptors (for example a leak), that is the root cause, and this finding is not made.
 *
 * Workers that are copies of one another have one finding: the one nearest to its limit stands for them.
 */
#include "diagnose/rules/descriptors.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "diagnose/command.h"
#include "diagnose/context.h"
#include "diagnose/finding.h"
#include "diagnose/group.h"
#include "diagnose/limits.h"
#include "diagnose/obstacle.h"
#include "diagnose/phrases.h"
#include "diagnose/queues.h"
#include "diagnose/rule.h"
#include "model/holders.h"

enum { SAMPLE_MAX = 20, STATES_SHOWN = 4 };

static const struct limits *limits_of(
    const struct context *context, const struct rule *rule, const struct process *process)
{
    return context_limits(context, context_process_service(context, process), rule);
}

/* The sockets of any kind, if known: UNIX and UDP sockets use descriptors too. Otherwise the TCP sockets. */
static uint32_t count_sockets(const struct process *process)
{
    return process->fds_sockets > process->tcp_sockets ? process->fds_sockets : process->tcp_sockets;
}

/* True if at least half of the descriptors are TCP sockets. If not, the description is about sockets in general. */
static bool is_about_tcp(const struct process *process)
{
    return (uint64_t)process->tcp_sockets * 2 >= process->fds_open;
}

static bool runs_out(const struct context *context, const struct rule *rule, const struct process *process)
{
    return process_descriptors_percent(process) >= limits_of(context, rule, process)->warning_percent &&
        (uint64_t)count_sockets(process) * 2 >= process->fds_open;
}

/* For each process: true if another finding explains at least a quarter of its open descriptors. */
static bool *find_explained(const struct snapshot *snapshot, const struct finding_list *list)
{
    bool *explained = xcalloc(snapshot->process_count + 1, sizeof *explained);
    for (size_t i = 0; i < list->count; i++) {
        const struct finding *finding = &list->items[i];
        for (size_t p = 0; finding->fault == FAULT_LOCAL_APPLICATION && p < finding->process_count; p++) {
            const struct process *process = finding->processes[p].process;
            explained[process - snapshot->processes] |= finding->processes[p].count * 4 >= process->fds_open;
        }
    }
    return explained;
}

/* Compares processes so that workers that are copies of one another are equal. The order has no other meaning. */
static int by_likeness(const void *a, const void *b)
{
    const struct process *one = *(const struct process *const *)a, *other = *(const struct process *const *)b;
    if (one->host != other->host)
        return one->host < other->host ? -1 : 1;
    if (one->parent_pid != other->parent_pid)
        return one->parent_pid < other->parent_pid ? -1 : 1;
    if (one->cgroup != other->cgroup)
        return one->cgroup < other->cgroup ? -1 : 1;
    if (one->fds_limit != other->fds_limit)
        return one->fds_limit < other->fds_limit ? -1 : 1;
    if (one->name == NULL && other->name == NULL) /* without names, no two processes count as copies */
        return one < other ? -1 : one > other;
    if (one->name == NULL || other->name == NULL)
        return one->name == NULL ? -1 : 1;
    return strcmp(one->name, other->name);
}

static bool is_worse(const struct process *one, const struct process *other)
{
    return one->fds_open != other->fds_open ? one->fds_open > other->fds_open : one->pid < other->pid;
}

/* A process that runs out of descriptors, which stands for its copies, and its sockets. */
struct exhausted {
    const struct process *process;
    uint64_t alike; /* how many other processes are copies of it and run out too */
    uint64_t by_state[STATE_COUNT];
    uint64_t selected;
    uint32_t *sample;
    size_t sample_count;
};

static void add_socket(const struct context *context, uint32_t index, struct arena *arena, struct exhausted *exhausted)
{
    exhausted->by_state[context->snapshot->conns[index].state]++;
    exhausted->selected += context->selected[index];
    if (exhausted->sample_count >= SAMPLE_MAX)
        return;
    if (exhausted->sample == NULL)
        exhausted->sample = arena_alloc(arena, SAMPLE_MAX * sizeof *exhausted->sample);
    exhausted->sample[exhausted->sample_count++] = index;
}

static void add_sockets(const struct context *context, struct arena *arena, struct exhausted *exhausted, size_t count)
{
    const struct snapshot *snapshot = context->snapshot;
    uint32_t *number_of = xcalloc(snapshot->process_count + 1, sizeof *number_of); /* 1 + index; 0: not exhausted */
    for (size_t i = 0; i < count; i++)
        number_of[exhausted[i].process - snapshot->processes] = (uint32_t)i + 1;
    for (size_t i = 0; count > 0 && i < snapshot->conn_count; i++) {
        const struct holder *holder = holders_first(snapshot, &snapshot->conns[i]);
        for (; holder != NULL; holder = holders_next_process(snapshot, holder)) {
            if (number_of[holder->process] != 0)
                add_socket(context, (uint32_t)i, arena, &exhausted[number_of[holder->process] - 1]);
        }
    }
    free(number_of);
}

static void evidence_states(struct arena *arena, struct exhausted *sockets, struct finding *finding)
{
    const char *text = "";
    for (unsigned shown = 0; shown < STATES_SHOWN; shown++) {
        int most = -1;
        for (int state = 0; state < STATE_COUNT; state++) {
            if (sockets->by_state[state] > 0 && (most < 0 || sockets->by_state[state] > sockets->by_state[most]))
                most = state;
        }
        if (most < 0)
            break;
        text = arena_printf(arena, "%s%s%s %s", text, shown ? ", " : "", state_name((enum conn_state)most),
            phrases_count(arena, sockets->by_state[most]));
        sockets->by_state[most] = 0;
    }
    if (*text != '\0')
        lines_add(&finding->evidence, arena, "Their states: %s.", text);
}

static void word(struct exhausted *exhausted, bool counts_only, struct arena *arena, struct finding *finding)
{
    const struct process *process = exhausted->process;
    uint64_t alike = exhausted->alike;
    const char *owner = phrases_process(arena, process);
    unsigned percent = process_descriptors_percent(process);
    bool about_tcp = is_about_tcp(process);
    finding->title = arena_printf(arena, "%s runs out of descriptors: %s of %s are open, %s of them %s", owner,
        phrases_count(arena, process->fds_open), phrases_count(arena, process->fds_limit),
        phrases_count(arena, about_tcp ? process->tcp_sockets : count_sockets(process)),
        about_tcp ? "TCP connections" : "sockets");
    finding
        ->why = "Every socket takes a descriptor. At the limit accept(), socket() and open() fail with EMFILE (\"Too "
                "many open files\"): new clients wait in the accept queue although the server is up, and its log "
                "files and databases cannot be opened either.";
    lines_add(&finding->evidence, arena, "%s of %s descriptors are open: %u %%.",
        phrases_count(arena, process->fds_open), phrases_count(arena, process->fds_limit), percent);
    if (about_tcp)
        lines_add(&finding->evidence, arena, "%s of them are TCP sockets.", phrases_count(arena, process->tcp_sockets));
    else if (counts_only)
        lines_add(&finding->evidence, arena,
            "%s of them are sockets; of what kind, a list of descriptors does not tell.",
            phrases_count(arena, count_sockets(process)));
    else
        lines_add(&finding->evidence, arena,
            "%s of them are sockets, %s of these in the tables of TCP: the others are UNIX, UDP or such, or TCP "
            "sockets without a connection.",
            phrases_count(arena, count_sockets(process)), phrases_count(arena, process->tcp_sockets));
    evidence_states(arena, exhausted, finding);
    if (alike > 0)
        lines_add(&finding->evidence, arena, "%s more %s like it %s as near to the limit.", phrases_count(arena, alike),
            alike == 1 ? "process" : "processes", alike == 1 ? "is" : "are");
    lines_add(&finding->ruled_out, arena,
        "Not a leak that another finding names: fewer than a quarter of these connections are in one.");
    lines_add(&finding->ruled_out, arena, "Not files or pipes: at least half of what is open are %s.",
        about_tcp ? "TCP sockets" : "sockets");

    command_raise_descriptors(arena, process, 4, "Raise the limit of the running process.", &finding->fix_now);
    if (about_tcp)
        fixes_add(&finding->fix_now, arena, "See who the connections belong to, and whether they are wanted.",
            arena_printf(arena, "tcpwhy count --pid %u --by state,peer", process->pid));
    else
        fixes_add(&finding->fix_now, arena, "See what the sockets are.",
            process->pid == 0 ? "lsof -nP -p PID" : arena_printf(arena, "lsof -nP -p %u", process->pid));
    fixes_add(&finding->fix_for_good, arena,
        "Give the service the limit that its load needs: LimitNOFILE= in its systemd unit, and the program's own "
        "setting (nginx: worker_rlimit_nofile, HAProxy: maxconn).",
        NULL);
    fixes_add(&finding->fix_for_good, arena,
        "Limit the load instead where connections are idle: shorter keep-alive time-outs, fewer connections in pools.",
        NULL);
    lines_add(&finding->will_not_help, arena,
        "fs.file-max or ulimit in another shell: the limit that bites is this process's own (RLIMIT_NOFILE).");
    lines_add(&finding->will_not_help, arena,
        "tcp_fin_timeout, tcp_tw_reuse: FIN_WAIT_2 orphans and TIME_WAIT hold no descriptor.");
}

static bool has_limit_of_shell(const struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->gap_count; i++) {
        if (gap_find(snapshot->gaps[i].id) == GAP_LIMIT_OF_SHELL)
            return true;
    }
    return false;
}

/* Connections that nobody holds, which its process would have to accept; or the listener whose queue they are in. */
static bool is_about_queue(const struct snapshot *snapshot, const struct finding *finding)
{
    return finding->fault == FAULT_LOCAL_APPLICATION &&
        (finding->owner_inferred || (finding->conn_count > 0 && conn_is_listener(&snapshot->conns[finding->conns[0]])));
}

/*
 * What waits in the accept queue of a process that has no descriptor left waits for one. Both findings stay, because
 * each has its own advice; the one about the queue names the other as its cause.
 */
static void cite_in_queues(const struct context *context, const char *id, struct arena *arena,
    struct finding_list *list, struct finding *exhaustion)
{
    const struct process *process = exhaustion->owner;
    if (obstacle_to_accept(process) != OBSTACLE_DESCRIPTORS)
        return;
    for (size_t i = 0; i < list->count; i++) {
        struct finding *finding = &list->items[i];
        if (finding == exhaustion || finding->owner != process || !is_about_queue(context->snapshot, finding))
            continue;
        lines_add(&exhaustion->evidence, arena,
            "%s %s in its accept queue for a descriptor: the finding %s has the same cause.",
            phrases_conns(arena, finding->count), finding->count == 1 ? "waits" : "wait", finding->id);
        lines_add(&finding->evidence, arena,
            "The finding %s is the cause: %s can accept none of them before it has descriptors again.", id,
            phrases_process(arena, process));
    }
}

static void add_finding(const struct context *context, const struct rule *rule, struct exhausted *exhausted,
    struct arena *arena, struct finding_list *list)
{
    const struct process *process = exhausted->process;
    struct process_count *held = arena_alloc(arena, sizeof *held);
    uint64_t count = is_about_tcp(process) ? process->tcp_sockets : count_sockets(process);
    *held = (struct process_count){ .process = process, .count = count };
    struct finding *finding = finding_list_add(list, rule);
    finding->severity = process_descriptors_percent(process) >= limits_of(context, rule, process)->critical_percent
        ? SEVERITY_CRITICAL
        : SEVERITY_WARNING;
    finding->owner = process;
    finding->processes = held;
    finding->process_count = 1;
    finding->count = count;
    finding->conns = exhausted->sample;
    finding->conn_count = exhausted->sample_count;
    finding->selected_count = exhausted->selected;
    finding->netns = process->netns < context->snapshot->netns_count ? &context->snapshot->netns[process->netns] : NULL;
    word(exhausted, context->snapshot->counts_only, arena, finding);
    cite_in_queues(context, rule->id, arena, list, finding);
    if (has_limit_of_shell(context->snapshot))
        finding->confidence = CONFIDENCE_LIKELY;
}

/* Finds the processes that run out. Copies count once. Returns their number; the caller frees *ret_exhausted. */
static size_t find_exhausted(const struct context *context, const struct rule *rule, const struct finding_list *list,
    struct exhausted **ret_exhausted)
{
    const struct snapshot *snapshot = context->snapshot;
    bool *explained = find_explained(snapshot, list);
    const struct process **found = xcalloc(snapshot->process_count + 1, sizeof *found);
    size_t found_count = 0, count = 0;
    for (size_t i = 0; i < snapshot->process_count; i++) {
        if (!explained[i] && runs_out(context, rule, &snapshot->processes[i]))
            found[found_count++] = &snapshot->processes[i];
    }
    qsort(found, found_count, sizeof *found, by_likeness);
    struct exhausted *exhausted = xcalloc(found_count + 1, sizeof *exhausted);
    for (size_t i = 0; i < found_count; i++) {
        if (i == 0 || by_likeness(&found[i - 1], &found[i]) != 0) {
            exhausted[count++].process = found[i];
            continue;
        }
        exhausted[count - 1].alike++;
        if (is_worse(found[i], exhausted[count - 1].process))
            exhausted[count - 1].process = found[i];
    }
    free(found);
    free(explained);
    *ret_exhausted = exhausted;
    return count;
}

void descriptor_exhaustion_assess(
    const struct context *context, const struct rule *rule, struct arena *arena, struct finding_list *list)
{
    struct exhausted *exhausted;
    size_t count = find_exhausted(context, rule, list, &exhausted);
    add_sockets(context, arena, exhausted, count);
    for (size_t i = 0; i < count; i++)
        add_finding(context, rule, &exhausted[i], arena, list);
    free(exhausted);
}
