#pragma once
/* Parses the records of the eBPF programs (record.h). Pure: bytes in, model out. Reads no byte beyond `length`. */
#include <stddef.h>
#include <sys/types.h>

#include "model/conn.h"
#include "source/linux/bpf/record.h"

/*
 * Each function parses the first record of `bytes` and returns its length. It returns 0 if the bytes end before the
 * record does, and -EBADMSG if they are no such record; in both cases the results are unchanged. `hz`: kernel ticks in
 * a second.
 */

/* Sets all of *ret_conn except netns; holder is NO_INDEX. */
ssize_t bpf_parse_socket(const void *bytes, size_t length, unsigned hz, struct conn *ret_conn);

struct bpf_bound_conn {
    struct conn conn;
    uint32_t netns_inode;
};

/* *ret_bound is set only if the kind of the record is BPF_FILE_BOUND. */
ssize_t bpf_parse_file(
    const void *bytes, size_t length, unsigned hz, struct bpf_file *ret_file, struct bpf_bound_conn *ret_bound);

struct bpf_closed_conn {
    struct conn conn; /* in CLOSED; after a failed connect() the remote endpoint is unknown */
    uint32_t netns_inode;
    enum bpf_closed_was was;
};

ssize_t bpf_parse_closed(const void *bytes, size_t length, unsigned hz, struct bpf_closed_conn *ret_closed);

ssize_t bpf_parse_task(const void *bytes, size_t length, struct bpf_task *ret_task);
