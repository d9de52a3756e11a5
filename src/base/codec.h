#pragma once
/* Compression of streams: one table row for each kind. */
#include <stddef.h>
#include <stdio.h>

enum codec_result { CODEC_MORE = 0, CODEC_END = 1 }; /* or a negative errno: -EBADMSG if the data is damaged */

struct codec {
    const char *name;   /* "gzip" */
    const char *suffix; /* of file names: ".gz" */
    const char *magic;  /* its data begins with these bytes */
    size_t magic_length;

    /*
     * decode() and encode() read up to *length bytes of `in` and write up to *out_length bytes to `out`. They set both
     * lengths to the bytes read and written. decode() returns CODEC_END where the compressed data ends; another
     * compressed stream may follow. `finish` tells encode() that this is the last input; then encode() returns
     * CODEC_END when all output is written. Without memory the program ends (memory.h).
     */
    void *(*decoder_new)(void);
    int (*decode)(void *state, const char *in, size_t *length, char *out, size_t *out_length);
    void (*decoder_free)(void *state);
    void *(*encoder_new)(void);
    int (*encode)(void *state, int finish, const char *in, size_t *length, char *out, size_t *out_length);
    void (*encoder_free)(void *state);
};

extern const struct codec codec_gzip, codec_zstd;

/* Finds a codec by the first bytes of the data, or by the end of a file's name. NULL: none fits. */
const struct codec *codec_by_magic(const char *bytes, size_t length);
const struct codec *codec_by_name(const char *file_name);

/*
 * Opens a stream that compresses into `below`. fclose() of the stream writes the end of the compressed data, so it may
 * fail; it leaves `below` open. Never returns NULL.
 */
FILE *codec_open_writer(const struct codec *codec, FILE *below);
