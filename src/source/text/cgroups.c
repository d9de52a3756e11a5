#include "source/text/cgroups.h"

#include <string.h>

#include "base/hash.h"
#include "base/hash_index.h"
#include "source/text/cgroup_path.h"

static void describe(struct snapshot *snapshot, struct cgroup *cgroup)
{
    const char *part;
    size_t length = proc_cgroup_container(cgroup->path, &part);
    if (length > 0)
        cgroup->container = arena_strndup(&snapshot->arena, part, length);
    length = proc_cgroup_unit(cgroup->path, &part);
    if (length == 0)
        return;
    cgroup->unit = arena_strndup(&snapshot->arena, part, length);
    const char *manager = strstr(cgroup->path, "/user@");
    cgroup->user_unit = manager != NULL && part > manager + 1;
}

uint32_t cgroups_intern(struct snapshot *snapshot, const char *path, size_t length, bool *ret_is_new)
{
    uint64_t hash = hash_bytes(0, path, length);
    struct hash_walk walk = hash_index_walk(&snapshot->cgroup_paths, hash);
    uint32_t index;
    *ret_is_new = false;
    while ((index = hash_walk_next(&snapshot->cgroup_paths, &walk)) != HASH_NONE) {
        const char *known = snapshot->cgroups[index].path;
        if (strncmp(known, path, length) == 0 && known[length] == '\0')
            return index;
    }
    index = (uint32_t)snapshot->cgroup_count;
    hash_index_add(&snapshot->cgroup_paths, hash, index);
    struct cgroup *cgroup = snapshot_add_cgroup(snapshot);
    cgroup->path = arena_strndup(&snapshot->arena, path, length);
    describe(snapshot, cgroup);
    *ret_is_new = true;
    return index;
}

void cgroups_put(struct snapshot *snapshot, struct process *process, uint32_t cgroup)
{
    process->cgroup = cgroup;
    process->unit = snapshot->cgroups[cgroup].unit;
    process->user_unit = snapshot->cgroups[cgroup].user_unit;
    process->container = snapshot->cgroups[cgroup].container;
}
