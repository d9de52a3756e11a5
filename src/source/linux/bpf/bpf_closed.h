#pragma once
/* TCP sockets in state CLOSE of one process after the other, by an eBPF iterator of their own (closed.bpf.c). */
#include "source/linux/bpf/bpf_parse.h"

struct bpf_closed_reader;

/* Takes one socket; several descriptors of the process may refer to it. Returns 0 or a negative errno. */
typedef int (*bpf_closed_take)(const struct bpf_closed_conn *closed, void *data);

/*
 * Loads the program. Returns 0, or a negative errno where that cannot be: not built in, not permitted, a kernel without
 * what it needs. Release with bpf_closed_close(), which takes NULL too.
 */
int bpf_closed_open(struct bpf_closed_reader **ret_reader);
void bpf_closed_close(struct bpf_closed_reader *reader);

/*
 * Hands over those of the process, as the own PID namespace numbers it. Returns 0, what `take` returned, or a negative
 * errno: -EINVAL where the kernel cannot iterate over one process only (before Linux 6.1).
 */
int bpf_closed_read(struct bpf_closed_reader *reader, uint32_t pid, bpf_closed_take take, void *data);
