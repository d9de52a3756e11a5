#pragma once
/* The 8-bit code pages of Windows consoles, told by the words of netstat's headings in the languages that it speaks. */
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* The code page of a text that is not UTF-8, as iconv() names it, or NULL where nothing tells. */
const char *charset_detect(const char *bytes, size_t length);
bool charset_is_ascii(const char *text, size_t length);
/* Appends it as UTF-8; bytes that have no meaning there stay as they are. */
void charset_decode(const char *charset, const char *text, size_t length, struct buf *out);
