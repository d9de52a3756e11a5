#pragma once
/* Opens a capture: a file, standard input or memory. */
#include "source/capture/input/input.h"

/*
 * Opens a file; "-" is standard input. Decompresses it and converts UTF-16. Returns 0 or a negative errno with err
 * filled.
 */
int input_open(struct input *input, const char *path, struct error *err);
/*
 * Opens a file now that input_open() will be called for later, when the process may open nothing any more. `path` must
 * live as long as the program. If it fails, input_open() will say why.
 */
void input_open_early(const char *path);
/* Reads from memory, which must outlive the input. Converts UTF-16. */
void input_open_bytes(struct input *input, const char *bytes, size_t length);
