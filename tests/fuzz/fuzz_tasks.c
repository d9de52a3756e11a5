/* Lists of processes, which give the processes of a capture their names. */
#include "fuzz_capture.h"

#include "source/capture/formats/tasks.h"
#include "source/capture/input/open.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *bytes = fuzz_bytes(data, size);
    struct snapshot snapshot;
    struct input input;
    snapshot_init(&snapshot);
    struct capture capture = { .snapshot = &snapshot, .charset = size % 2 != 0 ? "CP850" : NULL };
    for (uint32_t pid = 1; pid < 6000; pid += 7)
        capture_process(&capture, pid, "", 0);
    input_open_bytes(&input, (const char *)bytes, size);
    FUZZ_EXPECT(tasks_parse(&input, &capture) >= 0);
    for (size_t i = 0; i < snapshot.process_count; i++)
        FUZZ_EXPECT(snapshot.processes[i].name == NULL || strlen(snapshot.processes[i].name) > 0);
    input_close(&input);
    capture_deinit(&capture);
    snapshot_deinit(&snapshot);
    free(bytes);
    return 0;
}
