/*
 * A process whose descriptors run out, with TCP sockets as the reason: at RLIMIT_NOFILE accept(), socket() and open()
 * fail with EMFILE (alloc_fd() in fs/file.c), and clients pile up before it. Where another finding about the process
 * explains its descriptors already (a leak, say), that is the root cause and this is its proof, told there.
 *
 * Workers that are alike have one finding: the one who is nearest to its limit stands for them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "diagnose/rule.h"

enum { SAMPLE_MOST = 20, STATES_SHOWN = 4 };

static unsigned used_percent(const struct process *process)
{
    if (process->fds_limit == 0 || process->fds_limit == UINT32_MAX)
        return 0;
    return (unsigned)((uint64_t)process->fds_open * 100 / process->fds_limit);
}

static const struct limits *limits_of(
    const struct context *context, const struct rule *rule, const struct process *process)
{
    return context_limits(context, context_process_service(context, process), rule);
}

static bool runs_out(const struct context *context, const struct rule *rule, const struct process *process)
{
    return used_percent(process) >= limits_of(context, rule, process)->warning_percent &&
        (uint64_t)process->tcp_sockets * 2 >= process->fds_open;
}

/* A quarter of what is open is stuck for a reason that has its own finding. */
static bool is_explained(const struct finding_list *list, const struct process *process)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct finding *finding = &list->items[i];
        for (size_t p = 0; finding->fault == FAULT_LOCAL_APPLICATION && p < finding->process_count; p++) {
            if (finding->processes[p].process == process && finding->processes[p].count * 4 >= process->fds_open)
                return true;
        }
    }
    return false;
}

static bool are_alike(const struct process *one, const struct process *other)
{
    return one->host == other->host && one->parent_pid == other->parent_pid && one->cgroup == other->cgroup &&
        one->fds_limit == other->fds_limit && one->name != NULL && other->name != NULL &&
        strcmp(one->name, other->name) == 0;
}

static bool is_worse(const struct process *one, const struct process *other)
{
    return one->fds_open != other->fds_open ? one->fds_open > other->fds_open : one->pid < other->pid;
}

/* What its sockets are: filled in one pass over the connections. */
struct sockets {
    uint64_t by_state[STATE_COUNT];
    uint64_t selected;
    uint32_t *sample;
    size_t sample_count;
};

static void look_at_sockets(
    const struct context *context, const struct process *process, struct arena *arena, struct sockets *sockets)
{
    const struct snapshot *snapshot = context->snapshot;
    sockets->sample = arena_alloc(arena, SAMPLE_MOST * sizeof *sockets->sample);
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        bool holds = false;
        for (uint32_t h = conn->holder; h != NO_INDEX && !holds; h = snapshot->holders[h].next)
            holds = &snapshot->processes[snapshot->holders[h].process] == process;
        if (!holds)
            continue;
        sockets->by_state[conn->state]++;
        sockets->selected += context->selected[i];
        if (context->selected[i] && sockets->sample_count < SAMPLE_MOST)
            sockets->sample[sockets->sample_count++] = (uint32_t)i;
    }
}

static void evidence_states(struct arena *arena, struct sockets *sockets, struct finding *finding)
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
            words_count(arena, sockets->by_state[most]));
        sockets->by_state[most] = 0;
    }
    if (*text != '\0')
        lines_add(&finding->evidence, arena, "Their states: %s.", text);
}

static void word(const struct process *process, uint64_t alike, struct sockets *sockets, struct arena *arena,
    struct finding *finding)
{
    const char *owner = words_process(arena, process);
    unsigned percent = used_percent(process);
    finding->title = arena_printf(arena, "%s runs out of descriptors: %s of %s are open, %s of them TCP connections",
        owner, words_count(arena, process->fds_open), words_count(arena, process->fds_limit),
        words_count(arena, process->tcp_sockets));
    finding
        ->why = "Every socket takes a descriptor. At the limit accept(), socket() and open() fail with EMFILE (\"Too "
                "many open files\"): new clients wait in the accept queue although the server is up, and its log "
                "files and databases cannot be opened either.";
    lines_add(&finding->evidence, arena, "%s of %s descriptors are open: %u %%.", words_count(arena, process->fds_open),
        words_count(arena, process->fds_limit), percent);
    lines_add(&finding->evidence, arena, "%s of them are TCP sockets.", words_count(arena, process->tcp_sockets));
    evidence_states(arena, sockets, finding);
    if (alike > 0)
        lines_add(&finding->evidence, arena, "%s more %s like it %s as near to the limit.", words_count(arena, alike),
            alike == 1 ? "process" : "processes", alike == 1 ? "is" : "are");
    lines_add(&finding->ruled_out, arena,
        "A leak that shows: no quarter of them is stuck for a reason of which there is a finding.");
    lines_add(&finding->ruled_out, arena, "Files or pipes: at least half of what is open are TCP sockets.");

    uint64_t wanted = process->fds_limit;
    wanted = wanted < UINT32_MAX / 4 ? wanted * 4 : wanted;
    fixes_add(&finding->fix_now, arena, "Raise the limit of the running process.",
        arena_printf(arena, "prlimit --pid %u --nofile=%llu:   # the soft limit; the hard one stays", process->pid,
            (unsigned long long)wanted));
    fixes_add(&finding->fix_now, arena, "See who the connections belong to, and whether they are wanted.",
        arena_printf(arena, "tcpwhy count --pid %u --by state,peer", process->pid));
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

static void add_finding(const struct context *context, const struct rule *rule, const struct process *process,
    uint64_t alike, struct arena *arena, struct finding_list *list)
{
    struct sockets sockets = { 0 };
    look_at_sockets(context, process, arena, &sockets);
    if (!context->selects_all && sockets.selected == 0)
        return;
    struct process_count *held = arena_alloc(arena, sizeof *held);
    *held = (struct process_count){ .process = process, .count = process->tcp_sockets };
    struct finding *finding = finding_list_add(list, rule);
    finding->severity = used_percent(process) >= limits_of(context, rule, process)->critical_percent ? SEVERITY_CRITICAL
                                                                                                     : SEVERITY_WARNING;
    finding->owner = process;
    finding->processes = held;
    finding->process_count = 1;
    finding->count = process->tcp_sockets;
    finding->conns = sockets.sample;
    finding->conn_count = sockets.sample_count;
    finding->netns = process->netns < context->snapshot->netns_count ? &context->snapshot->netns[process->netns] : NULL;
    word(process, alike, &sockets, arena, finding);
}

void descriptor_exhaustion_assess(
    const struct context *context, const struct rule *rule, struct arena *arena, struct finding_list *list)
{
    const struct snapshot *snapshot = context->snapshot;
    size_t count = 0;
    const struct process **found = xcalloc(snapshot->process_count + 1, sizeof *found);
    uint64_t *alike = xcalloc(snapshot->process_count + 1, sizeof *alike);
    for (size_t i = 0; i < snapshot->process_count; i++) {
        const struct process *process = &snapshot->processes[i];
        if (!runs_out(context, rule, process) || is_explained(list, process))
            continue;
        size_t at = 0;
        while (at < count && !are_alike(found[at], process))
            at++;
        if (at == count) {
            found[count++] = process;
            continue;
        }
        alike[at]++;
        if (is_worse(process, found[at]))
            found[at] = process;
    }
    for (size_t i = 0; i < count; i++)
        add_finding(context, rule, found[i], alike[i], arena, list);
    free(found);
    free(alike);
}
