#pragma once
/*
 * Reads lists of processes, which give the PIDs of a capture their names: tasklist (a table, /FO CSV, /FO LIST) or
 * Get-Process.
 */
#include "source/capture/format.h"

/* Reads the file and names the processes of the capture. Returns 0, or a negative errno with err filled. */
int tasks_read(const char *path, struct capture *capture, struct error *err);
/* The same from an open input. Returns the number of PIDs that were read, or a negative errno. */
int64_t tasks_parse(struct input *input, struct capture *capture);
