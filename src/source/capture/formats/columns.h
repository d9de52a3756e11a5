#pragma once
/*
 * Positions in text in columns of the screen. Consoles align tables by them; an East Asian character takes two columns.
 */
#include <stddef.h>

/* The columns of the text. A byte that is not UTF-8 is a character of a code page and takes one column. */
size_t columns_of(const char *text, size_t length);
/* The offset of the character in column `at`, or the length of the text if it ends before. */
size_t columns_offset(const char *text, size_t length, size_t at);
