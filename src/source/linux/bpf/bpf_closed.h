#pragma once
/* Reads the TCP sockets in state CLOSE of one process at a time, with an eBPF iterator of their own (closed.bpf.c). */
#include "source/linux/bpf/bpf_parse.h"

struct bpf_closed_reader;

/*
 * Handles one socket. Several descriptors may refer to it; then it comes several times. Returns 0 or a negative errno.
 */
typedef int (*bpf_closed_handler)(const struct bpf_closed_conn *closed, void *data);

/*
 * Loads the program. Returns 0, or a negative errno if it is not built in, not permitted, or needs something that the
 * kernel lacks. Release the reader with bpf_closed_close(), which accepts NULL.
 */
int bpf_closed_open(struct bpf_closed_reader **ret_reader);
void bpf_closed_close(struct bpf_closed_reader *reader);

/*
 * Calls `handle` for each such socket of a process; the pid is of this process's PID namespace. Returns 0, the negative
 * errno of `handle`, or that of the kernel: -E2BIG before Linux 6.1, which cannot iterate over one process only.
 */
int bpf_closed_read(struct bpf_closed_reader *reader, uint32_t pid, bpf_closed_handler handle, void *data);
