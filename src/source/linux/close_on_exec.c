/* Finds the descriptors with FD_CLOEXEC, which the next exec() closes: /proc/PID/fdinfo/FD. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/holders.h"
#include "source/linux/proc_file.h"
#include "source/linux/proc_text.h"
#include "source/linux/processes.h"

static bool is_close_on_exec(uint32_t pid, uint32_t fd)
{
    char path[64], text[512];
    uint32_t flags;
    snprintf(path, sizeof path, "/proc/%u/fdinfo/%u", pid, fd);
    return proc_read(AT_FDCWD, path, text, sizeof text) > 0 && proc_parse_fdinfo_flags(text, &flags) == 0 &&
        (flags & O_CLOEXEC) != 0;
}

static bool runs_another_program(const struct snapshot *snapshot, const struct process *process)
{
    const struct process *parent = snapshot_process_by_pid(snapshot, process->parent_pid);
    return parent != NULL && strcmp(parent->name, process->name) != 0;
}

void processes_find_close_on_exec(struct snapshot *snapshot)
{
    enum { UNKNOWN = 0, NO, YES };
    uint8_t *answers = xcalloc(snapshot->process_count, sizeof *answers); /* for each process */
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        if (snapshot->conns[i].state != STATE_CLOSE_WAIT)
            continue;
        struct holder *holder = holders_first(snapshot, &snapshot->conns[i]);
        for (; holder != NULL; holder = holders_next(snapshot, holder)) {
            const struct process *process = holders_process(snapshot, holder);
            if (answers[holder->process] == UNKNOWN)
                answers[holder->process] = runs_another_program(snapshot, process) ? YES : NO;
            if (answers[holder->process] == YES)
                holder->close_on_exec = is_close_on_exec(process->pid, holder->fd);
        }
    }
    free(answers);
}
