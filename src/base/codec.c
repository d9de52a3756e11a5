#include "base/codec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static const struct codec *const codecs[] = { &codec_gzip, &codec_zstd };
enum { CODEC_COUNT = sizeof codecs / sizeof *codecs };

const struct codec *codec_by_magic(const char *bytes, size_t length)
{
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        if (length >= codecs[i]->magic_length && memcmp(bytes, codecs[i]->magic, codecs[i]->magic_length) == 0)
            return codecs[i];
    }
    return NULL;
}

const struct codec *codec_by_name(const char *file_name)
{
    size_t length = strlen(file_name);
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        size_t suffix = strlen(codecs[i]->suffix);
        if (length > suffix && strcmp(file_name + length - suffix, codecs[i]->suffix) == 0)
            return codecs[i];
    }
    return NULL;
}

/* --- writing ---------------------------------------------------------------------------------------------------- */

struct writer {
    const struct codec *codec;
    void *state;
    FILE *below;
};

/* Compresses all bytes. `finish` also ends the compressed data. Returns 0 or a negative errno. */
static int write_some(struct writer *writer, int finish, const char *bytes, size_t length)
{
    char out[16 * 1024];
    for (;;) {
        size_t taken = length, put = sizeof out;
        int result = writer->codec->encode(writer->state, finish, bytes, &taken, out, &put);
        if (result < 0)
            return result;
        if (fwrite(out, 1, put, writer->below) != put)
            return errno != 0 ? -errno : -EIO;
        bytes += taken;
        length -= taken;
        if (finish ? result == CODEC_END : length == 0 && put < sizeof out)
            return 0;
    }
}

static ssize_t writer_write(void *cookie, const char *bytes, size_t length)
{
    int result = write_some(cookie, 0, bytes, length);
    if (result == 0)
        return (ssize_t)length;
    errno = -result;
    return 0; /* the stream fails with this errno: fopencookie(3) */
}

static int writer_close(void *cookie)
{
    struct writer *writer = cookie;
    int result = write_some(writer, 1, "", 0);
    writer->codec->encoder_free(writer->state);
    free(writer);
    if (result == 0)
        return 0;
    errno = -result;
    return -1;
}

FILE *codec_open_writer(const struct codec *codec, FILE *below)
{
    struct writer *writer = xcalloc(1, sizeof *writer);
    *writer = (struct writer){ .codec = codec, .state = codec->encoder_new(), .below = below };
    const cookie_io_functions_t functions = { .write = writer_write, .close = writer_close };
    FILE *stream = fopencookie(writer, "w", functions);
    if (stream == NULL)
        out_of_memory();
    return stream;
}
