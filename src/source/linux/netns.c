#include "source/linux/netns.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/memory.h"
#include "source/linux/processes.h"

/* `ip netns add` mounts the namespaces here: ip-netns(8). */
static const char named_folder[] = "/run/netns";

/* --- the map by inode ------------------------------------------------------------------------------------------- */

void netns_map_init(struct netns_map *map, struct snapshot *snapshot)
{
    *map = (struct netns_map){ .snapshot = snapshot };
}

void netns_map_deinit(struct netns_map *map)
{
    hash_index_deinit(&map->index);
    *map = (struct netns_map){ 0 };
}

uint32_t netns_find(const struct netns_map *map, uint64_t inode)
{
    struct hash_walk walk = hash_index_walk(&map->index, hash_number(inode));
    uint32_t number;
    do
        number = hash_walk_next(&map->index, &walk);
    while (number != HASH_NONE && map->snapshot->netns[number].inode != inode);
    return number;
}

uint32_t netns_intern(struct netns_map *map, uint64_t inode)
{
    uint32_t found = netns_find(map, inode);
    if (found != NO_INDEX)
        return found;
    struct netns *netns = snapshot_add_netns(map->snapshot);
    netns->inode = inode;
    found = (uint32_t)(map->snapshot->netns_count - 1);
    hash_index_add(&map->index, hash_number(inode), found);
    return found;
}

/* --- finding and naming ------------------------------------------------------------------------------------------- */

int netns_find_own(struct netns_map *map, uint32_t *ret_own)
{
    struct stat status;
    if (stat("/proc/thread-self/ns/net", &status) < 0)
        return -errno;
    uint32_t own = netns_intern(map, status.st_ino);
    map->snapshot->netns[own].is_own = true;
    map->nsfs = status.st_dev;
    *ret_own = own;
    return 0;
}

/* A name in /run/netns counts only if a namespace is mounted there. Without the mount it is an ordinary, empty file. */
void netns_find_named(struct netns_map *map)
{
    struct snapshot *snapshot = map->snapshot;
    DIR *directory = opendir(named_folder);
    if (directory == NULL)
        return;
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        struct stat status;
        if (entry->d_name[0] == '.' || fstatat(dirfd(directory), entry->d_name, &status, 0) < 0 ||
            status.st_dev != map->nsfs)
            continue;
        uint32_t index = netns_intern(map, status.st_ino);
        if (snapshot->netns[index].name == NULL)
            snapshot->netns[index].name = arena_strdup(&snapshot->arena, entry->d_name);
    }
    closedir(directory);
}

/* The namespace of process 1 is called "host". If it cannot be read, the caller's namespace is called "host". */
void netns_name(struct netns_map *map, uint32_t own)
{
    struct snapshot *snapshot = map->snapshot;
    struct stat first;
    uint32_t host = own;
    if (stat("/proc/1/ns/net", &first) == 0 && netns_find(map, first.st_ino) != NO_INDEX)
        host = netns_find(map, first.st_ino);
    for (uint32_t i = 0; i < snapshot->netns_count; i++) {
        struct netns *netns = &snapshot->netns[i];
        if (netns->name != NULL)
            continue;
        if (i == host)
            netns->name = "host";
        else if (netns->pid != 0 && !netns->by_descriptor)
            netns->name = processes_container_of(snapshot, netns->pid);
        if (netns->name == NULL)
            netns->name = arena_printf(&snapshot->arena, "net:[%llu]", (unsigned long long)netns->inode);
    }
}

/*
 * Opens a namespace file and checks that it is the expected namespace. The process that owns the descriptor may have
 * replaced it with a FIFO or a device meanwhile. open() of a FIFO can block, and open() of a device can have effects.
 * Therefore the file is first opened with O_PATH, which has no effect and fixes the file that the path refers to.
 */
static int open_checked(const char *path, dev_t nsfs, uint64_t inode)
{
    int found = open(path, O_PATH | O_CLOEXEC);
    if (found < 0)
        return -errno;
    struct stat status;
    int result = -ENOENT;
    if (fstat(found, &status) == 0 && status.st_dev == nsfs && status.st_ino == inode) {
        char link[32];
        snprintf(link, sizeof link, "/proc/self/fd/%d", found);
        result = open(link, O_RDONLY | O_CLOEXEC);
        if (result < 0)
            result = -errno;
    }
    close(found);
    return result;
}

/* Returns a descriptor of the namespace, or a negative errno. */
static int open_netns(const struct snapshot *snapshot, dev_t nsfs, uint32_t index)
{
    const struct netns *netns = &snapshot->netns[index];
    char paths[2][300];
    snprintf(paths[0], sizeof paths[0], "%s/%s", named_folder, netns->name);
    paths[1][0] = '\0';
    if (netns->by_descriptor)
        snprintf(paths[1], sizeof paths[1], "/proc/%u/fd/%u", netns->pid, netns->fd);
    else if (netns->pid != 0)
        snprintf(paths[1], sizeof paths[1], "/proc/%u/ns/net", netns->pid);

    int result = -ENOENT;
    for (size_t i = 0; i < 2; i++) {
        int fd = paths[i][0] != '\0' ? open_checked(paths[i], nsfs, netns->inode) : -ENOENT;
        if (fd >= 0)
            return fd;
        if (fd != -ENOENT)
            result = fd;
    }
    return result;
}

int netns_enter(struct snapshot *snapshot, uint32_t netns, netns_visit visit, void *data)
{
    int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (home < 0)
        return -errno;
    /*
     * The way back needs CAP_SYS_ADMIN over the own namespace (netns_install() in net/core/net_namespace.c). The root
     * of a rootless container lacks it. This call tests for it before the thread leaves: it enters the own namespace
     * from the own namespace.
     */
    int result = setns(home, CLONE_NEWNET) < 0 ? -errno : 0;
    struct stat status;
    if (result == 0 && fstat(home, &status) < 0)
        result = -errno;
    int fd = result == 0 ? open_netns(snapshot, status.st_dev, netns) : -1;
    if (result == 0 && fd < 0)
        result = fd;
    if (fd >= 0) {
        result = setns(fd, CLONE_NEWNET) < 0 ? -errno : 0;
        if (result == 0) {
            result = visit(snapshot, netns, data);
            /* All that is read later would be of the wrong namespace. */
            if (setns(home, CLONE_NEWNET) < 0)
                abort();
        }
        close(fd);
    }
    close(home);
    return result;
}
