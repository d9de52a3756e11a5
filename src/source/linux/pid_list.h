#pragma once
/*
 * The processes of /proc, by their pids only. Compared before and after a walk over their descriptors, two lists tell
 * whether processes began or ended meanwhile: such a process may have handed its sockets on without being seen.
 */
#include <stddef.h>
#include <stdint.h>

struct pid_list {
    uint32_t *pids; /* ascending */
    size_t count, capacity;
};

/* Returns 0, or a negative errno if /proc cannot be opened. The caller calls pid_list_deinit() in either case. */
int pid_list_read(struct pid_list *list);
void pid_list_deinit(struct pid_list *list);
/* How many pids only one of the two lists has. */
size_t pid_list_differences(const struct pid_list *one, const struct pid_list *other);
