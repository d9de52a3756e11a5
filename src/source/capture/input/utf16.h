#pragma once
/* Converts UTF-16, as PowerShell's redirection writes it, to UTF-8. Also removes the byte order mark of UTF-8. */
#include "source/capture/input/input.h"

/* Puts a filter over the input if its first bytes are UTF-16. Returns 0 or a negative errno. */
int utf16_push_filter(struct input *input);
