/* Counts of connections by state, counters and settings, alone or beside the rows of another program. */
#include "fuzz_capture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const ids[] = { "capture-numbers", "capture-ss", "capture-windows-netstat" };
    if (size > 0)
        parse_as(ids[data[0] % (sizeof ids / sizeof *ids)], data + 1, size - 1);
    return 0;
}
