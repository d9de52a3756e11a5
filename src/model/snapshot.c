#include "model/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"

void snapshot_init(struct snapshot *snapshot)
{
    *snapshot = (struct snapshot){ 0 };
    arena_init(&snapshot->arena);
}

void snapshot_deinit(struct snapshot *snapshot)
{
    free(snapshot->conns);
    free(snapshot->processes);
    free(snapshot->holders);
    free(snapshot->netns);
    free(snapshot->net_values);
    free(snapshot->cgroups);
    free(snapshot->totals);
    free(snapshot->gaps);
    hash_index_deinit(&snapshot->cgroup_paths);
    hash_index_deinit(&snapshot->gap_ids);
    arena_deinit(&snapshot->arena);
    *snapshot = (struct snapshot){ 0 };
}

struct conn *snapshot_add_conn(struct snapshot *snapshot)
{
    if (vec_grow((void **)&snapshot->conns, snapshot->conn_count, &snapshot->conn_capacity, sizeof *snapshot->conns) <
        0)
        return NULL;
    struct conn *conn = &snapshot->conns[snapshot->conn_count++];
    *conn = (struct conn){ .holder = NO_INDEX };
    return conn;
}

struct process *snapshot_add_process(struct snapshot *snapshot)
{
    return vec_add((void **)&snapshot->processes, &snapshot->process_count, &snapshot->process_capacity,
        sizeof *snapshot->processes);
}

struct holder *snapshot_add_holder(struct snapshot *snapshot)
{
    return vec_add(
        (void **)&snapshot->holders, &snapshot->holder_count, &snapshot->holder_capacity, sizeof *snapshot->holders);
}

struct netns *snapshot_add_netns(struct snapshot *snapshot)
{
    size_t count = snapshot->netns_count;
    xvec_grow((void **)&snapshot->net_values, count, &snapshot->net_values_capacity, sizeof *snapshot->net_values);
    snapshot->net_values[count] = (struct net_values){ 0 };
    return vec_add(
        (void **)&snapshot->netns, &snapshot->netns_count, &snapshot->netns_capacity, sizeof *snapshot->netns);
}

struct cgroup *snapshot_add_cgroup(struct snapshot *snapshot)
{
    return vec_add(
        (void **)&snapshot->cgroups, &snapshot->cgroup_count, &snapshot->cgroup_capacity, sizeof *snapshot->cgroups);
}

struct total *snapshot_add_total(struct snapshot *snapshot)
{
    struct total *total = vec_add(
        (void **)&snapshot->totals, &snapshot->total_count, &snapshot->total_capacity, sizeof *snapshot->totals);
    if (total != NULL)
        total->process = NO_INDEX;
    return total;
}

void snapshot_add_gap(struct snapshot *snapshot, const char *id, const char *text, const char *remedy)
{
    uint64_t hash = hash_bytes(0, id, strlen(id));
    struct hash_walk walk = hash_index_walk(&snapshot->gap_ids, hash);
    uint32_t index;
    while ((index = hash_walk_next(&snapshot->gap_ids, &walk)) != HASH_NONE) {
        if (strcmp(snapshot->gaps[index].id, id) == 0)
            return;
    }
    hash_index_add(&snapshot->gap_ids, hash, (uint32_t)snapshot->gap_count);
    struct gap *gap = vec_add(
        (void **)&snapshot->gaps, &snapshot->gap_count, &snapshot->gap_capacity, sizeof *snapshot->gaps);
    gap->id = arena_strdup(&snapshot->arena, id);
    gap->text = arena_strdup(&snapshot->arena, text);
    gap->remedy = arena_strdup(&snapshot->arena, remedy);
}

void snapshot_note_gap(struct snapshot *snapshot, enum gap_kind kind, const char *text, const char *remedy)
{
    const struct gap_info *info = &gap_infos[kind];
    snapshot_add_gap(snapshot, info->id, text, remedy != NULL ? remedy : info->remedy);
}

uint32_t snapshot_states(const struct snapshot *snapshot)
{
    return snapshot->states != 0 ? snapshot->states : STATE_BIT(STATE_COUNT) - 1;
}

bool snapshot_is_partial(const struct snapshot *snapshot)
{
    bool partial = snapshot->states != 0;
    for (size_t i = 0; i < snapshot->gap_count && !partial; i++) {
        enum gap_kind kind = gap_find(snapshot->gaps[i].id);
        partial = kind != GAP_KIND_COUNT && gap_infos[kind].makes_partial;
    }
    return partial;
}

static bool is_detailed(const struct total *total)
{
    return total->process != NO_INDEX || total->key != NULL;
}

uint32_t snapshot_detailed_states(const struct snapshot *snapshot)
{
    uint32_t states = 0;
    for (size_t i = 0; i < snapshot->total_count; i++)
        states |= is_detailed(&snapshot->totals[i]) ? STATE_BIT(snapshot->totals[i].state) : 0;
    return states;
}

bool snapshot_is_sum(const struct total *total, uint32_t detailed_states)
{
    return !is_detailed(total) && (detailed_states & STATE_BIT(total->state)) != 0;
}

uint64_t snapshot_counted(const struct snapshot *snapshot)
{
    uint32_t detailed = snapshot_detailed_states(snapshot);
    uint64_t count = 0;
    for (size_t i = 0; i < snapshot->total_count; i++)
        count += snapshot_is_sum(&snapshot->totals[i], detailed) ? 0 : snapshot->totals[i].count;
    return count;
}

const struct process *snapshot_owner(const struct snapshot *snapshot, const struct conn *conn)
{
    return conn->holder == NO_INDEX ? NULL : &snapshot->processes[snapshot->holders[conn->holder].process];
}

const struct process *snapshot_process_by_pid(const struct snapshot *snapshot, uint32_t pid)
{
    for (size_t i = 0; i < snapshot->process_count; i++) {
        if (snapshot->processes[i].pid == pid)
            return &snapshot->processes[i];
    }
    return NULL;
}

const struct process *snapshot_parent(const struct snapshot *snapshot, const struct process *process)
{
    for (size_t i = 0; i < snapshot->process_count; i++) {
        if (snapshot->processes[i].pid == process->parent_pid && snapshot->processes[i].host == process->host)
            return &snapshot->processes[i];
    }
    return NULL;
}

const struct cgroup *snapshot_cgroup_by_id(const struct snapshot *snapshot, const struct host *host, uint64_t id)
{
    for (size_t i = 0; id != 0 && i < snapshot->cgroup_count; i++) {
        if (snapshot->cgroups[i].id == id && snapshot->cgroups[i].host == host)
            return &snapshot->cgroups[i];
    }
    return NULL;
}

const struct netns *snapshot_netns(const struct snapshot *snapshot, const struct conn *conn)
{
    return conn->netns < snapshot->netns_count ? &snapshot->netns[conn->netns] : NULL;
}

const struct net_values *snapshot_net_values(const struct snapshot *snapshot, const struct conn *conn)
{
    return conn->netns < snapshot->netns_count ? &snapshot->net_values[conn->netns] : NULL;
}

static uint64_t counters_at_ms(const struct snapshot *snapshot, const struct net_values *values)
{
    return values->counters_at_ms != 0 ? values->counters_at_ms : snapshot->taken_at_ms;
}

bool snapshot_counter_rise(
    const struct snapshot *snapshot, uint32_t netns, enum counter counter, int64_t *ret_rise, uint64_t *ret_ms)
{
    const struct snapshot *previous = snapshot->previous;
    if (previous == NULL || netns >= snapshot->netns_count)
        return false;
    const struct net_values *now = &snapshot->net_values[netns];
    for (size_t i = 0; i < previous->netns_count; i++) {
        const struct net_values *then = &previous->net_values[i];
        if (previous->netns[i].inode != snapshot->netns[netns].inode)
            continue;
        if (!now->has_counter[counter] || !then->has_counter[counter])
            return false;
        uint64_t now_ms = counters_at_ms(snapshot, now), then_ms = counters_at_ms(previous, then);
        *ret_rise = now->counters[counter] - then->counters[counter];
        *ret_ms = now_ms - then_ms;
        return now_ms > then_ms;
    }
    return false;
}
