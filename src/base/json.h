#pragma once
/*
 * A streaming JSON writer (RFC 8259). It writes commas, indentation and escapes. The caller decides the order of the
 * members.
 *
 * A byte that is not UTF-8 is written as the four characters \xNN, so nothing is lost. Control and invisible characters
 * are written as \uNNNN, so the document is safe to show on a terminal. json_end() returns the first write error.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct json {
    FILE *out;
    unsigned depth;
    bool compact;     /* one line, no indentation */
    bool keeps_bytes; /* set it after json_begin(): a stray byte is written as \udcNN, which json_read.h reads back */
    bool has_items;   /* something was written in the innermost open object or array */
    bool after_key;
    int error; /* 0, or the negative errno of the first failed write */

    char pending[4096]; /* text that is not yet written to `out` */
    size_t pending_length;
};

void json_begin(struct json *json, FILE *out, bool compact);
/* Ends the document with a newline. Another document may follow. */
void json_end_line(struct json *json);
/*
 * Ends the document with a newline, unless json_end_line() has done so, and writes pending text to `out`. Returns 0 or
 * the first write error, as a negative errno.
 */
int json_end(struct json *json);

void json_object(struct json *json);
void json_object_end(struct json *json);
void json_array(struct json *json);
void json_array_end(struct json *json);
void json_key(struct json *json, const char *key);

void json_string(struct json *json, const char *text); /* NULL writes null */
void json_uint(struct json *json, uint64_t number);
void json_int(struct json *json, int64_t number);
void json_seconds(struct json *json, uint64_t milliseconds);    /* 1500 -> 1.5 */
void json_seconds_us(struct json *json, uint64_t microseconds); /* 1500 -> 0.001500 */
void json_thousandths(struct json *json, int64_t thousandths);  /* -1500 -> -1.500 */
void json_bool(struct json *json, bool flag);
void json_null(struct json *json);

/* These write a key and its value. */
void json_member_string(struct json *json, const char *key, const char *text);
void json_member_uint(struct json *json, const char *key, uint64_t number);
void json_member_bool(struct json *json, const char *key, bool flag);
void json_member_null(struct json *json, const char *key);
