/* Any file that is given to --from: recognised, read, and diagnosed. */
#include "fuzz_capture.h"
#include "source/capture/input/open.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct capture_options options = { .path = "-" };
    uint8_t *bytes = fuzz_bytes(data, size);
    struct snapshot snapshot;
    struct diagnosis diagnosis;
    struct input input;
    struct error err = { 0 };
    snapshot_init(&snapshot);
    input_open_bytes(&input, (const char *)bytes, size);
    if (capture_read_input(&options, &input, &snapshot, &err) == 0) {
        expect_sound(&snapshot);
        FUZZ_EXPECT(snapshot.source != NULL && snapshot.origin != NULL && snapshot.netns_count == 1);
        diagnose(&snapshot, NULL, NULL, &diagnosis);
        diagnosis_deinit(&diagnosis);
    } else {
        FUZZ_EXPECT(err.message[0] != '\0');
    }
    input_close(&input);
    snapshot_deinit(&snapshot);
    free(bytes);
    return 0;
}
