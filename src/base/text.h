#pragma once
/*
 * Text for people: escaping, display width, wrapping, numbers in words.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * Appends text so that nothing in it can act on a terminal. C0 and C1 controls, DEL and bytes that are not UTF-8 become
 * \xNN (newline \n, tab \t, return \r). Invisible and direction-changing characters become \u{NNNN}. The result is
 * printable UTF-8 on one line. Use it for process names, command lines and addresses from outside.
 */
void text_escape(struct buf *out, const char *text);

/* True for characters beyond ASCII that are invisible or change how other characters are shown. */
bool text_is_invisible(uint32_t code_point);

/*
 * Appends text as one word of a POSIX shell, in single quotes. Returns false and appends nothing if text_escape() would
 * change the text: what is shown would then differ from what a user must paste.
 */
bool text_shell_quote(struct buf *out, const char *text);

/*
 * Decodes one UTF-8 character at text (length bytes remain, at least 1). Returns its length and the code point, or 0
 * where the bytes are not UTF-8 (RFC 3629: no overlong forms, no surrogates).
 */
size_t text_utf8_decode(const char *text, size_t length, uint32_t *ret_code_point);

/* How many bytes at the start of text are printable ASCII. Each takes one column. */
size_t text_plain(const char *text, size_t length);

/* How many columns UTF-8 text takes on a terminal. The text must not contain escape sequences. */
size_t text_width(const char *text);

/*
 * Appends text wrapped to `width` columns. A longer word gets its own line. The caller has already moved to column
 * `indent` for the first line; the next lines are indented by `indent` spaces. Appends no newline at the end.
 */
void text_wrap(struct buf *out, const char *text, size_t indent, size_t width);

/* 1204 -> "1,204". */
void text_count(struct buf *out, uint64_t number);
/* The two largest units: "840 ms", "14 s", "4 min 2 s", "4 h 12 min", "2 d 3 h". */
void text_duration(struct buf *out, uint64_t milliseconds);
/* "512 bytes", "1.2 kB", "3.4 MB": powers of 1,000. */
void text_bytes(struct buf *out, uint64_t bytes);

/* Case-insensitive Damerau-Levenshtein distance, for "did you mean". It is 64 for a word over 63 characters. */
unsigned text_distance(const char *a, const char *b);
/* True if the words are equal without regard to case, and - counts as _: "Recv-Q" and "recv_q". */
bool text_same_word(const char *a, const char *b);
/* Parses a whole string as an unsigned decimal number up to max. Returns 0 or -EINVAL. */
int text_parse_number(const char *text, uint64_t max, uint64_t *ret_number);
/* Parses "90", "0.3", "90s", "1.5m", "1h30m", "250ms" as a time; a bare number is seconds. Returns 0 or -EINVAL. */
int text_parse_duration(const char *text, uint64_t *ret_milliseconds);
