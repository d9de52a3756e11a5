#include "source/linux/pid_list.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/text.h"

static int compare_pids(const void *one, const void *other)
{
    uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
    return (a > b) - (a < b);
}

int pid_list_read(struct pid_list *list)
{
    *list = (struct pid_list){ 0 };
    DIR *folder = opendir("/proc");
    if (folder == NULL)
        return -errno;
    const struct dirent *entry;
    while ((entry = readdir(folder)) != NULL) {
        uint64_t pid;
        if (text_parse_number(entry->d_name, UINT32_MAX, &pid) < 0)
            continue;
        xvec_grow((void **)&list->pids, list->count, &list->capacity, sizeof *list->pids);
        list->pids[list->count++] = (uint32_t)pid;
    }
    closedir(folder);
    if (list->count > 1)
        qsort(list->pids, list->count, sizeof *list->pids, compare_pids);
    return 0;
}

void pid_list_deinit(struct pid_list *list)
{
    free(list->pids);
    *list = (struct pid_list){ 0 };
}

size_t pid_list_differences(const struct pid_list *one, const struct pid_list *other)
{
    size_t i = 0, j = 0, common = 0;
    while (i < one->count && j < other->count) {
        common += one->pids[i] == other->pids[j];
        bool first = one->pids[i] <= other->pids[j], second = other->pids[j] <= one->pids[i];
        i += first;
        j += second;
    }
    return one->count - common + other->count - common;
}
