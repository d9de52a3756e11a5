#pragma once
/* Compression of streams: one table row for each kind. */
#include <stddef.h>
#include <stdio.h>

enum codec_result { CODEC_MORE = 0, CODEC_END = 1 }; /* or a negative errno: -EBADMSG where the data is damaged */

struct codec {
    const char *name;   /* "gzip" */
    const char *suffix; /* of file names: ".gz" */
    const char *magic;  /* its data begins with these bytes */
    size_t magic_length;

    /*
     * Each takes up to *length bytes of in and puts up to *out_length into out, and sets both to how many it took and
     * put. decode() returns CODEC_END where the compressed data ends; another piece may follow. finish, for encode():
     * no more will come; then it returns CODEC_END when everything was put. The new functions return NULL without
     * memory.
     */
    void *(*decoder_new)(void);
    int (*decode)(void *state, const char *in, size_t *length, char *out, size_t *out_length);
    void (*decoder_free)(void *state);
    void *(*encoder_new)(void);
    int (*encode)(void *state, int finish, const char *in, size_t *length, char *out, size_t *out_length);
    void (*encoder_free)(void *state);
};

extern const struct codec codec_gzip, codec_zstd;

/* By the first bytes of the data, or by the end of a file's name; NULL: none. */
const struct codec *codec_by_magic(const char *bytes, size_t length);
const struct codec *codec_by_name(const char *file_name);

/*
 * A stream that compresses into `below`, which stays open when it is closed. Closing it, which may fail as writing may,
 * ends the compressed data. NULL with errno where it cannot be made.
 */
FILE *codec_open_writer(const struct codec *codec, FILE *below);
