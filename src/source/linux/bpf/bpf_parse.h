#pragma once
/*
 * The records of the eBPF programs (bpf/record.h) as connections. Pure: bytes in, model out; nothing is believed that
 * the length does not cover.
 */
#include <stddef.h>
#include <sys/types.h>

#include "model/conn.h"
#include "source/linux/bpf/record.h"

/*
 * Each takes the first record of `bytes` apart and returns its length; 0 where the bytes end before it does; -EBADMSG
 * where it is none. Nothing is filled then. `hz`: ticks of the kernel in a second.
 */

/* All of *ret_conn but netns, with no holder. */
ssize_t bpf_parse_socket(const void *bytes, size_t length, unsigned hz, struct conn *ret_conn);

struct bpf_bound_conn {
    struct conn conn;
    uint32_t netns_inode;
};

/* *ret_bound is filled only where the kind is BPF_FILE_BOUND. */
ssize_t bpf_parse_file(
    const void *bytes, size_t length, unsigned hz, struct bpf_file *ret_file, struct bpf_bound_conn *ret_bound);

struct bpf_closed_conn {
    struct conn conn; /* in CLOSED; the end that a failed attempt was for is not known */
    uint32_t netns_inode;
    enum bpf_closed_was was;
};

ssize_t bpf_parse_closed(const void *bytes, size_t length, unsigned hz, struct bpf_closed_conn *ret_closed);

ssize_t bpf_parse_task(const void *bytes, size_t length, struct bpf_task *ret_task);
