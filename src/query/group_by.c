#include "query/group_by.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash_index.h"
#include "base/memory.h"
#include "base/sort.h"
#include "model/age.h"

static bool same_group(struct groups *groups, const struct group *group, const struct value *values)
{
    for (unsigned i = 0; i < groups->key_count; i++) {
        struct value other = key_value(&groups->keys[i], &groups->source, group->first);
        if (!value_equal(&values[i], &other))
            return false;
    }
    return true;
}

/* Returns the index of the connection's group. Makes the group if this is its first connection. */
static uint32_t group_of(struct groups *groups, struct hash_index *index, uint32_t conn_index)
{
    struct value values[KEYS_MAX];
    uint64_t hash = 0;
    for (unsigned i = 0; i < groups->key_count; i++) {
        values[i] = key_value(&groups->keys[i], &groups->source, conn_index);
        hash = value_hash(&values[i], hash);
    }
    struct hash_walk walk = hash_index_walk(index, hash);
    for (uint32_t number; (number = hash_walk_next(index, &walk)) != HASH_NONE;) {
        const struct group *group = &groups->items[number];
        if (group->hash == hash && same_group(groups, group, values))
            return number;
    }
    xvec_grow((void **)&groups->items, groups->count, &groups->capacity, sizeof *groups->items);
    groups->items[groups->count] = (struct group){ .hash = hash, .first = conn_index };
    hash_index_add(index, hash, (uint32_t)groups->count);
    return (uint32_t)groups->count++;
}

/* The known ages, each with the index of its group. */
struct ages {
    uint64_t *ms;
    uint32_t *groups;
    size_t count;
};

static void ages_init(struct ages *ages, size_t most)
{
    *ages = (struct ages){
        .ms = xrealloc_array(NULL, most + 1, sizeof *ages->ms),
        .groups = xrealloc_array(NULL, most + 1, sizeof *ages->groups),
    };
}

static void ages_deinit(struct ages *ages)
{
    free(ages->ms);
    free(ages->groups);
}

/* Puts all ages into one array, ordered by group. ends[i] becomes the end of group i. */
static void fill_medians(struct groups *groups, const struct ages *ages)
{
    uint64_t *sorted = xcalloc(ages->count, sizeof *sorted);
    size_t *ends = xcalloc(groups->count, sizeof *ends);
    size_t at = 0;
    for (size_t i = 0; i < groups->count; i++) {
        ends[i] = at;
        at += groups->items[i].aged;
    }
    for (size_t i = 0; i < ages->count; i++)
        sorted[ends[ages->groups[i]]++] = ages->ms[i];
    for (size_t i = 0; i < groups->count; i++) {
        struct group *group = &groups->items[i];
        if (group->aged > 0)
            group->median_ms = sort_select(sorted + ends[i] - group->aged, group->aged, (group->aged - 1) / 2);
    }
    free(ends);
    free(sorted);
}

static void add_to_group(struct groups *groups, uint32_t index, struct ages *ages, const struct conn *conn)
{
    struct group *group = &groups->items[index];
    group->count++;
    groups->total++;
    struct age age = conn_age(groups->source.fields.snapshot, conn);
    if (age.kind == AGE_UNKNOWN)
        return;
    group->aged++;
    if (age.ms > group->oldest_ms)
        group->oldest_ms = age.ms;
    ages->ms[ages->count] = age.ms;
    ages->groups[ages->count++] = index;
}

static void count_all(struct groups *groups, const struct selection *selection, struct ages *ages)
{
    struct hash_index index = { 0 };
    const struct snapshot *snapshot = groups->source.fields.snapshot;
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        if (selection != NULL &&
            (!selection_matches(selection, snapshot, conn) ||
                !selection_matches_cause(selection, diagnosis_cause(groups->source.fields.diagnosis, i))))
            continue;
        add_to_group(groups, group_of(groups, &index, (uint32_t)i), ages, conn);
    }
    hash_index_deinit(&index);
}

static int compare_groups(const void *context, uint32_t a, uint32_t b)
{
    /* group_key_value() changes nothing in the groups but the cache of the last cgroup. */
    struct groups *groups = *(struct groups *const *)context;
    const struct group *left = &groups->items[a], *right = &groups->items[b];
    if (left->count != right->count)
        return left->count > right->count ? -1 : 1;
    for (unsigned i = 0; i < groups->key_count; i++) {
        struct value x = group_key_value(groups, left, i), y = group_key_value(groups, right, i);
        int order = value_compare(&x, &y);
        if (order != 0)
            return order;
    }
    return 0;
}

static void sort_groups(struct groups *groups)
{
    uint32_t *order = xcalloc(groups->count, sizeof *order);
    for (size_t i = 0; i < groups->count; i++)
        order[i] = (uint32_t)i;
    sort_indexes(order, groups->count, compare_groups, &groups);
    struct group *sorted = xcalloc(groups->count, sizeof *sorted);
    for (size_t i = 0; i < groups->count; i++)
        sorted[i] = groups->items[order[i]];
    free(order);
    free(groups->items);
    groups->items = sorted;
    groups->capacity = groups->count;
}

void groups_init(struct groups *groups, const struct diagnosis *diagnosis, const struct selection *selection,
    const struct group_options *options)
{
    *groups = (struct groups){
        .source = { .fields = { .snapshot = diagnosis->snapshot, .diagnosis = diagnosis },
            .v4_prefix = options->v4_prefix,
            .v6_prefix = options->v6_prefix },
        .key_count = options->key_count,
    };
    memcpy(groups->keys, options->keys, options->key_count * sizeof *options->keys);
    listeners_init(&groups->source.listeners, diagnosis->snapshot);

    if (selection != NULL && selection_is_empty(selection))
        selection = NULL;
    struct ages ages;
    ages_init(&ages, diagnosis->snapshot->conn_count);
    count_all(groups, selection, &ages);
    fill_medians(groups, &ages);
    sort_groups(groups);
    ages_deinit(&ages);
}

void groups_deinit(struct groups *groups)
{
    listeners_deinit(&groups->source.listeners);
    free(groups->items);
    *groups = (struct groups){ 0 };
}

struct value group_key_value(struct groups *groups, const struct group *group, unsigned key)
{
    return key_value(&groups->keys[key], &groups->source, group->first);
}
