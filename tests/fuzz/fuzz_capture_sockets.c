/* ss, lsof, /proc/net/tcp and other lists of connections. The first byte chooses the format, the rest is the text. */
#include "fuzz_capture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const ids[] = {
        "capture-ss",
        "capture-lsof",
        "capture-proc-net-tcp",
        "capture-conntrack",
        "capture-tcpview",
        "capture-table",
    };
    if (size > 0)
        parse_as(ids[data[0] % (sizeof ids / sizeof *ids)], data + 1, size - 1);
    return 0;
}
