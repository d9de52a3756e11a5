#include "diagnose/acceptors_text.h"

#include "diagnose/obstacle.h"
#include "diagnose/phrases.h"

const char *acceptors_name(struct arena *arena, const struct acceptors *acceptors, const struct process *otherwise)
{
    if (acceptors->count == 0)
        return phrases_process(arena, otherwise);
    const struct process *first = acceptors->items[0].process;
    if (acceptors->count == 1 || first->name == NULL || acceptors->is_inherited)
        return phrases_process(arena, first);
    return arena_printf(
        arena, "%s (pid %u and %s more)", first->name, first->pid, phrases_count(arena, acceptors->count - 1));
}

/* "gunicorn (pid 812) holds 1 connection and has no thread that watches its sockets now: …" */
static const char *share_of(struct arena *arena, const struct process_count *item)
{
    enum obstacle obstacle = obstacle_to_accept(item->process);
    const char *does = obstacle_text(arena, item->process, obstacle);
    const char *serves = item->count > 0 ? arena_printf(arena, " holds %s", phrases_conns(arena, item->count))
                                         : " holds no connection";
    return arena_printf(arena, "%s%s%s%s", phrases_process(arena, item->process), serves, does != NULL ? " and " : "",
        does != NULL ? does : "");
}

void acceptors_evidence(struct arena *arena, const struct acceptors *acceptors, struct lines *evidence)
{
    enum { SHARES_SHOWN = 6 };
    if (acceptors->is_inherited) {
        lines_add(evidence, arena,
            "The listener is inherited: only %s has it open, a program that never accepts. The server that opened it "
            "has ended, or has closed it.",
            phrases_process(arena, acceptors->items[0].process));
        return;
    }
    if (acceptors->holders < 2)
        return;
    if (acceptors->master != NULL)
        lines_add(
            evidence, arena, "%s only supervises: its children accept.", phrases_process(arena, acceptors->master));
    if (acceptors->count > 1)
        lines_add(evidence, arena,
            "%s processes have the listener open, and any of them may accept:", phrases_count(arena, acceptors->count));
    else
        lines_add(evidence, arena,
            "Of %s processes that have the listener open this one accepts:", phrases_count(arena, acceptors->holders));
    for (size_t i = 0; i < acceptors->count && i < SHARES_SHOWN; i++)
        lines_add(evidence, arena, "%s.", share_of(arena, &acceptors->items[i]));
    if (acceptors->count > SHARES_SHOWN)
        lines_add(evidence, arena, "And %s more.", phrases_count(arena, acceptors->count - SHARES_SHOWN));
}

void acceptors_fix(
    struct arena *arena, const struct context *context, const struct acceptors *acceptors, struct fixes *fixes)
{
    if (acceptors->is_inherited) {
        fixes_add(fixes, arena,
            "End the process that keeps the listener open without serving it; then the port is free for the server.",
            arena_printf(arena, "kill %u", acceptors->items[0].process->pid));
        return;
    }
    for (int obstacle = OBSTACLE_NONE + 1; obstacle < OBSTACLE_BUSY; obstacle++)
        obstacle_fix(arena, context->snapshot, acceptors->items, acceptors->count, (enum obstacle)obstacle, fixes);
    obstacle_keep_evidence(arena, context->snapshot, acceptors->items, acceptors->count, fixes);
}

void acceptors_fix_for_good(struct arena *arena, const struct acceptors *acceptors, struct fixes *fixes)
{
    enum obstacle obstacle = obstacle_to_accept(acceptors->obstructed);
    if (obstacle == OBSTACLE_DESCRIPTORS)
        fixes_add(fixes, arena,
            "Give the service the limit that its load needs: LimitNOFILE= in its systemd unit, and the program's own "
            "setting (nginx: worker_rlimit_nofile, HAProxy: maxconn); or let it keep fewer connections open.",
            NULL);
    else if (obstacle_is_halt(obstacle))
        fixes_add(fixes, arena,
            "Let the health check wait for an answer, not for a connection: the kernel completes handshakes for a "
            "process that cannot act, too.",
            NULL);
    else
        fixes_add(fixes, arena,
            "Never do slow work in the thread that accepts: hand connections to workers, put a time limit on "
            "everything that the accepting loop calls, and let the health check wait for an answer, not for a "
            "connection.",
            NULL);
}
