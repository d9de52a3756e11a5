#pragma once
/* Names for the PIDs of a capture: what tasklist (a table, /FO CSV, /FO LIST) or Get-Process printed. */
#include "source/capture/format.h"

/* Names the processes of the capture. Returns 0, or a negative errno with err filled. */
int tasks_read(const char *path, struct capture *capture, struct error *err);
/* The same from lines that are open already; returns how many PIDs were read, or a negative errno. */
int64_t tasks_parse(struct input *input, struct capture *capture);
