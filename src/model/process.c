#include "model/process.h"

bool process_has_limit(const struct process *process)
{
    return process != NULL && process->fds_limit != 0 && process->fds_limit != UINT32_MAX;
}

unsigned process_descriptors_percent(const struct process *process)
{
    return process_has_limit(process) ? (unsigned)((uint64_t)process->fds_open * 100 / process->fds_limit) : 0;
}

bool process_descriptors_run_out(const struct process *process)
{
    return process_has_limit(process) && process->fds_open > process->fds_limit / 2;
}

bool process_has_ended(const struct process *process)
{
    return process != NULL && (process->state == PROCESS_ENDED || process->state == PROCESS_UNLISTED);
}
