#include "source/capture/input/compressed.h"

#include <errno.h>
#include <stdlib.h>

#include "base/codec.h"
#include "base/memory.h"

enum { PIECE = 64 * 1024 };

struct compressed {
    struct input below;
    const struct codec *codec;
    void *state;
    bool between; /* one compressed stream has ended, and no other has begun */
};

/* Another stream may follow. Any other bytes are padding, such as that of a tape or a block device. */
static bool begins_another(const struct compressed *compressed, const char *bytes, size_t length)
{
    return codec_by_magic(bytes, length) == compressed->codec;
}

static ssize_t compressed_read(void *state, char *out, size_t size)
{
    struct compressed *compressed = state;
    for (;;) {
        ssize_t filled = input_fill(&compressed->below, PIECE);
        if (filled < 0)
            return filled;
        const char *in = input_bytes(&compressed->below);
        if (compressed->between && !begins_another(compressed, in, (size_t)filled))
            return 0;
        compressed->between = false;
        size_t taken = (size_t)filled, put = size;
        int result = compressed->codec->decode(compressed->state, in, &taken, out, &put);
        if (result < 0)
            return result;
        input_consume(&compressed->below, taken);
        compressed->between = result == CODEC_END;
        if (put > 0)
            return (ssize_t)put;
        if (taken == 0 && !compressed->between)
            return -EBADMSG; /* the data ends too early */
    }
}

static void compressed_close(void *state)
{
    struct compressed *compressed = state;
    compressed->codec->decoder_free(compressed->state);
    input_close(&compressed->below);
    free(compressed);
}

int compressed_push_filter(struct input *input)
{
    ssize_t filled = input_fill(input, INPUT_PEEK);
    if (filled < 0)
        return (int)filled;
    const struct codec *codec = codec_by_magic(input_bytes(input), (size_t)filled);
    if (codec == NULL)
        return 0;
    struct compressed *compressed = xcalloc(1, sizeof *compressed);
    *compressed = (struct compressed){ .below = *input, .codec = codec, .state = codec->decoder_new() };
    *input = (struct input){ .read = compressed_read,
        .close = compressed_close,
        .state = compressed,
        .modified_ms = compressed->below.modified_ms };
    return 0;
}
