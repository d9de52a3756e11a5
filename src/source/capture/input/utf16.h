#pragma once
/* UTF-16 as PowerShell's redirection writes it, turned into UTF-8; and the byte order mark of UTF-8 taken off. */
#include "source/capture/input/input.h"

/* Looks at the first bytes, and puts a filter over the input where they are UTF-16's. Returns 0 or a negative errno. */
int utf16_push_filter(struct input *input);
