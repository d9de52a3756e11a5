/* Zstandard (RFC 8878), by libzstd. */
#include <errno.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/codec.h"
#include "base/memory.h"

static void *decoder_new(void)
{
    ZSTD_DStream *stream = ZSTD_createDStream(); /* the window is limited to 128 MB, and so is the memory */
    if (stream == NULL)
        out_of_memory();
    return stream;
}

static int decode(void *state, const char *in, size_t *length, char *out, size_t *out_length)
{
    ZSTD_inBuffer from = { .src = in, .size = *length };
    ZSTD_outBuffer to = { .size = *out_length };
    to.dst = out;
    size_t result = ZSTD_decompressStream(state, &to, &from);
    *length = from.pos;
    *out_length = to.pos;
    if (ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation)
        out_of_memory();
    if (ZSTD_isError(result))
        return -EBADMSG;
    return result == 0 ? CODEC_END : CODEC_MORE;
}

static void decoder_free(void *state)
{
    ZSTD_freeDStream(state);
}

static void *encoder_new(void)
{
    ZSTD_CStream *stream = ZSTD_createCStream();
    if (stream == NULL)
        out_of_memory();
    ZSTD_CCtx_setParameter(stream, ZSTD_c_checksumFlag, 1);
    return stream;
}

static int encode(void *state, int finish, const char *in, size_t *length, char *out, size_t *out_length)
{
    ZSTD_inBuffer from = { .src = in, .size = *length };
    ZSTD_outBuffer to = { .size = *out_length };
    to.dst = out;
    size_t left = ZSTD_compressStream2(state, &to, &from, finish ? ZSTD_e_end : ZSTD_e_continue);
    *length = from.pos;
    *out_length = to.pos;
    if (ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation)
        out_of_memory();
    if (ZSTD_isError(left))
        return -EIO;
    return finish && left == 0 ? CODEC_END : CODEC_MORE;
}

static void encoder_free(void *state)
{
    ZSTD_freeCStream(state);
}

const struct codec codec_zstd = {
    .name = "Zstandard",
    .suffix = ".zst",
    .magic = "\x28\xb5\x2f\xfd",
    .magic_length = 4,
    .decoder_new = decoder_new,
    .decode = decode,
    .decoder_free = decoder_free,
    .encoder_new = encoder_new,
    .encode = encode,
    .encoder_free = encoder_free,
};
