#pragma once
/* A growing string. Like the arena it cannot fail: what is built in it is words for a person. */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data; /* always NUL-terminated once anything was added; NULL before */
    size_t length;
    size_t capacity;
};

void buf_deinit(struct buf *buf);
void buf_clear(struct buf *buf);
/* Takes off what stands behind that length. */
void buf_cut(struct buf *buf, size_t length);
void buf_add(struct buf *buf, const char *bytes, size_t length);
void buf_str(struct buf *buf, const char *text);
void buf_char(struct buf *buf, char c);
void buf_repeat(struct buf *buf, const char *text, size_t times);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *buf, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
/* The text so far; "" where nothing was added. Owned by the buffer. */
const char *buf_text(const struct buf *buf);
