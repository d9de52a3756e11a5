#include "diagnose/phrases_owners.h"

#include <inttypes.h>
#include <string.h>

#include "diagnose/phrases.h"
#include "diagnose/platform.h"

bool phrases_is_shared_out(const struct finding *finding)
{
    /* If the first holds all connections, the others hold the same ones. */
    return finding->process_count > 1 && !finding->owner_inferred && finding->processes[0].count < finding->conn_count;
}

const char *phrases_owner(struct arena *arena, const struct finding *finding)
{
    if (finding->owner == NULL || finding->owner->name == NULL || !phrases_is_shared_out(finding))
        return phrases_process(arena, finding->owner);
    return arena_printf(arena, "%s (pid %" PRIu32 " and %s more)", finding->owner->name, finding->owner->pid,
        phrases_count(arena, finding->process_count - 1));
}

static bool is_same_text(const char *one, const char *other)
{
    return one == other || (one != NULL && other != NULL && strcmp(one, other) == 0);
}

/* True if parents or command lines differ: workers of one service have the same. */
static bool are_started_one_by_one(const struct finding *finding)
{
    const struct process *first = finding->processes[0].process;
    for (size_t i = 1; i < finding->process_count; i++) {
        const struct process *other = finding->processes[i].process;
        if (other->parent_pid != first->parent_pid || !is_same_text(other->command, first->command))
            return true;
    }
    return false;
}

void phrases_fix_restart_owners(struct arena *arena, const struct context *context, struct finding *finding)
{
    enum { NAMED_MAX = 40 };
    const char *command = platform_of(context->snapshot)->restart.command;
    bool takes_several = command != NULL && strncmp(command, "kill ", strlen("kill ")) == 0;
    if (finding->owner == NULL || finding->owner->pid == 0 || finding->owner->container != NULL || !takes_several ||
        !phrases_is_shared_out(finding) || !are_started_one_by_one(finding)) {
        phrases_fix_restart(arena, context, finding->owner, &finding->fix_now);
        return;
    }
    size_t named = finding->process_count < NAMED_MAX ? finding->process_count : NAMED_MAX;
    const char *pids = "";
    for (size_t i = 0; i < named; i++)
        pids = arena_printf(arena, "%s%s%" PRIu32, pids, i > 0 ? " " : "", finding->processes[i].process->pid);
    const char *which = named == finding->process_count
        ? "them"
        : arena_printf(arena, "the first %zu of %s", named, phrases_count(arena, finding->process_count));
    fixes_add(&finding->fix_now, arena,
        arena_printf(arena,
            "End %s: each is a process of its own, started for a job or a session. Restarting what started them does "
            "not end them everywhere.",
            which),
        platform_fill(arena, command, pids));
}
