/* gzip (RFC 1952), by zlib. zlib does not write to its input, although its pointer is not const. */
#define ZLIB_CONST
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/codec.h"
#include "base/memory.h"

enum { GZIP_ONLY = 16, WINDOW_BITS = 15, MEMORY_LEVEL = 8 }; /* see inflateInit2() and deflateInit2() */

static unsigned at_most(size_t length)
{
    return length < UINT_MAX ? (unsigned)length : UINT_MAX;
}

static void point_at(z_stream *stream, const char *in, size_t length, char *out, size_t out_length)
{
    stream->next_in = (const Bytef *)in;
    stream->avail_in = at_most(length);
    stream->next_out = (Bytef *)out;
    stream->avail_out = at_most(out_length);
}

static void count(const z_stream *stream, size_t *length, size_t *out_length)
{
    *length = at_most(*length) - stream->avail_in;
    *out_length = at_most(*out_length) - stream->avail_out;
}

static void *decoder_new(void)
{
    z_stream *stream = xcalloc(1, sizeof *stream);
    if (inflateInit2(stream, GZIP_ONLY + WINDOW_BITS) != Z_OK)
        out_of_memory();
    return stream;
}

static int decode(void *state, const char *in, size_t *length, char *out, size_t *out_length)
{
    z_stream *stream = state;
    point_at(stream, in, *length, out, *out_length);
    int result = inflate(stream, Z_NO_FLUSH);
    count(stream, length, out_length);
    if (result == Z_STREAM_END) {
        inflateReset(stream);
        return CODEC_END;
    }
    if (result == Z_MEM_ERROR)
        out_of_memory();
    return result == Z_OK || result == Z_BUF_ERROR ? CODEC_MORE : -EBADMSG;
}

static void decoder_free(void *state)
{
    inflateEnd(state);
    free(state);
}

static void *encoder_new(void)
{
    z_stream *stream = xcalloc(1, sizeof *stream);
    if (deflateInit2(stream, Z_BEST_SPEED, Z_DEFLATED, GZIP_ONLY + WINDOW_BITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        out_of_memory();
    return stream;
}

static int encode(void *state, int finish, const char *in, size_t *length, char *out, size_t *out_length)
{
    z_stream *stream = state;
    point_at(stream, in, *length, out, *out_length);
    int result = deflate(stream, finish ? Z_FINISH : Z_NO_FLUSH);
    count(stream, length, out_length);
    if (result == Z_STREAM_END)
        return CODEC_END;
    return result == Z_OK || result == Z_BUF_ERROR ? CODEC_MORE : -EIO;
}

static void encoder_free(void *state)
{
    deflateEnd(state);
    free(state);
}

const struct codec codec_gzip = {
    .name = "gzip",
    .suffix = ".gz",
    .magic = "\x1f\x8b\x08",
    .magic_length = 3,
    .decoder_new = decoder_new,
    .decode = decode,
    .decoder_free = decoder_free,
    .encoder_new = encoder_new,
    .encode = encode,
    .encoder_free = encoder_free,
};
