#pragma once
/* Where characters stand on the screen: tables are made for consoles, where those of East Asia take two columns. */
#include <stddef.h>

/* How many columns the text takes. What is not UTF-8 is of a code page of a console: a column for each byte. */
size_t columns_of(const char *text, size_t length);
/* The offset of what stands in column `at`, or the length where the text ends before. */
size_t columns_offset(const char *text, size_t length, size_t at);
