#pragma once
/* What the path of a Linux control group tells: cgroups(7), systemd.slice(5). Pure. */
#include <stddef.h>

/* The systemd unit that a cgroup path belongs to: its last part that is a unit. Length 0: none. */
size_t proc_cgroup_unit(const char *path, const char **ret_unit);
/*
 * The container that a cgroup path belongs to: the first 12 characters of its id (Docker, containerd, CRI-O, Podman),
 * or its name (LXC, systemd-nspawn). Length 0: none.
 */
size_t proc_cgroup_container(const char *path, const char **ret_container);
