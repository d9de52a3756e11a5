#pragma once
/* A growing string. Adding to it never fails; without memory the program ends (memory.h). */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data; /* NULL until something is added; NUL-terminated afterwards */
    size_t length;
    size_t capacity;
};

void buf_deinit(struct buf *buf);
void buf_clear(struct buf *buf);
/* Shortens the text to `length` bytes. */
void buf_cut(struct buf *buf, size_t length);
void buf_add(struct buf *buf, const char *bytes, size_t length);
void buf_str(struct buf *buf, const char *text);
void buf_char(struct buf *buf, char c);
void buf_repeat(struct buf *buf, const char *text, size_t times);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *buf, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
/* The text so far; "" where nothing was added. The buffer owns it; the next addition may move it. */
const char *buf_text(const struct buf *buf);
