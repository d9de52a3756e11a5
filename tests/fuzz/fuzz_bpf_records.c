/* What the eBPF programs write. The first byte chooses the parser, the rest is a stream of its records. */
#include "fuzz.h"

#include <sys/types.h>

#include "source/linux/bpf/bpf_parse.h"

enum { SOCKETS, FILES, TASKS, STREAMS, HZ = 250 };

static ssize_t take(unsigned stream, const uint8_t *bytes, size_t length)
{
    struct conn conn;
    struct bpf_file file;
    struct bpf_task task;
    struct bpf_bound_conn bound;
    ssize_t taken;
    switch (stream) {
    case SOCKETS:
        taken = bpf_parse_socket(bytes, length, HZ, &conn);
        FUZZ_EXPECT(taken <= 0 || (conn.state < STATE_COUNT && conn.holder == NO_INDEX));
        return taken;
    case FILES:
        taken = bpf_parse_file(bytes, length, HZ, &file, &bound);
        FUZZ_EXPECT(taken <= 0 || file.kind != BPF_FILE_BOUND || bound.conn.state < STATE_COUNT);
        return taken;
    default:
        return bpf_parse_task(bytes, length, &task);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    uint8_t *bytes = fuzz_bytes(data + 1, size - 1);
    size_t length = size - 1, at = 0;
    ssize_t taken = 1;
    while (at < length && taken > 0) {
        taken = take(data[0] % STREAMS, bytes + at, length - at);
        FUZZ_EXPECT(taken <= (ssize_t)(length - at));
        at += taken > 0 ? (size_t)taken : 0;
    }
    free(bytes);
    return 0;
}
