#pragma once
/* Compressed captures: gzip and Zstandard. The name of the file does not matter. */
#include "source/capture/input/input.h"

/*
 * Puts a filter over the input if its first bytes are those of compressed data. If the data is damaged or incomplete,
 * reading fails with -EBADMSG. Returns 0 or a negative errno.
 */
int compressed_push_filter(struct input *input);
