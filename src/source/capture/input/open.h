#pragma once
/* Where the bytes of a capture come from: a file, standard input or memory, with what is around the text taken off. */
#include "source/capture/input/input.h"

/* Opens a file, "-" being standard input, and takes off what is around its text. Returns 0 or a negative errno. */
int input_open(struct input *input, const char *path, struct error *err);
/* Reads from memory, which must outlive it. */
void input_open_bytes(struct input *input, const char *bytes, size_t length);
