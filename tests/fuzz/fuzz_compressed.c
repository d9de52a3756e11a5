/* gzip and Zstandard data around a capture: reading ends, or fails with a reason. */
#include "fuzz.h"

#include "source/capture/input/compressed.h"
#include "source/capture/input/open.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { MOST = 4 * 1024 * 1024, PIECE = 4096 }; /* a few bytes may stand for gigabytes */
    char *bytes = (char *)fuzz_bytes(data, size);
    struct input input;
    input_open_bytes(&input, bytes, size);
    int result = compressed_push_filter(&input);
    FUZZ_EXPECT(result <= 0);
    size_t total = 0;
    while (result == 0 && total < MOST) {
        ssize_t filled = input_fill(&input, PIECE);
        if (filled <= 0) {
            FUZZ_EXPECT(filled == 0 || input_failure((int)filled)[0] != '\0');
            break;
        }
        total += (size_t)filled;
        input_consume(&input, (size_t)filled);
    }
    input_close(&input);
    free(bytes);
    return 0;
}
