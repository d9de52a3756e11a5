#pragma once
/*
 * The 8-bit code pages of Windows consoles. They are recognised by words in the headings of netstat and tasklist, which
 * are in the language of the system.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* The code page of a text that is not UTF-8, as iconv() calls it. NULL if no word shows it. */
const char *charset_detect(const char *bytes, size_t length);
bool charset_is_ascii(const char *text, size_t length);
/* Appends the text as UTF-8. Bytes that have no meaning in the code page are copied. */
void charset_decode(const char *charset, const char *text, size_t length, struct buf *out);
