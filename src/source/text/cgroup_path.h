#pragma once
/* Reads the path of a Linux control group: cgroups(7), systemd.slice(5). Pure. */
#include <stddef.h>

/*
 * Finds the systemd unit in a cgroup path: the last part that has the suffix of a unit, such as ".service". Returns its
 * length and points *ret_unit into the path; 0: there is none.
 */
size_t proc_cgroup_unit(const char *path, const char **ret_unit);
/*
 * Finds the container in a cgroup path: the first 12 characters of its id (Docker, containerd, CRI-O, Podman), or its
 * name (LXC, systemd-nspawn). Returns the length and points *ret_container into the path; 0: there is none.
 */
size_t proc_cgroup_container(const char *path, const char **ret_container);
