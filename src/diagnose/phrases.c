#include "diagnose/phrases.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "diagnose/confirm.h"
#include "diagnose/context.h"
#include "diagnose/group.h"
#include "diagnose/platform.h"
#include "model/holders.h"
#include "model/host.h"

/* Moves a buffer's text into the arena. */
static const char *take(struct arena *arena, struct buf *text)
{
    const char *copy = arena_strndup(arena, buf_text(text), text->length);
    buf_deinit(text);
    return copy;
}

const char *phrases_count(struct arena *arena, uint64_t number)
{
    struct buf text = { 0 };
    text_count(&text, number);
    return take(arena, &text);
}

const char *phrases_conns(struct arena *arena, uint64_t number)
{
    return arena_printf(arena, "%s connection%s", phrases_count(arena, number), number == 1 ? "" : "s");
}

const char *phrases_duration(struct arena *arena, uint64_t ms)
{
    struct buf text = { 0 };
    text_duration(&text, ms);
    return take(arena, &text);
}

const char *phrases_bytes(struct arena *arena, uint64_t bytes)
{
    struct buf text = { 0 };
    text_bytes(&text, bytes);
    return take(arena, &text);
}

const char *phrases_address(struct arena *arena, const struct ip *address)
{
    struct buf text = { 0 };
    ip_format(&text, address);
    return take(arena, &text);
}

const char *phrases_end(struct arena *arena, const struct ip *address, uint16_t port)
{
    struct buf text = { 0 };
    ip_port_format(&text, address, port);
    return take(arena, &text);
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

const char *phrases_owner(struct arena *arena, const struct finding *finding)
{
    uint64_t held = 0;
    for (size_t i = 0; i < finding->process_count; i++)
        held += finding->processes[i].count;
    bool shared_out = finding->process_count > 1 && held <= finding->count; /* else several hold the same ones */
    if (finding->owner == NULL || finding->owner->name == NULL || !shared_out)
        return phrases_process(arena, finding->owner);
    return arena_printf(arena, "%s (pid %" PRIu32 " and %s more)", finding->owner->name, finding->owner->pid,
        phrases_count(arena, finding->process_count - 1));
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
    if (context->snapshot->origin != NULL) /* what a capture does not show is a gap */
        return;
    const char *listens = group->listener_holder == NULL
        ? ""
        : arena_printf(
              arena, " %s listens on the %s.", phrases_process(arena, group->listener_holder), phrases_ports(group));
    lines_add(evidence, arena,
        "No descriptor of them was found: they are held where tcpwhy cannot look (no permission, another PID namespace), are on "
        "the way from one process to another (SCM_RIGHTS), or belong to io_uring or to the kernel itself.%s",
        listens);
}

void phrases_listener_holders(
    struct arena *arena, const struct snapshot *snapshot, const struct conn *listener, struct lines *evidence)
{
    enum { SHOWN = 3 };
    const char *text = "";
    unsigned count = 0;
    const struct holder *h = holders_first(snapshot, listener);
    for (; h != NULL; h = holders_next_process(snapshot, h)) {
        if (count++ < SHOWN)
            text = arena_printf(
                arena, "%s%s%s", text, count > 1 ? ", " : "", phrases_process(arena, holders_process(snapshot, h)));
    }
    if (count > 1)
        lines_add(evidence, arena, "%u processes have the listener open, and any of them may accept: %s%s.", count,
            text, count > SHOWN ? " …" : "");
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

/*
 * In the freezer of its control group, whatever it waited for before: kernel/cgroup/freezer.c, kernel/freezer.c. Where the
 * compiler has put do_freezer_trap() into get_signal(), nothing else sleeps there but what is stopped (T, t).
 */
static bool is_frozen(const struct wait_place *place)
{
    return place->channel != NULL &&
        (strcmp(place->channel, "do_freezer_trap") == 0 || strcmp(place->channel, "__refrigerator") == 0 ||
            (place->state == 'S' && strcmp(place->channel, "get_signal") == 0));
}

/* Waiting for sockets to become ready, or for a timer: this thread will look at its sockets again. */
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
    /* Nothing is known of where it waits: it may well be serving. */
    return place->call == NULL && place->channel == NULL;
}

static const char *words_place(struct arena *arena, const struct wait_place *place)
{
    const char *where = place->call ? place->call : place->channel ? place->channel : "a system call";
    const char *threads = place->threads == 1
        ? "a thread waits"
        : arena_printf(arena, "%s threads wait", phrases_count(arena, place->threads));
    const char *lock = place->call != NULL && strcmp(place->call, "futex") == 0 ? " (a lock or a condition)" : "";
    const char *disk = place->state == 'D' ? ", uninterruptibly" : "";
    if (place->target != NULL)
        return arena_printf(arena, "%s in %s for %s%s", threads, where, place->target, disk);
    return arena_printf(arena, "%s in %s%s%s", threads, where, lock, disk);
}

const char *phrases_obstacle(struct arena *arena, const struct process *process)
{
    if (process == NULL)
        return NULL;
    if (process->state == 'T')
        return "is stopped (state T: SIGSTOP, or Ctrl-Z) and cannot act until it is continued";
    if (process->state == 't')
        return "is held by a debugger or tracer (state t) and cannot act";
    if (process->state == 'Z')
        return "has ended but was not waited for (a zombie)";
    if (process->wait_count == 0)
        return NULL;
    uint64_t seen = 0;
    for (size_t i = 0; i < process->wait_count; i++) {
        if (is_serving(&process->waits[i]))
            return NULL;
        seen += process->waits[i].threads;
    }
    if (seen < process->threads) /* one of the others may be serving */
        return NULL;
    if (is_frozen(&process->waits[0]))
        return "is frozen: its control group is paused (docker pause, systemctl freeze), and it cannot act";
    const char *places = words_place(arena, &process->waits[0]);
    for (size_t i = 1; i < process->wait_count && i < 3; i++)
        places = arena_printf(arena, "%s; %s", places, words_place(arena, &process->waits[i]));
    return arena_printf(arena, "has no thread that watches its sockets now: %s", places);
}

const char *phrases_listener_obstacle(
    struct arena *arena, const struct snapshot *snapshot, const struct conn *listener, const struct process *process)
{
    if (listener == NULL)
        return phrases_obstacle(arena, process);
    for (const struct holder *h = holders_first(snapshot, listener); h != NULL; h = holders_next_process(snapshot, h)) {
        if (phrases_obstacle(arena, holders_process(snapshot, h)) == NULL)
            return NULL;
    }
    return phrases_obstacle(arena, process);
}

bool phrases_is_state_known(const struct process *process)
{
    return process != NULL && process->state != '\0' && process->state != '?';
}

bool phrases_is_halted(const struct process *process)
{
    return process != NULL &&
        ((process->state != 0 && strchr("TtZD", process->state) != NULL) ||
            (process->wait_count > 0 && is_frozen(&process->waits[0])));
}

bool phrases_fix_continue(struct arena *arena, const struct process *process, struct fixes *fixes)
{
    if (process == NULL || !phrases_is_halted(process))
        return false;
    if (process->state == 'T') {
        fixes_add(
            fixes, arena, "Continue the stopped process.", arena_printf(arena, "kill -CONT %" PRIu32, process->pid));
        return true;
    }
    if (process->wait_count == 0 || !is_frozen(&process->waits[0]))
        return false;
    fixes_add(fixes, arena,
        "Let its control group go on: docker unpause, systemctl thaw, or whatever paused it. Until then it takes no "
        "signal but SIGKILL, and a debugger hangs.",
        arena_printf(arena, "cat /proc/%" PRIu32 "/cgroup", process->pid));
    return true;
}

/* --- fixes and evidence that several rules share ---------------------------------------------------------------- */

/* A name from outside as a word to paste into a shell, or NULL where it cannot be one. */
static const char *shell_word(struct arena *arena, const char *name)
{
    struct buf text = { 0 };
    bool plain = text_shell_quote(&text, name);
    const char *word = take(arena, &text);
    return plain ? word : NULL;
}

static const char *words_pid(struct arena *arena, const struct process *process)
{
    return arena_printf(arena, "%" PRIu32, process->pid);
}

void phrases_fix_restart(
    struct arena *arena, const struct context *context, const struct process *process, struct fixes *fixes)
{
    const struct platform *platform = platform_of(context->snapshot);
    if (process == NULL) {
        /* On this host tcpwhy itself tells, where it may. */
        fixes_add(fixes, arena, platform->owners.text,
            context->snapshot->origin == NULL ? "sudo tcpwhy" : platform->owners.command);
        return;
    }
    if (process->pid == 0) {
        fixes_add(fixes, arena, platform->restart.text, NULL);
        return;
    }
    if (platform->service.text != NULL)
        fixes_add(fixes, arena, platform->service.text,
            platform_fill(arena, platform->service.command, words_pid(arena, process)));
    const char *word;
    if (process->container != NULL && (word = shell_word(arena, process->container)) != NULL) {
        fixes_add(fixes, arena, "Restart the container: that closes every one of these connections.",
            arena_printf(arena, "docker restart %s   # or podman restart", word));
    } else if (process->container == NULL && process->unit != NULL && strstr(process->unit, ".service") != NULL &&
        (word = shell_word(arena, process->unit)) != NULL) {
        fixes_add(fixes, arena,
            "Restart the service: the kernel closes its descriptors, and with them every one of these connections.",
            process->user_unit ? arena_printf(arena, "systemctl --user -M %" PRIu32 "@ restart %s", process->uid, word)
                               : arena_printf(arena, "systemctl restart %s", word));
    } else if (process->pid == 1) {
        fixes_add(fixes, arena,
            "Do not end process 1, which everything else here depends on: restart the service that these belong to.",
            NULL);
    } else {
        fixes_add(fixes, arena, platform->restart.text,
            platform_fill(arena, platform->restart.command, words_pid(arena, process)));
    }
}

void phrases_fix_threads(
    struct arena *arena, const struct context *context, const struct process *process, struct fixes *fixes)
{
    if (process == NULL || process->pid == 0)
        return;
    fixes_add(fixes, arena, "See what its threads wait for.",
        platform_fill(arena, platform_of(context->snapshot)->threads, words_pid(arena, process)));
}

const char *phrases_look_again(const struct snapshot *snapshot)
{
    return snapshot->origin == NULL ? "look twice ('--confirm 60')" : "take the capture again a minute later";
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
