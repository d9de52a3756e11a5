#pragma once
/* Reading an eBPF iterator: a file whose contents its program writes, record by record. */
#include <sys/types.h>

/* Takes the first record of some bytes. Returns its length, 0 where it is not whole yet, or a negative errno. */
typedef ssize_t (*bpf_take)(const char *bytes, size_t length, void *data);

/*
 * Runs the iterator of this link once, in the network and PID namespaces that the calling thread is in, and hands over
 * what it wrote. Returns 0; what the kernel refused it with; what `take` returned; or -EBADMSG where a record is cut
 * off.
 */
int bpf_iterate(int link, bpf_take take, void *data);
