#pragma once
/* Captures that were compressed, whatever their file is called: gzip and Zstandard. */
#include "source/capture/input/input.h"

/*
 * Looks at the first bytes, and puts a filter over the input where they are compressed data. Data that is damaged or
 * cut short makes reading fail with -EBADMSG. Returns 0 or a negative errno.
 */
int compressed_push_filter(struct input *input);
