#pragma once
/* Reads an eBPF iterator: a file whose contents an eBPF program writes, record by record. */
#include <sys/types.h>

/*
 * Handles the first record of `bytes`. Returns the length of the record, 0 if the bytes end before the record does, or
 * a negative errno.
 */
typedef ssize_t (*bpf_record_handler)(const char *bytes, size_t length, void *data);

/*
 * Runs the iterator of this link once, in the network and PID namespaces of the calling thread, and handles all
 * records. Returns 0, the negative errno of the kernel or of `handle`, or -EBADMSG if the last record is cut off.
 */
int bpf_iterate(int link, bpf_record_handler handle, void *data);
