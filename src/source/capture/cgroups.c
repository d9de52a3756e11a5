#include "source/capture/cgroups.h"

#include <stdbool.h>
#include <string.h>

#include "source/text/cgroup_path.h"

enum { CGROUPS_MAX = 1024, PATH_MAX = 512 }; /* distinct ones that are remembered; the rest is left out */

static bool is_it(const struct cgroup *cgroup, const char *path, size_t length)
{
    return strncmp(cgroup->path, path, length) == 0 && cgroup->path[length] == '\0';
}

static const struct cgroup *add(struct snapshot *snapshot, const char *text, size_t length)
{
    if (snapshot->cgroup_count >= CGROUPS_MAX)
        return NULL;
    struct cgroup *cgroup = snapshot_add_cgroup(snapshot);
    const char *path = arena_strndup(&snapshot->arena, text, length), *part = path;
    cgroup->id = snapshot->cgroup_count; /* it is not printed: a number of our own */
    cgroup->path = path;
    size_t found = proc_cgroup_container(path, &part);
    if (found > 0)
        cgroup->container = arena_strndup(&snapshot->arena, part, found);
    found = proc_cgroup_unit(path, &part);
    if (found > 0)
        cgroup->unit = arena_strndup(&snapshot->arena, part, found);
    const char *manager = strstr(path, "/user@");
    cgroup->user_unit = found > 0 && manager != NULL && part > manager + 1;
    return cgroup;
}

const struct cgroup *cgroup_find(struct snapshot *snapshot, const char *path, size_t length, size_t *last)
{
    if (length == 0 || length >= PATH_MAX || path[0] != '/')
        return NULL;
    if (*last < snapshot->cgroup_count && is_it(&snapshot->cgroups[*last], path, length))
        return &snapshot->cgroups[*last];
    for (size_t i = 0; i < snapshot->cgroup_count; i++) {
        if (is_it(&snapshot->cgroups[i], path, length)) {
            *last = i;
            return &snapshot->cgroups[i];
        }
    }
    *last = snapshot->cgroup_count;
    return add(snapshot, path, length);
}
