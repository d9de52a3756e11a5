/* The "process" and "wait" lines of a fixture. */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "fixture_private.h"

/* "1267/4096", "1267/none", "1267" */
static int parse_fds(struct loader *loader, char *text, struct process *process)
{
    char *slash = strchr(text, '/');
    if (slash != NULL)
        *slash = '\0';
    uint64_t open = 0, limit = 0;
    int r = loader_number(loader, text, UINT32_MAX, &open);
    if (r == 0 && slash != NULL && strcmp(slash + 1, "none") == 0)
        limit = UINT32_MAX;
    else if (r == 0 && slash != NULL)
        r = loader_number(loader, slash + 1, UINT32_MAX - 1, &limit);
    process->fds_open = (uint32_t)open;
    process->fds_limit = (uint32_t)limit;
    return r;
}

static int process_numbers(struct loader *loader, struct process *process, const char *key, const char *value)
{
    const struct {
        const char *key;
        uint32_t *field;
    } numbers[] = { { "uid", &process->uid }, { "parent", &process->parent_pid }, { "threads", &process->threads },
        { "hard", &process->fds_hard }, { "tracer", &process->tracer_pid }, { "sockets", &process->fds_sockets } };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (strcmp(key, numbers[i].key) != 0)
            continue;
        uint64_t number = 0;
        int r = loader_number(loader, value, UINT32_MAX, &number);
        *numbers[i].field = (uint32_t)number;
        return r;
    }
    return loader_fail(loader, "process has no %s", key);
}

static int process_member(struct loader *loader, struct process *process, const char *key, char *value)
{
    const struct {
        const char *key;
        const char **field;
    } texts[] = { { "user", &process->user }, { "unit", &process->unit }, { "container", &process->container },
        { "command", &process->command }, { "tracer_name", &process->tracer } };
    if (value == NULL)
        return loader_fail(loader, "%s wants a value", key);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (strcmp(key, texts[i].key) == 0) {
            *texts[i].field = value;
            return 0;
        }
    }
    if (strcmp(key, "fds") == 0)
        return parse_fds(loader, value, process);
    if (strcmp(key, "netns") == 0)
        return loader_netns(loader, value, &process->netns);
    if (strcmp(key, "state") == 0 && strlen(value) == 1) {
        process->state = *value;
        return 0;
    }
    if (strcmp(key, "running") == 0)
        return text_parse_duration(value, &process->running_ms) < 0 ? loader_fail(loader, "not a time: %s", value) : 0;
    if (strcmp(key, "cgroup") == 0) {
        uint64_t id = 0;
        int r = loader_number(loader, value, UINT64_MAX, &id);
        const struct cgroup *cgroup = r < 0 ? NULL : snapshot_cgroup_by_id(loader->snapshot, NULL, id);
        if (cgroup == NULL)
            return loader_fail(loader, "no cgroup line has the id %s", value);
        process->cgroup = (uint32_t)(cgroup - loader->snapshot->cgroups);
        return 0;
    }
    return process_numbers(loader, process, key, value);
}

int loader_process_line(struct loader *loader)
{
    uint64_t pid;
    if (loader->word_count < 3)
        return loader_fail(loader, "process wants a pid and a name");
    int r = loader_number(loader, loader->words[1], UINT32_MAX, &pid);
    if (r < 0)
        return r;
    if (snapshot_process_by_pid(loader->snapshot, (uint32_t)pid) != NULL)
        return loader_fail(loader, "a second process with the pid %s", loader->words[1]);
    struct process *process = snapshot_add_process(loader->snapshot);
    if (process == NULL)
        return -ENOMEM;
    *process = (struct process){ .pid = (uint32_t)pid,
        .parent_pid = 1,
        .name = loader->words[2],
        .user = "root",
        .cgroup = NO_INDEX,
        .netns = loader->netns,
        .state = 'S',
        .threads = 1 };
    for (size_t i = 3; i < loader->word_count && r == 0; i++) {
        char *value;
        const char *key = loader_key(loader->words[i], &value);
        r = process_member(loader, process, key, value);
    }
    return r;
}

static int wait_member(struct loader *loader, struct wait_place *place, const char *key, char *value)
{
    uint64_t number = 0;
    int r = 0;
    if (value == NULL)
        return loader_fail(loader, "%s wants a value", key);
    if (strcmp(key, "channel") == 0) {
        place->channel = value;
    } else if (strcmp(key, "call") == 0) {
        place->call = value;
    } else if (strcmp(key, "target") == 0) {
        place->target = value;
    } else if (strcmp(key, "fd") == 0) {
        r = loader_number(loader, value, INT32_MAX, &number);
        place->fd = (int)number;
    } else if (strcmp(key, "threads") == 0) {
        r = loader_number(loader, value, UINT32_MAX, &number);
        place->threads = (uint32_t)number;
    } else {
        r = loader_fail(loader, "wait has no %s", key);
    }
    return r;
}

int loader_wait_line(struct loader *loader)
{
    uint32_t index;
    if (loader->word_count < 3 || strlen(loader->words[2]) != 1)
        return loader_fail(loader, "wait wants a pid and a state of one letter");
    int r = loader_process(loader, loader->words[1], &index);
    if (r < 0)
        return r;
    struct wait_place place = { .state = *loader->words[2], .fd = -1, .threads = 1 };
    for (size_t i = 3; i < loader->word_count && r == 0; i++) {
        char *value;
        const char *key = loader_key(loader->words[i], &value);
        r = wait_member(loader, &place, key, value);
    }
    struct process *process = &loader->snapshot->processes[index];
    struct wait_place *places = arena_alloc(&loader->snapshot->arena, (process->wait_count + 1) * sizeof *places);
    if (process->wait_count > 0)
        memcpy(places, process->waits, process->wait_count * sizeof *places);
    places[process->wait_count++] = place;
    process->waits = places;
    return r;
}
