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

#include "source/linux/processes.h"

/* Where `ip netns add` mounts them: ip-netns(8). */
static const char named_folder[] = "/run/netns";

static uint32_t index_of(const struct snapshot *snapshot, uint64_t inode)
{
    for (size_t i = 0; i < snapshot->netns_count; i++) {
        if (snapshot->netns[i].inode == inode)
            return (uint32_t)i;
    }
    return NO_INDEX;
}

uint32_t netns_add(struct snapshot *snapshot, uint64_t inode)
{
    uint32_t index = index_of(snapshot, inode);
    if (index != NO_INDEX)
        return index;
    struct netns *netns = snapshot_add_netns(snapshot);
    if (netns == NULL)
        return NO_INDEX;
    netns->inode = inode;
    return (uint32_t)(snapshot->netns_count - 1);
}

/* A name in /run/netns whose file is not a namespace any more is left out: an unmounted one is an ordinary file. */
static void add_named(struct snapshot *snapshot, dev_t nsfs)
{
    DIR *directory = opendir(named_folder);
    if (directory == NULL)
        return;
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        struct stat status;
        if (entry->d_name[0] == '.' || fstatat(dirfd(directory), entry->d_name, &status, 0) < 0 ||
            status.st_dev != nsfs)
            continue;
        uint32_t index = netns_add(snapshot, status.st_ino);
        if (index != NO_INDEX && snapshot->netns[index].name == NULL)
            snapshot->netns[index].name = arena_strdup(&snapshot->arena, entry->d_name);
    }
    closedir(directory);
}

/* The host's own is the one that the first process lives in; where that cannot be read, the caller's. */
static void name_the_rest(struct snapshot *snapshot, uint32_t own)
{
    struct stat first;
    uint32_t host = own;
    if (stat("/proc/1/ns/net", &first) == 0 && index_of(snapshot, first.st_ino) != NO_INDEX)
        host = index_of(snapshot, first.st_ino);
    for (uint32_t i = 0; i < snapshot->netns_count; i++) {
        struct netns *netns = &snapshot->netns[i];
        if (netns->name != NULL)
            continue;
        if (i == host)
            netns->name = "host";
        else if (netns->pid != 0)
            netns->name = processes_container_of(snapshot, netns->pid);
        if (netns->name == NULL)
            netns->name = arena_printf(&snapshot->arena, "net:[%llu]", (unsigned long long)netns->inode);
    }
}

int netns_list(struct snapshot *snapshot, uint32_t *ret_own)
{
    struct stat status;
    if (stat("/proc/thread-self/ns/net", &status) < 0)
        return -errno;
    uint32_t own = netns_add(snapshot, status.st_ino);
    if (own == NO_INDEX)
        return -ENOMEM;
    snapshot->netns[own].is_own = true;
    add_named(snapshot, status.st_dev);
    name_the_rest(snapshot, own);
    *ret_own = own;
    return 0;
}

/*
 * A descriptor of the namespace, or a negative errno. What was opened is the namespace meant: its inode is compared.
 */
static int open_netns(const struct snapshot *snapshot, uint32_t index)
{
    const struct netns *netns = &snapshot->netns[index];
    char paths[2][300];
    snprintf(paths[0], sizeof paths[0], "%s/%s", named_folder, netns->name);
    paths[1][0] = '\0';
    if (netns->pid != 0)
        snprintf(paths[1], sizeof paths[1], "/proc/%u/ns/net", netns->pid);

    int result = -ENOENT;
    for (size_t i = 0; i < 2; i++) {
        struct stat status;
        int fd = paths[i][0] != '\0' ? open(paths[i], O_RDONLY | O_CLOEXEC) : -1;
        if (fd < 0) {
            if (paths[i][0] != '\0' && errno != ENOENT)
                result = -errno;
            continue;
        }
        if (fstat(fd, &status) == 0 && status.st_ino == netns->inode)
            return fd;
        close(fd);
    }
    return result;
}

int netns_enter(struct snapshot *snapshot, uint32_t netns, netns_visit visit, void *data)
{
    int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (home < 0)
        return -errno;
    /*
     * Coming home needs CAP_SYS_ADMIN over the home namespace as well, which root of a user namespace (rootless
     * containers) lacks there: netns_install() in net/core/net_namespace.c. Entering home from home asks for just that.
     */
    int result = setns(home, CLONE_NEWNET) < 0 ? -errno : 0;
    int fd = result == 0 ? open_netns(snapshot, netns) : -1;
    if (result == 0 && fd < 0)
        result = fd;
    if (fd >= 0) {
        result = setns(fd, CLONE_NEWNET) < 0 ? -errno : 0;
        if (result == 0) {
            result = visit(snapshot, netns, data);
            /* What is read next must not be of elsewhere. */
            if (setns(home, CLONE_NEWNET) < 0)
                abort();
        }
        close(fd);
    }
    close(home);
    return result;
}
